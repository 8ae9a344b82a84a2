// SPDX-License-Identifier: GPL-2.0-or-later

package privd_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"nuconntrack/ipc"
)

func dial(t testing.TB, h *helper) *net.UnixConn {
	t.Helper()
	c, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: h.path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

func packet(t testing.TB, r ipc.Request) []byte {
	t.Helper()
	b, err := r.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func send(t testing.TB, c *net.UnixConn, packets ...[]byte) {
	t.Helper()
	for _, p := range packets {
		if _, err := c.Write(p); err != nil {
			t.Fatal(err)
		}
	}
}

func hello(t testing.TB, h *helper, p ipc.Purpose) *net.UnixConn {
	t.Helper()
	c, err := tryHello(t, h, p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryHello(t testing.TB, h *helper, p ipc.Purpose) (*net.UnixConn, error) {
	t.Helper()
	c, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: h.path, Net: "unixpacket"})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := c.Write(packet(t, ipc.Request{Op: ipc.OpHello, Purpose: p})); err != nil {
		return nil, err
	}
	a, err := readAnswer(c)
	if err == nil && a.Op != ipc.OpHello {
		t.Fatalf("answer %+v to hello", a)
	}
	return c, err
}

func answer(t testing.TB, c *net.UnixConn) ipc.Answer {
	t.Helper()
	a, err := readAnswer(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func readAnswer(c *net.UnixConn) (ipc.Answer, error) {
	b := make([]byte, 1<<17)
	n, err := c.Read(b)
	if err != nil {
		return ipc.Answer{}, err
	}
	a, _, err := ipc.DecodeAnswer(b[:n])
	return a, err
}

// wantClosed wants the helper to close the connection without another answer.
func wantClosed(t testing.TB, c *net.UnixConn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1<<17)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %d bytes and %v, want the connection closed", n, err)
	}
}

func wantServing(t testing.TB, h *helper) {
	t.Helper()
	stats, err := h.client.Stats(t.Context())
	if err != nil || stats.Count != 42 {
		t.Errorf("stats %+v, %v: the helper does not serve", stats, err)
	}
}

// withTime tries with more and more of a helper's time for its peers, until there is enough for
// one that is only as slow as the machine.
func withTime(t *testing.T, least time.Duration, try func(limit time.Duration) error) {
	t.Helper()
	for limit := least; ; limit *= 2 {
		err := try(limit)
		if err == nil {
			return
		}
		if limit > patience {
			t.Fatalf("with %s: %v", limit, err)
		}
	}
}
