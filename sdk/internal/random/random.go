//go:build !js

// Package random has unpredictable bytes: from crypto/rand, and in a browser from its
// crypto.getRandomValues, because crypto/rand would add generators of its own to the
// program.
package random

import "crypto/rand"

// Read fills b.
func Read(b []byte) {
	_, _ = rand.Read(b) // It never fails.
}
