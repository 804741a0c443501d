//go:build !linux

package prosody

import "syscall"

// dieWithParent does nothing: only Linux has a signal for this.
func dieWithParent() *syscall.SysProcAttr { return nil }
