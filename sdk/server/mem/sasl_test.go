//go:build !js

package mem

import "testing"

// TestSASLName decodes user names of SCRAM (RFC 5802 §5.1).
func TestSASLName(t *testing.T) {
	for _, tt := range []struct {
		text, name string
		ok         bool
	}{
		{"alice", "alice", true},
		{"a=2Cb", "a,b", true},
		{"a=3Db", "a=b", true},
		{"=3D2C", "=2C", true},
		{"a=2cb", "", false},
		{"a=b", "", false},
		{"a=", "", false},
		{"", "", false},
	} {
		if name, ok := saslName(tt.text); ok != tt.ok || ok && name != tt.name {
			t.Errorf("saslName(%q) = %q, %v, want %q, %v", tt.text, name, ok, tt.name, tt.ok)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]bool{"": false, "!~": true, "a b": false, "\x7f": false, "\x1f": false, "é": false} {
		if printable(text) != want {
			t.Errorf("printable(%q) = %v", text, !want)
		}
	}
}
