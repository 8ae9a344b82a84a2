// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

// The policy once more, written in another way: by name, as plain conditions with the
// numbers of the kernel's headers. What is in none of the tables here must not pass.

const testPID = 4711

type arguments [6]uint64

func among(v uint64, values ...uint64) bool {
	for _, w := range values {
		if v == w {
			return true
		}
	}
	return false
}

// free are allowed whatever their arguments.
var free = []string{
	"epoll_pwait", "nanosleep", "sched_yield", "clock_gettime", "ppoll", "restart_syscall",
	"recvmsg", "sendto", "sendmsg", "write", "writev", "read", "pread64", "fstat", "close",
	"epoll_ctl", "accept4", "getsockname", "shutdown", "bind", "getdents64",
	"munmap", "getrandom", "gettid", "getpid", "sched_getaffinity", "sigaltstack",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "exit", "exit_group",
}

// A check decides by arguments, of which it looks at those of uses.
type check struct {
	uses   []int
	passes func(arch string, a arguments) bool
}

var checked = map[string]check{
	"futex": {[]int{1}, func(_ string, a arguments) bool { return a[1] == 128 || a[1] == 129 }},
	"fcntl": {[]int{1}, func(_ string, a arguments) bool { return among(a[1], 1, 2, 3, 4, 1030) }},
	"getsockopt": {[]int{1, 2}, func(_ string, a arguments) bool {
		return a[1] == 1 && a[2] == 17
	}},
	"setsockopt": {[]int{1, 2}, func(_ string, a arguments) bool {
		return a[1] == 1 && (a[2] == 20 || a[2] == 21)
	}},
	"socket": {[]int{0, 1, 2}, func(_ string, a arguments) bool {
		return a[0] == 16 && among(a[1], 3, 3|0o4000, 3|0o2000000, 3|0o2004000) && a[2] == 12
	}},
	"openat": {[]int{2}, func(arch string, a arguments) bool {
		directory, noFollow := uint64(0o200000), uint64(0o400000)
		if arch == "arm64" {
			directory, noFollow = 0o40000, 0o100000
		}
		rest := a[2]
		for _, flag := range []uint64{0o2000000, 0o4000, 0o400, directory, noFollow} {
			if rest&flag != 0 {
				rest -= flag
			}
		}
		return rest == 0
	}},
	"mmap": {[]int{2, 3}, func(_ string, a arguments) bool {
		return a[2] < 4 && a[3]&0x20 != 0 && a[3] < 0x8000 && a[3]&0x3fc5 == 0
	}},
	"mprotect": {[]int{2}, func(_ string, a arguments) bool { return a[2] < 4 }},
	"madvise":  {[]int{2}, func(_ string, a arguments) bool { return among(a[2], 4, 8, 14, 15, 25) }},
	"prctl":    {[]int{0, 1}, func(_ string, a arguments) bool { return a[0] == 0x53564d41 && a[1] == 0 }},
	"clone": {[]int{0}, func(arch string, a arguments) bool {
		if arch == "amd64" {
			return a[0] == 0xd0f00
		}
		return a[0] == 0x50f00
	}},
	"tgkill": {[]int{0}, func(_ string, a arguments) bool { return a[0] == testPID }},
	"kill":   {[]int{0}, func(_ string, a arguments) bool { return a[0] == testPID }},
}

// removes is what Config.RemoveSocket adds.
var removes = map[string]check{
	"unlinkat": {[]int{0, 2}, func(_ string, a arguments) bool { return int64(a[0]) == -100 && a[2] == 0 }},
}
