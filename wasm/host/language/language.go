// Package language stands in for golang.org/x/text/language in the program, whose
// only language is the undetermined one: see js/scripts/modules.mjs.
package language

// Tag is a language.
type Tag struct{}

// Und is the undetermined language.
var Und Tag
