//go:build js && wasm

package idb

import "github.com/hack-pad/safejs"

// An Error reports why IndexedDB did not perform an operation.
type Error struct {
	// Name is the DOMException's name, such as QuotaExceededError, or one of
	// BlockedError (another tab keeps the database open), TimeoutError (the
	// browser did not answer), DeletedError (the database was deleted) and
	// NotSupportedError (there is no IndexedDB).
	Name string
	// Op is the operation: open, delete, get, scan or commit, or connection if
	// the browser closed the connection between operations.
	Op string
	// Text is the browser's message.
	Text string
}

func (e *Error) Error() string {
	s := "idb: " + e.Op + ": " + e.Name
	if e.Text != "" {
		s += ": " + e.Text
	}
	if what := remedies[e.Name]; what != "" {
		s += " (" + what + ")"
	}
	return s
}

var remedies = map[string]string{
	"BlockedError":       "close the other tabs of this site, or reload them",
	"DeletedError":       "the records were deleted: request the data again",
	"InvalidStateError":  "reload the page if it happens again",
	"NotSupportedError":  "keep the records in memory instead",
	"QuotaExceededError": "the browser has no space left for this site: delete something, or keep the records in memory",
	"SecurityError":      "the browser forbids storage here, as in some private windows and frames: keep the records in memory instead",
	"TimeoutError":       "close the other tabs of this site, or reload them",
	"VersionError":       "the database belongs to a newer version of the program: reload the page to get it",
}

// lost reports whether e means that the transaction was not committed because the
// connection to the database is unusable, so that it can succeed on a new connection.
func (e *Error) lost() bool {
	switch e.Name {
	case "InvalidStateError", // the connection is closed or closing
		"AbortError",   // it was closed while the transaction ran
		"UnknownError": // Safari's error when the database process has crashed
		return true
	}
	return false
}

// text returns v as a string, or "" if v is not a string.
func text(v safejs.Value) string {
	if v.Type() != safejs.TypeString {
		return ""
	}
	s, err := v.String()
	if err != nil {
		return ""
	}
	return s
}
