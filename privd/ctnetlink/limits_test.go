// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"errors"
	"testing"

	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

// These are the kernel's ways that the encoder and its callers guard against. If one of
// the tests fails on another kernel, a guard may have become needless, not wrong.

// forge sends what encode.go refuses to build, and reads the acknowledgement.
func forge(t *testing.T, c *Conn, msg uint8, family uint8, attrs ...netfilter.Attribute) unix.Errno {
	t.Helper()
	seq, err := c.sock.ready()
	if err != nil {
		t.Fatal(err)
	}
	r, err := encode(msg, unix.NLM_F_REQUEST|unix.NLM_F_ACK, family, seq, attrs)
	if err != nil {
		t.Fatal(err)
	}
	err = c.sock.send(r)
	if err != nil {
		t.Fatal(err)
	}
	_, errno, err := c.sock.answer(seq, false)
	if err != nil {
		t.Fatal(err)
	}
	return errno
}

func TestKernelFlushesWithoutATuple(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		fill(t, 10)
		if errno := forge(t, dial(t), ctDelete, ipc.FamilyIPv4, number(ctaID, 1)); errno != 0 {
			t.Fatal(errno)
		}
		if n := len(nstest.List(t)); n != 0 {
			t.Errorf("%d connections left", n)
		}
	})
}

func TestKernelKillsByATimeoutOfZero(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")
		nstest.Create(t, nstest.Connection{Target: target})
		attrs, err := lookUp(target)
		if err != nil {
			t.Fatal(err)
		}
		if errno := forge(t, c, ctNew, target.Family, append(attrs, number(ctaTimeout, 0))...); errno != 0 {
			t.Fatal(errno)
		}
		if _, err := c.Get(target); !errors.Is(err, ErrNotFound) {
			t.Errorf("still there: %v", err)
		}
	})
}

func TestKernelTogglesMarkBitsOutsideTheMask(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")
		nstest.Create(t, nstest.Connection{Target: target, Mark: 0xff})
		attrs, err := lookUp(target)
		if err != nil {
			t.Fatal(err)
		}
		forge(t, c, ctNew, target.Family, append(attrs, number(ctaMark, 0x0f), number(ctaMarkMask, 0xf0))...)
		if got := get(t, c, target).Mark(); got != 0 {
			t.Errorf("mark %#x", got)
		}
	})
}

func TestKernelDoesNotCompareTheIDOfAChange(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")
		nstest.Create(t, nstest.Connection{Target: target})
		other := get(t, c, target)
		other.target.ID++
		if err := c.SetMark(other, 4, 4); err != nil || get(t, c, target).Mark() != 4 {
			t.Errorf("mark %#x, %v", get(t, c, target).Mark(), err)
		}
	})
}

// A connection whose reply alone is in a zone may come to an older one in the default
// zone whose reply tuple is its original tuple: by that tuple the kernel finds the newer
// one, and when that is gone the older. It must not be taken for the newer.
func TestTupleOfBothDirections(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		older := nstest.Target(unix.IPPROTO_TCP, "192.0.2.2:80", "192.0.2.1:1000")
		newer := withZones(nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80"), 0, 9)
		nstest.Create(t, nstest.Connection{Target: older, Mark: 1})
		nstest.Create(t, nstest.Connection{Target: newer, Mark: 2})
		c := dial(t)
		first, second := get(t, c, older), get(t, c, newer)
		if first.Mark() != 1 || second.Mark() != 2 {
			t.Fatalf("marks %d and %d, want 1 and 2", first.Mark(), second.Mark())
		}
		if err := c.Delete(second); err != nil {
			t.Fatal(err)
		}
		if e := get(t, c, newer); e.Target() != first.Target() {
			t.Errorf("found %+v", e.Target())
		}
		if err := c.Delete(second); !errors.Is(err, ErrNotFound) {
			t.Errorf("delete of what is gone: %v", err)
		}
		if e := get(t, c, older); e.Target() != first.Target() {
			t.Errorf("the older one is %+v", e.Target())
		}
	})
}
