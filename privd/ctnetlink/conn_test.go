// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"
)

func TestLookUpThatTheKernelRefuses(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")
		target.Orig = ipc.Tuple{Src: target.Orig.Src, Dst: target.Orig.Dst}
		_, err := c.Get(target)
		var kernel *Error
		if !errors.As(err, &kernel) || kernel.Errno != unix.EINVAL || kernel.Op != "get" {
			t.Errorf("TCP without ports: %v, want EINVAL", err)
		}
	})
}

func TestZeroEntryTouchesNothing(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")})
		c := dial(t)
		for _, err := range []error{c.Delete(Entry{}), c.SetMark(Entry{}, 1, 1), c.FixTimeout(Entry{}, 10)} {
			if !errors.Is(err, ErrRefused) {
				t.Errorf("zero entry: %v", err)
			}
		}
		if n := len(nstest.List(t)); n != 1 {
			t.Errorf("%d connections left, want 1", n)
		}
	})
}

// Another process with CAP_NET_ADMIN in the namespace can send to the socket.
func TestForgedAnswersAreLeftOut(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		forger, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(forger)
		ack := netlinkMessage(unix.NLMSG_ERROR, 0, c.sock.seq+1, c.sock.port, errorBody(0)...)
		for range 3 {
			if err := unix.Sendto(forger, ack, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: c.sock.port}); err != nil {
				t.Fatalf("send forged answer: %v", err)
			}
		}
		gone := Entry{target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")}
		if err := c.Delete(gone); !errors.Is(err, ErrNotFound) {
			t.Errorf("the forged answer was believed: %v", err)
		}
	})
}

// A socket whose answer cannot be trusted is replaced, and the next call works.
func TestConnRecovers(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")
		nstest.Create(t, nstest.Connection{Target: target})
		// An answer that nobody asked for lies in the socket.
		r, err := encodeGet(target, c.sock.seq)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.sock.send(r); err != nil {
			t.Fatal(err)
		}
		if e, err := c.Get(target); err == nil || errors.Is(err, ErrNotFound) {
			t.Errorf("an answer to an earlier request was taken: %+v, %v", e, err)
		}
		get(t, c, target)
	})
}

func TestConcurrentCalls(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		var wg sync.WaitGroup
		for i := range 8 {
			target := nstest.Target(unix.IPPROTO_UDP, "192.0.2.1:1000", "192.0.2.2:80")
			target.Orig.SrcPort, target.Reply.DstPort = uint16(i), uint16(i)
			nstest.Create(t, nstest.Connection{Target: target, Mark: uint32(i)})
			wg.Go(func() {
				for range 200 {
					e, err := c.Get(target)
					if err != nil || e.Mark() != uint32(i) || e.Target().Orig != target.Orig {
						t.Errorf("connection %d: got %+v, %v", i, e, err)
						return
					}
				}
				if e, err := c.Get(target); err != nil || c.Delete(e) != nil {
					t.Errorf("connection %d was not deleted: %v", i, err)
				}
			})
		}
		wg.Wait()
		if n := len(nstest.List(t)); n != 0 {
			t.Errorf("%d connections left", n)
		}
	})
}

func TestClosedConn(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		c.Close()
		c.Close()
		if _, err := c.Get(nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1", "192.0.2.2:1")); !errors.Is(err, os.ErrClosed) {
			t.Errorf("get on a closed Conn: %v", err)
		}
	})
}

// From v1.10.0 on mdlayher/netlink, on which ti-mo/conntrack stands, waits for ever for
// the answer to a GET.
func TestOtherReaderDoesNotHang(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")})
		c, err := conntrack.Dial(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		done := make(chan error, 1)
		go func() {
			_, err := c.Get(nstest.List(t)[0])
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("GET hangs: is mdlayher/netlink below v1.10?")
		}
	})
}
