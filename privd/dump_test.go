// SPDX-License-Identifier: GPL-2.0-or-later

package privd_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nuconntrack/ipc"
	"nuconntrack/privd"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

func TestDumpIsRelayed(t *testing.T) {
	k := newFakeKernel()
	piece := bytes.Repeat([]byte{1, 2, 3, 4}, 1000)
	k.dump = func(_ context.Context, each func([]byte) error) error {
		for range 50 {
			if err := each(piece); err != nil {
				return err
			}
		}
		return nil
	}
	h := startHelper(t, privd.Config{Table: k, Reader: k})
	var got bytes.Buffer
	end, err := h.client.Dump(t.Context(), func(b []byte) error { got.Write(b); return nil })
	if err != nil || end.Errno != 0 || end.Bytes != 50*4000 || !bytes.Equal(got.Bytes(), bytes.Repeat(piece, 50)) {
		t.Errorf("%+v, %v, %d bytes", end, err, got.Len())
	}
}

func TestDumpThatFailsSaysSo(t *testing.T) {
	for _, c := range []struct {
		err  error
		want unix.Errno
	}{{kernelError("dump", unix.ENOMEM), unix.ENOMEM}, {io.ErrUnexpectedEOF, unix.EIO}} {
		k := newFakeKernel()
		k.dump = func(context.Context, func([]byte) error) error { return c.err }
		h := startHelper(t, privd.Config{Table: k, Reader: k})
		if end, err := h.client.Dump(t.Context(), nil); err != nil || end.Errno != uint32(c.want) {
			t.Errorf("%+v, %v, want errno %d", end, err, c.want)
		}
	}
}

// A dump that nobody takes ends, gives its turn to the next, and delays no kill.
func TestSlowReaderOfADumpIsDropped(t *testing.T) {
	const whole = 1000 * 32768
	withTime(t, 100*time.Millisecond, func(limit time.Duration) error {
		k := newFakeKernel()
		started := make(chan struct{})
		start := sync.OnceFunc(func() { close(started) })
		k.dump = func(ctx context.Context, each func([]byte) error) error {
			start()
			for range 1000 {
				if err := each(make([]byte, 32768)); err != nil {
					return err
				}
			}
			return nil
		}
		h := startHelper(t, privd.Config{Table: k, Reader: k, Limits: privd.Limits{Write: limit}})
		slow, err := tryHello(t, h, ipc.PurposeDump)
		if err != nil {
			return err
		}
		if err := slow.SetDeadline(time.Now().Add(limit + patience)); err != nil {
			t.Fatal(err)
		}
		send(t, slow, packet(t, ipc.Request{Op: ipc.OpDump}))
		<-started // so that the next dump comes after this one and waits for its turn
		if _, err := h.client.Stats(t.Context()); err != nil {
			return err
		}
		end, err := h.client.Dump(t.Context(), func([]byte) error { return nil })
		if err == nil && end.Bytes != whole {
			t.Errorf("the next dump: %+v", end)
		}
		// What was sent before is still there to read; then comes the end, long before the whole.
		got, b := 0, make([]byte, 1<<17)
		for {
			n, err := slow.Read(b)
			if err != nil || n == 0 {
				break
			}
			if got += n; got >= whole {
				t.Fatal("the slow reader was served to the end")
			}
		}
		return err
	})
}

// One dump at a time; who waits for his turn and leaves gives up his place.
func TestDumpsTakeTurns(t *testing.T) {
	k := newFakeKernel()
	started, goOn := make(chan struct{}), make(chan struct{})
	var running int
	var worst atomic.Int64 // read by the test, which no turn of the helper's orders
	k.dump = func(ctx context.Context, each func([]byte) error) error {
		running++ // under the helper's turn alone: the race detector would see
		worst.Store(max(worst.Load(), int64(running)))
		defer func() { running-- }()
		select {
		case started <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-goOn:
		case <-ctx.Done():
			return ctx.Err()
		}
		return each(make([]byte, 16))
	}
	h := startHelper(t, privd.Config{Table: k, Reader: k, Rules: rules(t, "[dump]\nduty = 1.0")})
	dump := packet(t, ipc.Request{Op: ipc.OpDump, Seq: 1})
	first, second, third := hello(t, h, ipc.PurposeDump), hello(t, h, ipc.PurposeDump), hello(t, h, ipc.PurposeDump)
	send(t, first, dump)
	<-started
	send(t, second, dump)
	send(t, third, dump)
	second.Close()
	first.Close() // ends the dump that runs
	// The second may get its turn before it is seen to have left.
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case <-started:
			case goOn <- struct{}{}:
			case <-done:
				return
			}
		}
	}()
	if a := answer(t, third); a.Op != ipc.OpDump {
		t.Errorf("answer %+v", a)
	}
	if a := answer(t, third); a.End.Bytes != 16 {
		t.Errorf("end %+v", a.End)
	}
	if n := worst.Load(); n != 1 {
		t.Errorf("%d dumps at once", n)
	}
}

// During a dump nothing else may be asked on its connection.
func TestRequestDuringADump(t *testing.T) {
	k := newFakeKernel()
	k.dump = func(ctx context.Context, each func([]byte) error) error {
		<-ctx.Done()
		return ctx.Err()
	}
	h := startHelper(t, privd.Config{Table: k, Reader: k})
	c := hello(t, h, ipc.PurposeDump)
	dump := packet(t, ipc.Request{Op: ipc.OpDump})
	send(t, c, dump, dump)
	wantClosed(t, c)
	wantServing(t, h)
}

// Dumps keep to their share of the time.
func TestDumpsArePaced(t *testing.T) {
	k := newFakeKernel()
	var mu sync.Mutex
	var began []time.Time
	k.dump = func(ctx context.Context, each func([]byte) error) error {
		mu.Lock()
		began = append(began, time.Now())
		mu.Unlock()
		<-time.After(20 * time.Millisecond)
		return nil
	}
	h := startHelper(t, privd.Config{Table: k, Reader: k, Rules: rules(t, "[dump]\nduty = 0.25")})
	for range 3 {
		if _, err := h.client.Dump(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if d := began[2].Sub(began[0]); d < 160*time.Millisecond {
		t.Errorf("three dumps of 20 ms began within %s, want at least 80 ms apart", d)
	}
}

func TestRealDump(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		w := realWorld(t)
		want := map[uint32]bool{}
		for _, target := range []ipc.Target{
			nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443"),
			nstest.Target(unix.IPPROTO_UDP, "[2001:db8::1]:5", "[2001:db8::2]:53"),
			nstest.Target(unix.IPPROTO_GRE, "192.0.2.1:1", "198.51.100.7:2"),
		} {
			want[w.add(t, nstest.Connection{Target: target}).ID] = true
		}
		h := startHelper(t, privd.Config{Table: w.table, Reader: w.reader})
		messages := 0
		end, err := h.client.Dump(t.Context(), func(b []byte) error {
			for len(b) > 0 {
				n := int(binary.NativeEndian.Uint32(b)+3) &^ 3
				messages, b = messages+1, b[n:]
			}
			return nil
		})
		if err != nil || end.Errno != 0 || messages != len(want) {
			t.Errorf("%d messages, %+v, %v; want %d messages", messages, end, err, len(want))
		}
		stats, err := h.client.Stats(t.Context())
		if err != nil || stats.Known&ipc.StatCount == 0 || stats.Count != 3 {
			t.Errorf("stats %+v, %v", stats, err)
		}
	})
}
