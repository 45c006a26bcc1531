//go:build !linux

package main

import "syscall"

// attributes are those of any child: nothing is measured here, see canMeasure.
func attributes() *syscall.SysProcAttr { return nil }
