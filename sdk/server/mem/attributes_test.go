//go:build !js

package mem

import "testing"

// TestSpacedAttributes checks where attributes must be separated by white space.
func TestSpacedAttributes(t *testing.T) {
	for tag, want := range map[string]bool{
		`<a>`:                true,
		`<a b='1' c="2"/>`:   true,
		`<a b='1'/>`:         true,
		`<a b="1">`:          true,
		"<a b='1'\n\tc='2'>": true,
		`<a b='"x"y' c='2'>`: true,
		`<a b='1'c='2'/>`:    false,
		`<a b="1"c='2'/>`:    false,
		`<a b='1' c='2'd=''`: false,
		`'1'`:                true,
	} {
		if spacedAttributes(tag) != want {
			t.Errorf("spacedAttributes(%q) = %v", tag, !want)
		}
	}
}
