package process

import "syscall"

// attributes make a child end with this process even when that is killed, and keep the Ctrl-C of a terminal from it:
// stopping children is for this process.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
