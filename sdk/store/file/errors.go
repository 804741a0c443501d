package file

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// A Code says why an operation failed. The codes are stable.
type Code string

// The codes.
const (
	CodeDamaged        Code = "damaged"         // a file is missing or was changed
	CodeNewerFormat    Code = "newer-format"    // a newer version has written a file; nothing was changed
	CodeFull           Code = "full"            // there is no space for the file
	CodeDenied         Code = "denied"          // the system does not allow the operation
	CodeNoLinks        Code = "no-links"        // the file system has no hard links
	CodeOutcomeUnknown Code = "outcome-unknown" // the commit may or may not be stored
	CodeFailed         Code = "failed"          // any other reason
)

// An Error reports why an operation on files failed.
type Error struct {
	Code Code
	Op   string // open, get, scan, commit or delete
	Path string
	Err  error
}

func (e *Error) Error() string {
	s := "file: " + e.Op + ": " + e.Path + ": " + e.Err.Error()
	if what := remedies[e.Code]; what != "" {
		s += " (" + what + ")"
	}
	return s
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

var remedies = map[Code]string{
	CodeDamaged:        "delete the directory: what it held is lost on this device",
	CodeNewerFormat:    "use the newer version of the program, or another directory",
	CodeFull:           "make space on the disk",
	CodeDenied:         "allow the user to write there, or choose another directory",
	CodeNoLinks:        "choose a directory on a file system with hard links",
	CodeOutcomeUnknown: "read the records again",
}

// describe makes an [*Error] of an error.
func describe(op, path string, err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Code: codeOf(err), Path: path, Err: err}
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			e.Path, e.Err = p.Path, p.Err
		}
		if l, ok := errors.AsType[*os.LinkError](err); ok {
			e.Path, e.Err = l.New, l.Err
			if l.Op == "link" && (errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported)) {
				e.Code = CodeNoLinks
			}
		}
	}
	e.Op = op
	return e
}

func codeOf(err error) Code {
	for _, c := range []struct {
		err  error
		code Code
	}{
		{errFormat, CodeNewerFormat},
		{errDamaged, CodeDamaged},
		{syscall.ENOSPC, CodeFull},
		{syscall.EDQUOT, CodeFull},
		{syscall.EFBIG, CodeFull},
		{fs.ErrPermission, CodeDenied},
		{syscall.EROFS, CodeDenied},
	} {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	if n, ok := errors.AsType[syscall.Errno](err); ok && runtime.GOOS == "windows" && (n == 39 || n == 112) { // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL
		return CodeFull
	}
	return CodeFailed
}
