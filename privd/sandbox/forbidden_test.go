// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"net"
	"os"
	"os/exec"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

const testFile = "/dev/null"

// raw makes a system call as it is, without what Go makes of its result.
func raw(number uintptr, args ...uintptr) victim {
	return plain(func() { rawCall(number, args...) })
}

func rawCall(number uintptr, args ...uintptr) uintptr {
	var a [6]uintptr
	copy(a[:], args)
	r, _, _ := unix.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	return r
}

// page is a page of memory of the victim's, made before the filter.
func page(do func(p []byte)) victim {
	return func() (Config, func()) {
		p, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		must(err)
		return Config{}, func() { do(p) }
	}
}

// signalZero sends signal 0 to what another process is.
func signalZero(number uintptr, target func() int) victim {
	return func() (Config, func()) {
		pid := uintptr(target())
		return Config{}, func() { rawCall(number, pid, pid, 0) }
	}
}

func socket(family, kind, protocol int) victim {
	return raw(unix.SYS_SOCKET, uintptr(family), uintptr(kind), uintptr(protocol))
}

func mmap(prot, flags, fd int) victim {
	return raw(unix.SYS_MMAP, 0, 4096, uintptr(prot), uintptr(flags), uintptr(fd))
}

func open(flags int) victim {
	return plain(func() { _, _ = unix.Open(testFile, flags, 0o600) })
}

func clone(flags uintptr) victim {
	return plain(func() {
		if rawCall(unix.SYS_CLONE, flags) == 0 {
			unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
		}
	})
}

// forbidden are calls that would do something, or tell by an error why they did not.
func forbidden() map[string]victim {
	const anonymous = unix.MAP_PRIVATE | unix.MAP_ANON
	all := map[string]victim{
		"socket AF_INET":          socket(unix.AF_INET, unix.SOCK_STREAM, 0),
		"socket AF_INET6 UDP":     socket(unix.AF_INET6, unix.SOCK_DGRAM, 0),
		"socket AF_UNIX":          socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0),
		"socket AF_PACKET":        socket(unix.AF_PACKET, unix.SOCK_RAW, 0),
		"socket AF_VSOCK":         socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0),
		"socket NETLINK_ROUTE":    socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE),
		"socket NETLINK_GENERIC":  socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_GENERIC),
		"socket netlink datagram": socket(unix.AF_NETLINK, unix.SOCK_DGRAM, unix.NETLINK_NETFILTER),
		"socketpair":              raw(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM),
		"connect":                 raw(unix.SYS_CONNECT, 0),
		"listen":                  raw(unix.SYS_LISTEN, 0),
		"setsockopt SO_ATTACH_FILTER": raw(unix.SYS_SETSOCKOPT,
			0, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER),
		"setsockopt SO_RCVBUFFORCE": raw(unix.SYS_SETSOCKOPT, 0, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE),
		"setsockopt of netlink":     raw(unix.SYS_SETSOCKOPT, 0, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP),
		"dial by net": plain(func() {
			_, _ = net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
		}),

		"execve":                  raw(unix.SYS_EXECVE),
		"execveat":                raw(unix.SYS_EXECVEAT),
		"program by os/exec":      plain(func() { _ = exec.Command("/bin/true").Run() }),
		"fork":                    clone(uintptr(unix.SIGCHLD)),
		"clone a namespace":       clone(unix.CLONE_NEWUSER | uintptr(unix.SIGCHLD)),
		"clone a thread and more": clone(uintptr(machines["amd64"].threads | unix.CLONE_PARENT)),
		"clone3":                  raw(unix.SYS_CLONE3),
		"unshare":                 raw(unix.SYS_UNSHARE, unix.CLONE_NEWUSER),
		"setns":                   raw(unix.SYS_SETNS),

		"mmap PROT_EXEC":   mmap(unix.PROT_READ|unix.PROT_EXEC, anonymous, -1),
		"mmap all rights":  mmap(unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, anonymous, -1),
		"mmap a file":      mmap(unix.PROT_READ, unix.MAP_PRIVATE, 0),
		"mmap shared":      mmap(unix.PROT_READ, unix.MAP_SHARED|unix.MAP_ANON, -1),
		"mmap high bits":   plain(func() { rawCall(unix.SYS_MMAP, 0, 4096, 1<<32, anonymous) }),
		"mremap":           raw(unix.SYS_MREMAP),
		"remap_file_pages": raw(unix.SYS_REMAP_FILE_PAGES),
		"pkey_mprotect":    raw(unix.SYS_PKEY_MPROTECT),
		"shmat":            raw(unix.SYS_SHMAT),
		"memfd_create":     raw(unix.SYS_MEMFD_CREATE),
		"userfaultfd":      raw(unix.SYS_USERFAULTFD),
		"personality":      raw(unix.SYS_PERSONALITY, 0x0400000), // READ_IMPLIES_EXEC
		"mprotect PROT_EXEC": page(func(p []byte) {
			_ = unix.Mprotect(p, unix.PROT_READ|unix.PROT_EXEC)
		}),
		"madvise MADV_HWPOISON": page(func(p []byte) { _ = unix.Madvise(p, unix.MADV_HWPOISON) }),
		"futex requeue": page(func(p []byte) {
			rawCall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&p[0])), 12) // FUTEX_CMP_REQUEUE_PI
		}),

		"open to write":   open(unix.O_WRONLY),
		"open for both":   open(unix.O_RDWR),
		"open to append":  open(unix.O_RDONLY | unix.O_APPEND),
		"open to cut":     open(unix.O_RDONLY | unix.O_TRUNC),
		"open to make":    open(unix.O_RDONLY | unix.O_CREAT),
		"open without it": open(unix.O_PATH),
		"open a new file": plain(func() { _, _ = os.Create("/tmp/nuconntrack-victim") }),
		"open temporary":  open(unix.O_TMPFILE | unix.O_RDWR),
		"open own memory": plain(func() { _, _ = os.OpenFile("/proc/self/mem", os.O_RDWR, 0) }),
		"openat2":         raw(unix.SYS_OPENAT2),
		"remove":          plain(func() { _ = os.Remove("/nuconntrack-victim") }),
		"rename":          plain(func() { _ = os.Rename("/nuconntrack-victim", "/nuconntrack-victim-2") }),
		"link":            plain(func() { _ = os.Link("/nuconntrack-victim", "/nuconntrack-victim-2") }),
		"make a folder":   plain(func() { _ = os.Mkdir("/proc/nuconntrack-victim", 0o700) }),
		"change mode":     plain(func() { _ = os.Chmod("/nuconntrack-victim", 0o777) }),
		"change owner":    plain(func() { _ = os.Chown("/nuconntrack-victim", 0, 0) }),
		"make a node":     raw(unix.SYS_MKNODAT),
		"change root":     raw(unix.SYS_CHROOT),
		"ftruncate":       raw(unix.SYS_FTRUNCATE, 1),

		"fcntl F_SETOWN":        raw(unix.SYS_FCNTL, 0, unix.F_SETOWN),
		"fcntl F_SETLK":         raw(unix.SYS_FCNTL, 0, unix.F_SETLK),
		"ioctl TIOCSTI":         raw(unix.SYS_IOCTL, 0, unix.TIOCSTI),
		"ioctl of an interface": raw(unix.SYS_IOCTL, 0, unix.SIOCSIFFLAGS),

		"ptrace":            raw(unix.SYS_PTRACE),
		"process_vm_writev": raw(unix.SYS_PROCESS_VM_WRITEV),
		"process_vm_readv":  raw(unix.SYS_PROCESS_VM_READV),
		"pidfd_open":        raw(unix.SYS_PIDFD_OPEN, 1),
		"pidfd_send_signal": raw(unix.SYS_PIDFD_SEND_SIGNAL),
		"kill the parent":   signalZero(unix.SYS_KILL, os.Getppid),
		"kill init":         signalZero(unix.SYS_KILL, func() int { return 1 }),
		"kill the group":    signalZero(unix.SYS_KILL, func() int { return 0 }),
		"kill everybody":    signalZero(unix.SYS_KILL, func() int { return -1 }),
		"kill own group":    signalZero(unix.SYS_KILL, func() int { return -os.Getpid() }),
		"tgkill the parent": signalZero(unix.SYS_TGKILL, os.Getppid),
		"tkill":             signalZero(unix.SYS_TKILL, os.Getpid),
		"rt_sigqueueinfo":   signalZero(unix.SYS_RT_SIGQUEUEINFO, os.Getpid),

		"setuid":              raw(unix.SYS_SETUID),
		"setgid":              raw(unix.SYS_SETGID),
		"setgroups":           raw(unix.SYS_SETGROUPS),
		"capset":              raw(unix.SYS_CAPSET),
		"prctl a capability":  raw(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_NET_ADMIN),
		"prctl to be dumped":  raw(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1),
		"prctl seccomp":       raw(unix.SYS_PRCTL, unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER),
		"another filter":      plain(func() { _ = Install(Config{}) }),
		"prlimit64":           raw(unix.SYS_PRLIMIT64),
		"sched_setscheduler":  raw(unix.SYS_SCHED_SETSCHEDULER),
		"mount":               raw(unix.SYS_MOUNT),
		"move_mount":          raw(unix.SYS_MOVE_MOUNT),
		"pivot_root":          raw(unix.SYS_PIVOT_ROOT),
		"bpf":                 raw(unix.SYS_BPF),
		"perf_event_open":     raw(unix.SYS_PERF_EVENT_OPEN),
		"keyctl":              raw(unix.SYS_KEYCTL),
		"add_key":             raw(unix.SYS_ADD_KEY),
		"io_uring_setup":      raw(unix.SYS_IO_URING_SETUP, 1),
		"io_setup":            raw(unix.SYS_IO_SETUP),
		"splice":              raw(unix.SYS_SPLICE),
		"init_module":         raw(unix.SYS_INIT_MODULE),
		"finit_module":        raw(unix.SYS_FINIT_MODULE),
		"kexec_load":          raw(unix.SYS_KEXEC_LOAD),
		"reboot":              raw(unix.SYS_REBOOT),
		"clock_settime":       raw(unix.SYS_CLOCK_SETTIME),
		"sethostname":         raw(unix.SYS_SETHOSTNAME),
		"name_to_handle_at":   raw(unix.SYS_NAME_TO_HANDLE_AT),
		"timer_create":        raw(unix.SYS_TIMER_CREATE),
		"uname":               raw(unix.SYS_UNAME),
		"a number of no call": raw(5000),
		"the last number":     raw(^uintptr(0)),
		"CPU profile":         plain(profile),
		"socket not to keep":  ownSocket(false),
		"call on new threads": plain(func() { onNewThread(func() { rawCall(unix.SYS_GETPPID) }) }),
	}
	return all
}

func TestForbiddenCallsKill(t *testing.T) {
	cases := forbidden()
	for name := range foreign() {
		cases[name] = nil
	}
	for _, as := range identities(t) {
		for name := range cases {
			t.Run(as+"/"+name, func(t *testing.T) {
				t.Parallel()
				path := t.TempDir() + "/socket"
				p := start(t, name, as, func(c *exec.Cmd) { c.Env = append(c.Env, pathVariable+"="+path) })
				p.wantKilled(t)
			})
		}
	}
}

func TestNothingForbidden(t *testing.T) {
	for _, as := range identities(t) {
		start(t, "nothing", as, nil).wantDone(t)
	}
}
