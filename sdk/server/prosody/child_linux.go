package prosody

import "syscall"

// killWithParent lets the kernel kill the child when this process ends for any reason.
func killWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
