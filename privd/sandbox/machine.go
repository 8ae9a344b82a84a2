// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import "golang.org/x/sys/unix"

// A machine is what differs between architectures.
type machine struct {
	audit   uint32 // AUDIT_ARCH_ value (linux/audit.h) of the one ABI that may be used
	foreign uint32 // bit in the number of a call of another ABI under the same value; 0: none
	numbers int    // which column of a call it uses
	threads uint64 // the flags of clone for a thread of Go (runtime/os_linux.go)
	// openat flags whose values differ.
	directory, noFollow uint64
}

// goThread is cloneFlags of runtime/os_linux.go.
const goThread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND |
	unix.CLONE_SYSVSEM | unix.CLONE_THREAD

// x32Bit is __X32_SYSCALL_BIT of asm/unistd.h.
const x32Bit = 0x40000000

const (
	columnAMD64 = iota
	columnARM64
	columns
)

// machines are by GOARCH.
var machines = map[string]machine{
	"amd64": {
		audit: unix.AUDIT_ARCH_X86_64, foreign: x32Bit, numbers: columnAMD64,
		threads:   goThread | unix.CLONE_SETTLS, // runtime/sys_linux_amd64.s adds it
		directory: 0x10000, noFollow: 0x20000,
	},
	"arm64": {
		audit: unix.AUDIT_ARCH_AARCH64, numbers: columnARM64,
		threads:   goThread,
		directory: 0x4000, noFollow: 0x8000,
	},
}
