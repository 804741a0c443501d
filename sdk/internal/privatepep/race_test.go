//go:build race

package privatepep

const raceEnabled = true
