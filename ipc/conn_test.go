// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// helper is the other end of a test: it accepts connections and gives each to serve.
type helper struct {
	path     string
	listener *net.UnixListener
	accepted atomic.Int32
	wg       sync.WaitGroup
}

func listen(t *testing.T, serve func(*ServerConn)) *helper {
	t.Helper()
	h := &helper{path: filepath.Join(t.TempDir(), "s")}
	var err error
	h.listener, err = net.ListenUnix("unixpacket", &net.UnixAddr{Name: h.path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	h.wg.Add(1)
	go func() {
		defer h.wg.Done()
		for {
			conn, err := h.listener.AcceptUnix()
			if err != nil {
				return
			}
			h.accepted.Add(1)
			h.wg.Add(1)
			go func() {
				defer h.wg.Done()
				defer conn.Close()
				sc, err := NewServerConn(conn)
				if err != nil {
					t.Error(err)
					return
				}
				serve(sc)
			}()
		}
	}()
	t.Cleanup(func() { h.listener.Close(); h.wg.Wait() })
	return h
}

// patience is how long is waited for what comes at once where nothing is wrong.
const patience = time.Minute

func (h *helper) client(t *testing.T, cfg ClientConfig) *Client {
	cfg.Path = h.path
	if cfg.Timeout == 0 {
		cfg.Timeout = patience
	}
	c := NewClient(cfg)
	t.Cleanup(func() { c.Close() })
	return c
}

// answering serves hello and then gives every request to f until it says no.
func answering(f func(*ServerConn, Request) bool) func(*ServerConn) {
	return func(c *ServerConn) {
		for {
			r, err := c.ReadRequest(time.Time{})
			if err != nil {
				return
			}
			if r.Op == OpHello {
				err = c.WriteAnswer(Answer{Op: OpHello, Seq: r.Seq, MaxInFlight: 8}, time.Time{})
			} else if !f(c, r) {
				return
			}
			if err != nil {
				return
			}
		}
	}
}

func echo(c *ServerConn, r Request) bool {
	v := r.Target.ID
	a := Answer{Op: r.Op, Seq: r.Seq}
	if r.Op == OpKill || r.Op == OpChange {
		a.Result = Result{Outcome: Killed, Old: &v}
	}
	return c.WriteAnswer(a, time.Time{}) == nil
}

func TestManyInFlight(t *testing.T) {
	h := listen(t, answering(echo))
	c := h.client(t, ClientConfig{})
	var wg sync.WaitGroup
	for id := range uint32(500) {
		wg.Go(func() {
			target := tcpTarget()
			target.ID = id
			r, err := c.Kill(t.Context(), target, somebody())
			if err != nil || r.Outcome != Killed || *r.Old != id {
				t.Errorf("kill of %d answered %+v, %v", id, r, err)
			}
		})
	}
	wg.Wait()
	if n := h.accepted.Load(); n != 1 {
		t.Errorf("%d connections for one client", n)
	}
}

func TestIdleConnectionCloses(t *testing.T) {
	var questions atomic.Int32
	left := make(chan struct{})
	closeLeft := sync.OnceFunc(func() { close(left) })
	h := listen(t, func(c *ServerConn) {
		asked := false
		answering(func(c *ServerConn, r Request) bool {
			asked = true
			questions.Add(1)
			return echo(c, r)
		})(c)
		if asked {
			closeLeft()
		}
	})
	c := h.client(t, ClientConfig{IdleTimeout: time.Millisecond})
	ask := func() error {
		for {
			// The idle time may be over before the first request is on its way, as often as the
			// machine is busy with other things just then.
			if _, err := c.Stats(t.Context()); !errors.Is(err, errNotSent) {
				return err
			}
		}
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	<-left
	if err := ask(); err != nil {
		t.Errorf("after the idle time: %v", err)
	}
	if n := questions.Load(); n != 2 {
		t.Errorf("2 questions were asked %d times", n)
	}
}

func TestCallerLeaves(t *testing.T) {
	release := make(chan struct{})
	h := listen(t, answering(func(c *ServerConn, r Request) bool {
		if r.Op == OpKill {
			<-release
		}
		return echo(c, r)
	}))
	c := h.client(t, ClientConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := c.Kill(ctx, tcpTarget(), somebody()); done <- err }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnavailable) {
		t.Errorf("error of a caller who left: %v", err)
	}
	close(release)
	if _, err := c.Stats(t.Context()); err != nil {
		t.Errorf("the next caller: %v", err)
	}
}

func TestDump(t *testing.T) {
	data := make([]byte, MaxDumpData)
	for i := range data {
		data[i] = byte(i)
	}
	h := listen(t, answering(func(c *ServerConn, r Request) bool {
		for range 3 {
			if err := c.WriteData(r.Seq, data, time.Time{}); err != nil {
				return false
			}
		}
		return c.WriteAnswer(Answer{Op: OpDump, Seq: r.Seq, End: DumpEnd{Bytes: 3 * MaxDumpData}}, time.Time{}) == nil
	}))
	c := h.client(t, ClientConfig{})
	var got int
	end, err := c.Dump(t.Context(), func(b []byte) error {
		if string(b) != string(data) {
			return errors.New("other bytes than were sent")
		}
		got += len(b)
		return nil
	})
	if err != nil || got != 3*MaxDumpData || end.Bytes != 3*MaxDumpData {
		t.Errorf("dump gave %d bytes, %+v, %v", got, end, err)
	}
	stop := errors.New("enough")
	if _, err := c.Dump(t.Context(), func([]byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error of each is lost: %v", err)
	}
}

// rawDial is a client that keeps to no rules.
func rawDial(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	c, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestServerRefuses(t *testing.T) {
	good, _ := Request{Op: OpStats}.Append(nil)
	long := make([]byte, MaxRequest+1)
	copy(long, good)
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	tests := map[string]struct {
		packet    []byte
		oob       []byte
		malformed bool
	}{
		"descriptor":             {good, unix.UnixRights(int(file.Fd())), true},
		"many descriptors":       {good, unix.UnixRights(int(file.Fd()), int(file.Fd()), int(file.Fd())), true},
		"longer than any":        {long, nil, true},
		"one byte":               {[]byte{1}, nil, true},
		"empty looks like close": {[]byte{}, nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := make(chan error, 1)
			fds := make(chan int, 1)
			h := listen(t, func(c *ServerConn) {
				before := openFiles(t)
				_, err := c.ReadRequest(time.Time{})
				fds <- openFiles(t) - before
				got <- err
			})
			c := rawDial(t, h.path)
			if _, _, err := c.WriteMsgUnix(test.packet, test.oob, nil); err != nil {
				t.Fatal(err)
			}
			if n := <-fds; n != 0 {
				t.Errorf("%d descriptors were taken in", n)
			}
			err := <-got
			var p *ProtocolError
			if test.malformed && !errors.As(err, &p) || !test.malformed && err != io.EOF {
				t.Errorf("error %v", err)
			}
		})
	}
}

func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Error(err)
	}
	return len(entries)
}

func TestPeerIsTheKernels(t *testing.T) {
	got := make(chan Peer, 1)
	h := listen(t, func(c *ServerConn) { got <- c.Peer() })
	rawDial(t, h.path)
	want := Peer{UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), PID: int32(os.Getpid())}
	if p := <-got; p != want {
		t.Errorf("peer %+v, want %+v", p, want)
	}
}

func TestSlowReaderIsLeft(t *testing.T) {
	got := make(chan error, 1)
	h := listen(t, func(c *ServerConn) {
		for {
			if err := c.WriteData(1, make([]byte, MaxDumpData), time.Now().Add(50*time.Millisecond)); err != nil {
				got <- err
				return
			}
		}
	})
	rawDial(t, h.path)
	if err := <-got; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestCloseTwice(t *testing.T) {
	h := listen(t, answering(echo))
	c := h.client(t, ClientConfig{})
	if _, err := c.Stats(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	if _, err := c.Stats(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}

func ExampleClient() {
	c := NewClient(ClientConfig{Path: "/run/nuconntrack-privd/none.sock"})
	defer c.Close()
	_, err := c.Stats(context.Background())
	fmt.Println(errors.Is(err, ErrUnavailable))
	// Output: true
}
