// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Config says what the filter allows beyond what privd always needs.
type Config struct {
	// RemoveSocket allows to remove files, as far as their permissions let this user:
	// a path cannot be checked. A helper that made its socket by itself needs it to take
	// the socket away at the end; one that has it from systemd does not.
	RemoveSocket bool
}

// Program is the filter for this process on the machine that it was built for. It holds
// the process id: a filter that was made in another process fits that one only.
func Program(cfg Config) ([]unix.SockFilter, error) {
	m, ok := machines[runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("build seccomp filter: there is none for %s", runtime.GOARCH)
	}
	return assemble(m, rules(m, cfg, os.Getpid()))
}

// Install puts the filter over all threads, those that are started later included, and
// shows by /proc that it is there. It cannot be undone, and a second call is forbidden
// by the filter itself.
//
// Before it all sockets but netlink must be open, and Go's network poller must be
// running, which a listener or a timer sees to. The process needs no_new_privs, or
// CAP_SYS_ADMIN. After an error the filter may be in place or not: the process has to end.
func Install(cfg Config) error {
	if withCgo {
		return errors.New("install seccomp filter: this program was built with cgo, whose threads it would kill (CGO_ENABLED=0)")
	}
	program, err := Program(cfg)
	if err != nil {
		return err
	}
	// A kernel that does not know the action would end the one thread only.
	action := uint32(unix.SECCOMP_RET_KILL_PROCESS)
	if _, err := seccomp(unix.SECCOMP_GET_ACTION_AVAIL, 0, unsafe.Pointer(&action)); err != nil {
		return fmt.Errorf("install seccomp filter: %w", explained(err))
	}
	// Reading /proc also makes the runtime start its poller, if nothing did so before.
	if _, err := ReadStatus(); err != nil {
		return fmt.Errorf("install seccomp filter: %w", err)
	}
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	thread, err := seccomp(unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, unsafe.Pointer(&fprog))
	switch {
	case err != nil:
		return fmt.Errorf("install seccomp filter: %w", explained(err))
	case thread != 0:
		return fmt.Errorf("install seccomp filter: thread %d has a filter of its own", thread)
	}
	status, err := ReadStatus()
	if err != nil {
		return fmt.Errorf("assert that the seccomp filter is there: %w", err)
	}
	if status.Filtered != status.Threads {
		return fmt.Errorf("assert that the seccomp filter is there: on %d of %d threads", status.Filtered, status.Threads)
	}
	return nil
}

// seccomp gives the thread that could not take the filter over, and then no error.
func seccomp(operation, flags uintptr, arg unsafe.Pointer) (thread uintptr, err error) {
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, operation, flags, uintptr(arg))
	if errno != 0 {
		return 0, errno
	}
	return r, nil
}

// explained says what the kernel means, see seccomp(2).
func explained(err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: this kernel lacks seccomp filters (CONFIG_SECCOMP_FILTER)", err)
	case errors.Is(err, unix.EOPNOTSUPP):
		return fmt.Errorf("%w: this kernel cannot kill a process from a filter (it is older than Linux 4.14)", err)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: no_new_privs is not set", err)
	}
	return err
}
