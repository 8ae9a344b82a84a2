// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"

	"golang.org/x/sys/unix"
)

// System users of every Linux (base-passwd of Debian).
const (
	privdUser, privdUID   = "daemon", 1
	frontdUser, frontdUID = "bin", 2
	strangerUID           = 3
)

// newUsersWorld starts the daemons as the packages do: as root, who makes them become
// two users. It has a network namespace, and no user namespace, where uids could not
// change.
func newUsersWorld(t *testing.T) *world {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("processes become other users here: this test needs root")
	}
	w := emptyWorld(t)
	w.Write(t, "policy.toml", everything)
	w.Write(t, "frontd.toml", "listen = [\"unix:"+w.Path("frontd.sock")+"\"]\nprivd = \""+w.Path("run/privd.sock")+
		"\"\nuser = \""+frontdUser+"\"\n[auth]\nbackend = \"none\"\n")
	for path, mode := range map[string]os.FileMode{"": 0o755, "policy.toml": 0o644, "frontd.toml": 0o644} {
		if err := os.Chmod(w.Path(path), mode); err != nil {
			t.Fatal(err)
		}
	}
	privd := daemontest.Command(daemontest.Privd, "--policy", w.Path("policy.toml"), "--socket", w.Path("run/privd.sock"),
		"--peer-user", frontdUser, "--user", privdUser, "--audit", "stderr")
	privd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	w.Privd = daemontest.StartDaemon(t, privd)
	return w
}

func TestDaemonsBecomeTheirUsers(t *testing.T) {
	t.Parallel()
	w := newUsersWorld(t)
	frontd := daemontest.Command(daemontest.Frontd, "--config", w.Path("frontd.toml"))
	frontd.SysProcAttr = &syscall.SysProcAttr{} // it must live on without the thread that starts it
	w.Frontd = daemontest.StartDaemon(t, frontd)
	s := w.login(t)
	s.rows(t, nil)
	s.want(t, 4, "no such connection", "kill", list("1"))
	wantPrivileges(t, w.Privd, capNetAdmin, fmt.Sprint(privdUID))
	wantPrivileges(t, w.Frontd, noCapability, fmt.Sprint(frontdUID))
	for path, want := range map[string]os.FileMode{"run": os.ModeDir | 0o750, "run/privd.sock": os.ModeSocket | 0o660} {
		if info, err := os.Stat(w.Path(path)); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

// TestStrangersAreTurnedAway connects to privd's socket as every user who is not served,
// root included, when nothing else but privd itself is in the way.
func TestStrangersAreTurnedAway(t *testing.T) {
	t.Parallel()
	w := newUsersWorld(t)
	if err := callAs(strangerUID, w.Path("run/privd.sock")); !errors.Is(err, unix.EACCES) {
		t.Errorf("the socket's folder lets a stranger in: %v", err)
	}
	for path, mode := range map[string]os.FileMode{"run": 0o777, "run/privd.sock": 0o777} {
		if err := os.Chmod(w.Path(path), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, uid := range []int{0, privdUID, strangerUID, 65534} {
		t.Run(fmt.Sprintf("uid %d", uid), func(t *testing.T) {
			if err := callAs(uid, w.Path("run/privd.sock")); err == nil {
				t.Error("it was served")
			} else if !errors.Is(err, errTurnedAway) {
				t.Error(err)
			}
			daemontest.WaitFor(t, "privd tells of it", func() bool { return w.Privd.Says(fmt.Sprintf("uid=%d pid=", uid)) > 0 })
		})
	}
	if err := callAs(frontdUID, w.Path("run/privd.sock")); err != nil {
		t.Errorf("the user who is to be served is not: %v", err)
	}
}

var errTurnedAway = errors.New("the connection was closed without an answer")

// callAs says hello to privd as a user: on Linux, uids belong to threads. The thread ends
// with the call.
func callAs(uid int, path string) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlock
		result <- callOnThread(uid, path)
	}()
	return <-result
}

func callOnThread(uid int, path string) error {
	for _, call := range [...]uintptr{unix.SYS_SETRESGID, unix.SYS_SETRESUID} {
		if _, _, errno := unix.RawSyscall(call, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
			return errno
		}
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	wait := unix.NsecToTimeval(daemontest.Patience.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	hello, err := ipc.Request{Op: ipc.OpHello, Purpose: ipc.PurposeControl}.Append(nil)
	if err != nil {
		return err
	}
	if err := unix.Send(fd, hello, unix.MSG_NOSIGNAL); errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return errTurnedAway
	} else if err != nil {
		return err
	}
	b := make([]byte, ipc.MaxRequest)
	n, err := unix.Read(fd, b)
	if n <= 0 && (err == nil || errors.Is(err, unix.ECONNRESET)) {
		return errTurnedAway
	}
	if err != nil {
		return err
	}
	if a, _, err := ipc.DecodeAnswer(b[:n]); err != nil || a.Op != ipc.OpHello {
		return fmt.Errorf("answer %+v, %w", a, err)
	}
	return nil
}
