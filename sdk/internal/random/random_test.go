package random

import "testing"

func TestRead(t *testing.T) {
	seen := map[[16]byte]bool{}
	var ones int
	for range 1000 {
		var b [16]byte
		Read(b[:])
		seen[b] = true
		for _, c := range b {
			for ; c != 0; c &= c - 1 {
				ones++
			}
		}
	}
	// The standard deviation of the number of ones is 179.
	if len(seen) != 1000 || ones < 63_000 || ones > 65_000 {
		t.Errorf("%d different texts with %d ones of 128,000", len(seen), ones)
	}
}
