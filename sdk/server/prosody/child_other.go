//go:build !linux

package prosody

import "syscall"

// killWithParent does nothing: only Linux has a signal for this.
func killWithParent() *syscall.SysProcAttr { return nil }
