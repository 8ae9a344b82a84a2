// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"
	"nuconntrack/privd"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// TestOtherUsersAreTurnedAway: whoever can open the socket and is not the one user gets
// not even an answer to hello, root included.
func TestOtherUsersAreTurnedAway(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, who alone can be several users")
	}
	readSources(t)
	overflow, err := privd.OverflowUID()
	if err != nil {
		t.Fatal(err)
	}
	// The helper dies with the thread that starts it; this one must not be taken by asUser.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const served = 61_234
	h := startHelper(t, fmt.Sprintf(rules, 1000, 1000, 1.0), served, syscall.CLONE_NEWNET)
	// The file's mode is the first fence; this test is about the second.
	if err := os.Chmod(h.socket, 0o777); err != nil {
		t.Fatal(err)
	}
	target := nstest.Target(unix.IPPROTO_TCP, "10.0.0.1:1000", "10.0.0.2:80")
	hello := request(t, ipc.Request{Op: ipc.OpHello, Purpose: ipc.PurposeControl})
	kill := request(t, ipc.Request{Op: ipc.OpKill, Target: target})
	for _, c := range []struct {
		name string
		uid  int
	}{
		{"root", 0},
		{"another user", served + 1},
		{"the overflow uid", int(overflow)},
		{"the greatest uid", 1<<32 - 2},
	} {
		for name, p := range map[string][]byte{"hello": hello, "kill": kill, "nonsense": {1, 2, 3}} {
			t.Run(c.name+" says "+name, func(t *testing.T) {
				answer, err := asUser(c.uid, func() ([]byte, error) { return say(h.socket, p) })
				if !errors.Is(err, errClosed) {
					t.Errorf("uid %d gets %x, %v, want the end of the connection", c.uid, answer, err)
				}
			})
		}
	}
	if answer, err := asUser(served, func() ([]byte, error) { return say(h.socket, hello) }); err != nil {
		t.Errorf("the user who is served gets %x, %v", answer, err)
	}
	h.stop()
	h.wantQuiet(t)
	if h.ledger.intents != 0 {
		t.Errorf("%d attempts", h.ledger.intents)
	}
}

// say connects, sends a packet and reads what comes.
func say(socket string, p []byte) ([]byte, error) {
	l, err := dial(socket)
	if err != nil {
		return nil, err
	}
	defer l.close()
	if err := l.send(p, nil, daemontest.Patience); err != nil {
		return nil, err
	}
	return l.receive(daemontest.Patience)
}

// asUser does something on a thread that belongs to another user, and ends the thread.
// The kernel takes the peer's credentials from the thread that connects.
func asUser(uid int, do func() ([]byte, error)) (answer []byte, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		id := uintptr(uid)
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, id, id, id); errno != 0 {
			err = fmt.Errorf("become uid %d: %w", uid, errno)
			return
		}
		answer, err = do()
	}()
	<-done
	return answer, err
}
