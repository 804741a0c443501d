//go:build js && wasm

package idb

import "testing"

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  Error
		want string
	}{
		{Error{Op: "open", Name: "BlockedError"}, "idb: open: BlockedError (close the other tabs of this site, or reload them)"},
		{Error{Op: "commit", Name: "OddError", Text: "because"}, "idb: commit: OddError: because"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
