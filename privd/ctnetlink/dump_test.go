// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"testing"
	"time"

	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"
)

// fill puts n connections into the table, every second one of IPv6.
func fill(t *testing.T, n int) {
	t.Helper()
	all := make([]nstest.Connection, n)
	for i := range all {
		target := nstest.Target(unix.IPPROTO_UDP, "192.0.2.1:7", "192.0.2.2:9")
		if i%2 == 1 {
			target = nstest.Target(unix.IPPROTO_UDP, "[2001:db8::1]:7", "[2001:db8::2]:9")
		}
		raw := target.Orig.Src.AsSlice()
		raw[len(raw)-2], raw[len(raw)-1] = byte(i>>8), byte(i)
		src, _ := netip.AddrFromSlice(raw)
		target.Orig.Src, target.Reply.Dst = src, src
		all[i] = nstest.Connection{Target: target, Mark: uint32(i)}
	}
	nstest.Create(t, all...)
}

func dumper(t *testing.T) *Dumper {
	t.Helper()
	d, err := NewDumper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// countDump dumps everything and gives the marks that it saw, which fill has numbered.
func countDump(t *testing.T, d *Dumper) (marks map[uint32]bool, size uint64) {
	t.Helper()
	marks = map[uint32]bool{}
	_, size, err := d.Dump(t.Context(), func(messages []byte) error {
		for len(messages) > 0 {
			m, rest, err := cutMessage(messages)
			if err != nil {
				return err
			}
			e, err := decodeEntry(m.bytes)
			if err != nil {
				return err
			}
			marks[e.Mark()] = true
			messages = rest
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return marks, size
}

func TestDumpIsWholeInOneBuffer(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		const n = 6000
		fill(t, n)
		d := dumper(t)
		var packets int
		var sum uint64
		buffer := &d.sock.buf[0]
		ids := map[uint32]bool{}
		interrupted, size, err := d.Dump(t.Context(), func(b []byte) error {
			packets++
			sum += uint64(len(b))
			if len(b) > ipc.MaxDumpData || &b[0] != buffer {
				t.Errorf("%d bytes, or not of the one buffer", len(b))
			}
			for len(b) > 0 {
				m, rest, err := cutMessage(b)
				if err != nil {
					return err
				}
				ids[checkedID(t, m.bytes)] = true
				b = rest
			}
			return nil
		})
		if err != nil || interrupted {
			t.Fatalf("interrupted %t, %v", interrupted, err)
		}
		if sum != size || packets < 2 {
			t.Errorf("%d bytes in %d packets, said to be %d", sum, packets, size)
		}
		flows := nstest.List(t)
		if len(flows) != n {
			t.Fatalf("the other reader lists %d, want %d", len(flows), n)
		}
		for _, f := range flows {
			if !ids[f.ID] {
				t.Fatalf("connection %+v is not in the dump", f)
			}
		}
	})
}

// checkedID decodes one relayed message with both decoders.
func checkedID(t *testing.T, b []byte) uint32 {
	t.Helper()
	var m netlink.Message
	if err := m.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	var event conntrack.Event
	if err := event.Unmarshal(m); err != nil {
		t.Fatal(err)
	}
	e, err := decodeEntry(b)
	if err != nil {
		t.Fatal(err)
	}
	if e.Target().ID != event.Flow.ID || e.Target().Orig.Src != event.Flow.TupleOrig.IP.SourceAddress ||
		e.Mark() != event.Flow.Mark || e.Status() != uint32(event.Flow.Status) {
		t.Fatalf("got %+v, the other decoder says %+v", e, event.Flow)
	}
	return e.Target().ID
}

func TestDumpAllocatesTheSameForAnySize(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		d := dumper(t)
		packets := 0
		allocated := func() float64 {
			return testing.AllocsPerRun(5, func() {
				packets = 0
				if _, _, err := d.Dump(t.Context(), func([]byte) error { packets++; return nil }); err != nil {
					t.Fatal(err)
				}
			})
		}
		empty := allocated()
		fill(t, 5000)
		// The address of the sender is all that a packet of some hundred entries costs. On one
		// processor the runtime has something of its own to allocate, once in a dump.
		const few = 4
		if full := allocated(); full > empty+2*float64(packets)+few {
			t.Errorf("%g allocations for 5000 entries in %d packets, %g for none", full, packets, empty)
		}
	})
}

func TestDumpOfAnEmptyTable(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		if marks, size := countDump(t, dumper(t)); len(marks) != 0 || size != 0 {
			t.Errorf("%d connections in %d bytes", len(marks), size)
		}
	})
}

// A dump that was given up must not leak into the next one.
func TestDumpGivenUp(t *testing.T) {
	errPeer := errors.New("the peer went away")
	cases := map[string]struct {
		each func(ctx context.Context, cancel context.CancelFunc) error
		want error
	}{
		"each fails":           {func(context.Context, context.CancelFunc) error { return errPeer }, errPeer},
		"cancelled during":     {func(_ context.Context, cancel context.CancelFunc) error { cancel(); return nil }, context.Canceled},
		"each waits too long":  {func(ctx context.Context, _ context.CancelFunc) error { <-ctx.Done(); return nil }, context.DeadlineExceeded},
		"each minds the clock": {func(ctx context.Context, _ context.CancelFunc) error { <-ctx.Done(); return ctx.Err() }, context.DeadlineExceeded},
	}
	nstest.Run(t, func(t *testing.T) {
		const n = 4000
		fill(t, n)
		d := dumper(t)
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				if errors.Is(c.want, context.DeadlineExceeded) {
					ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
				}
				defer cancel()
				calls := 0
				_, _, err := d.Dump(ctx, func([]byte) error {
					calls++
					return c.each(ctx, cancel)
				})
				if !errors.Is(err, c.want) || calls > 1 {
					t.Errorf("got %v after %d packets, want %v", err, calls, c.want)
				}
				if marks, _ := countDump(t, d); len(marks) != n {
					t.Errorf("the next dump has %d connections, want %d", len(marks), n)
				}
			})
		}
	})
}

func TestDumpSurvivesAPanicOfEach(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		fill(t, 4000)
		d := dumper(t)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_, _, _ = d.Dump(t.Context(), func([]byte) error { panic("each") })
		}()
		if marks, _ := countDump(t, d); len(marks) != 4000 {
			t.Errorf("the next dump has %d connections", len(marks))
		}
	})
}

func TestKillWhileADumpIsHalfRead(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		fill(t, 4000)
		victim := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1", "192.0.2.2:1")
		nstest.Create(t, nstest.Connection{Target: victim})
		c, d, killed := dial(t), dumper(t), false
		_, _, err := d.Dump(t.Context(), func([]byte) error {
			if killed {
				return nil
			}
			killed = true
			return c.Delete(get(t, c, victim))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Get(victim); !errors.Is(err, ErrNotFound) {
			t.Errorf("the connection is still there: %v", err)
		}
	})
}

func TestClosedDumper(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		d := dumper(t)
		d.Close()
		d.Close()
		if _, _, err := d.Dump(t.Context(), func([]byte) error { return nil }); !errors.Is(err, os.ErrClosed) {
			t.Errorf("dump on a closed Dumper: %v", err)
		}
	})
}
