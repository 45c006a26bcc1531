//go:build !linux

package process

import "syscall"

// attributes are those of any child: elsewhere one may outlive a parent that is killed.
func attributes() *syscall.SysProcAttr { return nil }
