//go:build race

package listsync

const raceEnabled = true
