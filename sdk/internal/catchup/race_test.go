//go:build race

package catchup

const raceEnabled = true
