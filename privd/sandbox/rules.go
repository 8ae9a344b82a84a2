// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"math"

	"golang.org/x/sys/unix"
)

// Values that x/sys does not have.
const (
	futexWaitPrivate = 128 // FUTEX_WAIT | FUTEX_PRIVATE_FLAG
	futexWakePrivate = 129 // FUTEX_WAKE | FUTEX_PRIVATE_FLAG
)

// atCWD is AT_FDCWD, -100, as Go's system calls pass it.
const atCWD = math.MaxUint64 - 99

// A call is a system call's number by machine.numbers.
type call [columns]uint32

// rules are all that is allowed: what Go's runtime does once it runs, and what privd
// does with the descriptors it has. The most frequent come first.
func rules(m machine, cfg Config, pid int) []rule {
	var list []rule
	allow := func(c call, when ...[]argument) {
		list = append(list, rule{number: c[m.numbers], when: when})
	}
	own := uint64(pid)

	// Waiting, and threads that wake each other. No priority inheritance, no requeueing:
	// that is where the futex's bugs were.
	allow(call{202, 98}, // futex
		all(is(1, futexWaitPrivate)), all(is(1, futexWakePrivate)))
	allow(call{281, 22})  // epoll_pwait
	allow(call{35, 101})  // nanosleep
	allow(call{24, 124})  // sched_yield
	allow(call{228, 113}) // clock_gettime, where the vDSO has to ask the kernel
	allow(call{271, 73})  // ppoll
	allow(call{219, 128}) // restart_syscall: the kernel's own, for waiting after a stop

	// Descriptors that are open.
	allow(call{47, 212})  // recvmsg
	allow(call{44, 206})  // sendto
	allow(call{46, 211})  // sendmsg
	allow(call{1, 64})    // write
	allow(call{20, 66})   // writev
	allow(call{0, 63})    // read
	allow(call{17, 67})   // pread64
	allow(call{5, 80})    // fstat
	allow(call{3, 57})    // close
	allow(call{233, 21})  // epoll_ctl
	allow(call{288, 242}) // accept4
	allow(call{51, 204})  // getsockname
	allow(call{48, 210})  // shutdown
	allow(call{72, 25},   // fcntl: no owner for signals, no leases, no locks, no pipe sizes
		all(is(1, unix.F_GETFL)), all(is(1, unix.F_SETFL)),
		all(is(1, unix.F_GETFD)), all(is(1, unix.F_SETFD)), all(is(1, unix.F_DUPFD_CLOEXEC)))
	allow(call{55, 209}, // getsockopt: who the peer is
		all(is(1, unix.SOL_SOCKET), is(2, unix.SO_PEERCRED)))

	// A netlink socket that failed is opened again.
	allow(call{41, 198}, all( // socket
		is(0, unix.AF_NETLINK),
		onlyBeside(1, unix.SOCK_RAW, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK),
		is(2, unix.NETLINK_NETFILTER)))
	allow(call{49, 200}) // bind
	allow(call{54, 208}, // setsockopt: no BPF programs, no sizes beyond the limits
		all(is(1, unix.SOL_SOCKET), is(2, unix.SO_RCVTIMEO)),
		all(is(1, unix.SOL_SOCKET), is(2, unix.SO_SNDTIMEO)))

	// The policy file at SIGHUP, and /proc to see that this filter is there. With no other
	// flags a file can only be read: O_RDONLY is zero.
	allow(call{257, 56}, all( // openat
		only(2, unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY|m.directory|m.noFollow)))
	allow(call{217, 61}) // getdents64
	if cfg.RemoveSocket {
		allow(call{263, 35}, all(is(0, atCWD), is(2, 0))) // unlinkat
	}
	return append(list, runtimeRules(m, own)...)
}

// runtimeRules are what is left of Go's runtime: memory, threads, signals and the end.
func runtimeRules(m machine, own uint64) []rule {
	var list []rule
	allow := func(c call, when ...[]argument) {
		list = append(list, rule{number: c[m.numbers], when: when})
	}
	// Memory is that of no file, and never executable. MAP_DROPPABLE is for getrandom in
	// the vDSO.
	const protection = unix.PROT_READ | unix.PROT_WRITE
	allow(call{9, 222}, all( // mmap
		only(2, protection),
		onlyBeside(3, unix.MAP_ANONYMOUS, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE|unix.MAP_DROPPABLE)))
	allow(call{10, 226}, all(only(2, protection))) // mprotect
	allow(call{11, 215})                           // munmap
	allow(call{28, 233},                           // madvise
		all(is(2, unix.MADV_DONTNEED)), all(is(2, unix.MADV_FREE)), all(is(2, unix.MADV_HUGEPAGE)),
		all(is(2, unix.MADV_NOHUGEPAGE)), all(is(2, unix.MADV_COLLAPSE)))
	allow(call{157, 167}, all( // prctl: the runtime gives its memory names
		is(0, unix.PR_SET_VMA), is(1, unix.PR_SET_VMA_ANON_NAME)))
	allow(call{318, 278}) // getrandom

	// Threads of this process and no others; clone3 hides its flags behind a pointer.
	allow(call{56, 220}, all(is(0, m.threads))) // clone
	allow(call{186, 178})                       // gettid
	allow(call{39, 172})                        // getpid
	allow(call{204, 123})                       // sched_getaffinity: GOMAXPROCS follows it
	allow(call{131, 132})                       // sigaltstack

	// Signals, to this process alone: preemption, and a fatal one after a panic's trace.
	allow(call{234, 131}, all(is(0, own))) // tgkill
	allow(call{62, 129}, all(is(0, own)))  // kill
	allow(call{13, 134})                   // rt_sigaction
	allow(call{14, 135})                   // rt_sigprocmask
	allow(call{15, 139})                   // rt_sigreturn
	allow(call{60, 93})                    // exit
	allow(call{231, 94})                   // exit_group
	return list
}

func all(arguments ...argument) []argument { return arguments }

// is wants the argument to have the value.
func is(index int, value uint64) argument {
	return argument{index: index, mask: math.MaxUint64, value: value}
}

// only wants the argument to have no other bits.
func only(index int, bits uint64) argument {
	return argument{index: index, mask: ^bits}
}

// onlyBeside wants the argument to have the value, and beside it no other bits.
func onlyBeside(index int, value, bits uint64) argument {
	return argument{index: index, mask: ^bits, value: value}
}
