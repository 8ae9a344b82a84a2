// SPDX-License-Identifier: GPL-2.0-or-later

package privd_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"nuconntrack/ipc"
	"nuconntrack/privd"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

const patience = time.Minute // of a test for what has to come

func TestWhatBreaksTheProtocolClosesTheConnection(t *testing.T) {
	target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	kill := packet(t, ipc.Request{Op: ipc.OpKill, Target: target, Actor: actor})
	stats := packet(t, ipc.Request{Op: ipc.OpStats})
	dump := packet(t, ipc.Request{Op: ipc.OpDump})
	control := packet(t, ipc.Request{Op: ipc.OpHello, Purpose: ipc.PurposeControl})
	with := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	const fresh = ipc.Purpose(0)
	for _, c := range []struct {
		name   string
		after  ipc.Purpose // hello; fresh: none
		packet []byte
	}{
		{"kill before hello", fresh, kill},
		{"stats before hello", fresh, stats},
		{"dump before hello", fresh, dump},
		{"hello for nothing", fresh, with(control, 24, 0)},
		{"hello for everything", fresh, with(control, 24, 3)},
		{"hello of another version", fresh, with(control, 2, 2)},
		{"hello twice", ipc.PurposeControl, control},
		{"hello twice for dumps", ipc.PurposeDump, control},
		{"dump on control", ipc.PurposeControl, dump},
		{"kill on dump", ipc.PurposeDump, kill},
		{"stats on dump", ipc.PurposeDump, stats},
		{"truncated", ipc.PurposeControl, kill[:len(kill)-1]},
		{"header alone", ipc.PurposeControl, kill[:24]},
		{"one byte", ipc.PurposeControl, kill[:1]},
		{"too long", ipc.PurposeControl, append(bytes.Clone(kill), 0)},
		{"huge", ipc.PurposeControl, append(bytes.Clone(kill), make([]byte, 60000)...)},
		{"unknown operation", ipc.PurposeControl, with(stats, 3, 6)},
		{"operation 0", ipc.PurposeControl, with(stats, 3, 0)},
		{"an answer", ipc.PurposeControl, with(stats, 4, 1)},
		{"reserved byte", ipc.PurposeControl, with(kill, 26, 1)},
		{"newline in a name", ipc.PurposeControl, with(kill, 24+88+8, '\n')},
		{"random", ipc.PurposeControl, bytes.Repeat([]byte{0xa5}, 248)},
		{"empty", ipc.PurposeControl, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newFakeKernel()
			k.put(fakeEntry{target: target})
			h := startHelper(t, privd.Config{Table: k, Reader: k})
			conn := dial(t, h)
			if c.after != fresh {
				conn = hello(t, h, c.after)
			}
			if len(c.packet) == 0 {
				err := sendmsg(conn, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
			} else {
				send(t, conn, c.packet)
			}
			wantClosed(t, conn)
			wantServing(t, h)
			if len(k.held()) != 1 || k.count("get") != 0 || len(h.audit.all()) != 0 {
				t.Error("it was not left at that")
			}
		})
	}
}

// sendmsg sends what Write would not.
func sendmsg(c *net.UnixConn, b, control []byte) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) { sent = unix.Sendmsg(int(fd), b, control, nil, 0) }); err != nil {
		return err
	}
	return sent
}

func TestDescriptorsAreRefused(t *testing.T) {
	h := startHelper(t, privd.Config{Table: newFakeKernel()})
	c := hello(t, h, ipc.PurposeControl)
	before := descriptors(t)
	if err := sendmsg(c, packet(t, ipc.Request{Op: ipc.OpStats}), unix.UnixRights(0, 0, 0)); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, c)
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors are open, before there were %d", after, before)
	}
	wantServing(t, h)
}

func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// What is malformed empties the bucket too.
func TestMalformedPacketsCost(t *testing.T) {
	target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	k := newFakeKernel()
	k.put(fakeEntry{target: target})
	slow := strings.Replace(allowAll, "[kill]", "[kill]\nrate = 0.001\nburst = 2", 1)
	logged, began := &lockedBuffer{}, time.Now()
	// A place is free a moment after its connection is closed.
	h := startHelper(t, privd.Config{Table: k, Rules: rules(t, slow), Log: slog.New(slog.NewTextHandler(logged, nil)),
		Limits: privd.Limits{Connections: 200}})
	for range 100 {
		c := dial(t, h)
		send(t, c, []byte("nonsense"))
		wantClosed(t, c)
	}
	// The charge may come a moment after the closing.
	for ask(t, h.client, target, &ipc.Change{Field: ipc.FieldMark, Value: 0, Mask: 0xffffffff}).Outcome != ipc.Limited {
	}
	if got := ask(t, h.client, target, nil); got.Outcome != ipc.Limited {
		t.Errorf("outcome %s, want limited", got.Outcome)
	}
	for deadline := time.Now().Add(patience); logged.String() == "" && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	// 20 at once, and one in five seconds.
	most := 21 + int(time.Since(began)/(5*time.Second))
	if n := strings.Count(logged.String(), "\n"); n == 0 || n > most {
		t.Errorf("%d lines in the log for 100 malformed packets, want some, and no more than %d", n, most)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestOthersAreTurnedAway(t *testing.T) {
	h := startHelper(t, privd.Config{Table: newFakeKernel(), PeerUID: uint32(os.Getuid()) + 1})
	c := dial(t, h)
	// It may be closed before or after this.
	c.Write(packet(t, ipc.Request{Op: ipc.OpHello, Purpose: ipc.PurposeControl}))
	wantClosed(t, c)
	if _, err := h.client.Stats(t.Context()); !errors.Is(err, ipc.ErrUnavailable) {
		t.Errorf("stats for a stranger: %v", err)
	}
}

func TestOverflowUIDCannotBeServed(t *testing.T) {
	overflow, err := privd.OverflowUID()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := privd.New(privd.Config{PeerUID: overflow, Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("the overflow uid is accepted as the peer's")
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	h := startHelper(t, privd.Config{Table: newFakeKernel(), Limits: privd.Limits{Connections: 3}})
	var held []*net.UnixConn
	for range 3 {
		held = append(held, hello(t, h, ipc.PurposeControl))
	}
	extra := dial(t, h)
	wantClosed(t, extra)
	send(t, held[0], packet(t, ipc.Request{Op: ipc.OpStats, Seq: 7}))
	if a := answer(t, held[0]); a.Seq != 7 {
		t.Errorf("answer %+v on a connection that was there", a)
	}
	held[1].Close()
	// The place is free a moment after it is closed.
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if _, err := h.client.Stats(t.Context()); err == nil {
			return
		}
	}
	t.Error("a place that was given up is not given to another")
}

func TestSilenceEndsAConnection(t *testing.T) {
	h := startHelper(t, privd.Config{Table: newFakeKernel(), Limits: privd.Limits{Hello: 20 * time.Millisecond}})
	wantClosed(t, dial(t, h))
	h = startHelper(t, privd.Config{Table: newFakeKernel(), Limits: privd.Limits{Idle: 20 * time.Millisecond}})
	wantClosed(t, hello(t, h, ipc.PurposeControl))
	wantClosed(t, hello(t, h, ipc.PurposeDump))
}

// A peer that asks and never reads is dropped, and others are not delayed by it.
func TestPeerThatDoesNotReadIsDropped(t *testing.T) {
	stats := packet(t, ipc.Request{Op: ipc.OpStats})
	withTime(t, 50*time.Millisecond, func(limit time.Duration) error {
		h := startHelper(t, privd.Config{Table: newFakeKernel(), Limits: privd.Limits{Write: limit}})
		c, err := tryHello(t, h, ipc.PurposeControl)
		if err != nil {
			return err
		}
		if err := c.SetDeadline(time.Now().Add(limit + patience)); err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = c.Write(stats)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the helper waits for its peer without end")
		}
		_, err = h.client.Stats(t.Context())
		return err
	})
}

// Answers come in the order of the requests, however many are in flight.
func TestManyInFlight(t *testing.T) {
	h := startHelper(t, privd.Config{Table: newFakeKernel()})
	c := hello(t, h, ipc.PurposeControl)
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		for seq := range uint64(ipc.MaxInFlight) {
			b, err := ipc.Request{Op: ipc.OpStats, Seq: seq}.Append(nil)
			if err == nil {
				_, err = c.Write(b)
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	for seq := range uint64(ipc.MaxInFlight) {
		if a := answer(t, c); a.Seq != seq || a.Op != ipc.OpStats {
			t.Fatalf("answer %d of %s, want %d", a.Seq, a.Op, seq)
		}
	}
}

func TestIdleExit(t *testing.T) {
	idle := 30 * time.Millisecond
	h := startHelper(t, privd.Config{Table: newFakeKernel(), IdleExit: idle})
	c, err := tryHello(t, h, ipc.PurposeControl)
	for ; err != nil && idle < patience; c, err = tryHello(t, h, ipc.PurposeControl) {
		// It may have left before anybody came: then only a longer time is of use.
		if err := <-h.ended; err != nil {
			t.Fatal(err)
		}
		idle *= 2
		h = startHelper(t, privd.Config{Table: newFakeKernel(), IdleExit: idle})
	}
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(3 * idle); time.Now().Before(deadline); {
		send(t, c, packet(t, ipc.Request{Op: ipc.OpStats}))
		answer(t, c) // it stays while somebody is connected
	}
	c.Close()
	select {
	case err := <-h.ended:
		if err != nil {
			t.Errorf("idle exit: %v", err)
		}
	case <-time.After(patience):
		t.Error("the helper does not leave")
	}
}

func TestStopAnswersWhatIsUnderWay(t *testing.T) {
	target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	k := newFakeKernel()
	k.put(fakeEntry{target: target})
	reached, goOn := make(chan struct{}), make(chan struct{})
	k.before = at("delete", 1, func(*fakeKernel) error {
		close(reached)
		<-goOn
		return nil
	})
	h := startHelper(t, privd.Config{Table: k})
	c := hello(t, h, ipc.PurposeControl)
	kill := packet(t, ipc.Request{Op: ipc.OpKill, Target: target, Actor: actor})
	send(t, c, kill)
	<-reached
	send(t, c, kill, kill, kill) // nobody looks at them, and the answer to the first comes all the same
	h.stop()
	close(goOn)
	if err := <-h.ended; err != nil {
		t.Fatal(err)
	}
	if a := answer(t, c); a.Result.Outcome != ipc.Killed {
		t.Errorf("outcome %s", a.Result.Outcome)
	}
	wantClosed(t, c)
	if n := len(h.audit.all()); n != 2 {
		t.Errorf("%d audit entries, want 2", n)
	}
}
