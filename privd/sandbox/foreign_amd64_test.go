// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// foreign are calls that only this architecture has, and those of its other ABIs.
func foreign() map[string]victim {
	return map[string]victim{
		"x32 getpid":    raw(x32Bit | unix.SYS_GETPID),
		"x32 execve":    raw(x32Bit | 520),
		"i386 getpid":   interrupt80,
		"open":          raw(unix.SYS_OPEN),
		"creat":         raw(unix.SYS_CREAT),
		"unlink":        raw(unix.SYS_UNLINK),
		"rmdir":         raw(unix.SYS_RMDIR),
		"vfork":         raw(unix.SYS_VFORK),
		"arch_prctl":    raw(unix.SYS_ARCH_PRCTL, 0x1003), // ARCH_GET_FS
		"modify_ldt":    raw(unix.SYS_MODIFY_LDT),
		"iopl":          raw(unix.SYS_IOPL, 3),
		"ioperm":        raw(unix.SYS_IOPERM),
		"epoll_wait":    raw(unix.SYS_EPOLL_WAIT),
		"alarm":         raw(unix.SYS_ALARM, 0),
		"accept":        raw(unix.SYS_ACCEPT, 0),
		"uselib":        raw(unix.SYS_USELIB),
		"getpid in 64":  raw(1<<31 | unix.SYS_GETPID),
		"arm64's futex": raw(98),
	}
}

// interrupt80 is getpid in the ABI of i386, which has numbers of its own under which the
// list would allow other calls: the code is made executable before the filter.
func interrupt80() (Config, func()) {
	code, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	must(err)
	copy(code, []byte{
		0xb8, 20, 0, 0, 0, // mov $20, %eax
		0xcd, 0x80, // int $0x80
		0xc3, // ret
	})
	must(unix.Mprotect(code, unix.PROT_READ|unix.PROT_EXEC))
	entry := &code[0]
	function := &entry // a Go function value points to where the code's address is
	return Config{}, *(*func())(unsafe.Pointer(&function))
}
