// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestUnavailable(t *testing.T) {
	silent := listen(t, func(c *ServerConn) { c.ReadRequest(time.Time{}); c.ReadRequest(time.Time{}) })
	closing := listen(t, func(c *ServerConn) {})
	mute := listen(t, answering(func(c *ServerConn, r Request) bool { _, err := c.ReadRequest(time.Time{}); return err == nil }))
	wrongSeq := listen(t, answering(func(c *ServerConn, r Request) bool { r.Seq++; return echo(c, r) }))
	wrongOp := listen(t, answering(func(c *ServerConn, r Request) bool { r.Op = OpStats; return echo(c, r) }))
	dying := listen(t, answering(func(c *ServerConn, r Request) bool { return false }))
	tests := map[string]string{
		"no socket":               filepath.Join(t.TempDir(), "none"),
		"silent at hello":         silent.path,
		"closes at once":          closing.path,
		"never answers":           mute.path,
		"answers something else":  wrongSeq.path,
		"another operation":       wrongOp.path,
		"dies with one in flight": dying.path,
	}
	for name, path := range tests {
		t.Run(name, func(t *testing.T) {
			c := NewClient(ClientConfig{Path: path, Timeout: 100 * time.Millisecond})
			defer c.Close()
			for range 2 {
				_, err := c.Kill(t.Context(), tcpTarget(), somebody())
				if !errors.Is(err, ErrUnavailable) {
					t.Errorf("kill: %v, want ErrUnavailable", err)
				}
				sent := name != "no socket" && name != "silent at hello" && name != "closes at once"
				if errors.Is(err, ErrUnanswered) != sent {
					t.Errorf("kill: %v, which may have been done: want %t", err, sent)
				}
			}
			if name == "never answers" {
				return // a dump may wait for its turn as long as its context lets it
			}
			if _, err := c.Dump(t.Context(), func([]byte) error { return nil }); !errors.Is(err, ErrUnavailable) {
				t.Errorf("dump: %v, want ErrUnavailable", err)
			}
		})
	}
}

// TestHangingHelperIsWaitedForOnce: callers of a helper that takes connections and says nothing
// do not wait for one another, each for a connection of his own.
func TestHangingHelperIsWaitedForOnce(t *testing.T) {
	// They come at once. Each that the machine lets come later than the others may be the one who
	// finds nobody connecting in the last moment of his time: far from all.
	const callers = 400
	come := make(chan struct{})
	h := listen(t, func(c *ServerConn) { c.ReadRequest(time.Time{}); c.ReadRequest(time.Time{}) })
	c := h.client(t, ClientConfig{Timeout: 200 * time.Millisecond})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			<-come
			if _, err := c.Stats(t.Context()); !errors.Is(err, ErrUnavailable) {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
		})
	}
	close(come)
	wg.Wait()
	if n := h.accepted.Load(); n > callers/4 {
		t.Errorf("%d callers made %d connections, one after the other", callers, n)
	}
}

// TestCloseEndsConnecting: Close does not wait for a helper that hangs, nor does a caller.
func TestCloseEndsConnecting(t *testing.T) {
	reached := make(chan struct{})
	h := listen(t, func(c *ServerConn) { c.ReadRequest(time.Time{}); close(reached); c.ReadRequest(time.Time{}) })
	c := h.client(t, ClientConfig{Timeout: time.Hour})
	failed := make(chan error)
	go func() {
		_, err := c.Stats(context.Background())
		failed <- err
	}()
	<-reached
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

// TestNeverSentTwice: a helper that dies with a request in flight must not be asked for
// the same again behind the caller's back.
func TestNeverSentTwice(t *testing.T) {
	var kills atomic.Int32
	h := listen(t, answering(func(c *ServerConn, r Request) bool { kills.Add(1); return false }))
	c := h.client(t, ClientConfig{})
	if _, err := c.Kill(t.Context(), tcpTarget(), somebody()); !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	if n := kills.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestCancelledInFlight: who does not wait for the answer does not know what became of it.
func TestCancelledInFlight(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := listen(t, answering(func(c *ServerConn, r Request) bool {
		cancel()
		_, err := c.ReadRequest(time.Time{})
		return err == nil
	}))
	c := h.client(t, ClientConfig{})
	if _, err := c.Kill(ctx, tcpTarget(), somebody()); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrUnanswered) {
		t.Errorf("cancelled with the request in flight: %v", err)
	}
	if _, err := c.Kill(ctx, tcpTarget(), somebody()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
}

func TestReconnects(t *testing.T) {
	h := listen(t, answering(func(c *ServerConn, r Request) bool { echo(c, r); return false }))
	c := h.client(t, ClientConfig{})
	for i := range 20 {
		// The connection closes after each answer; a request that meets a connection
		// just closed may fail, the one after it must not.
		_, err := c.Stats(t.Context())
		if err != nil {
			_, err = c.Stats(t.Context())
		}
		if err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
}
