//go:build !race

package listsync

const raceEnabled = false
