// SPDX-License-Identifier: GPL-2.0-or-later

package privd_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"nuconntrack/ipc"
	"nuconntrack/policy"
	"nuconntrack/privd"
	"nuconntrack/privd/audit"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// checkPair wants one intent and one result, the latter as answered.
func checkPair(t *testing.T, entries []audit.Entry, target ipc.Target, answered ipc.Result) {
	t.Helper()
	if len(entries) != 2 || entries[0].Phase != audit.Intent || entries[1].Phase != audit.Result {
		t.Fatalf("audit is %+v, want an intent and a result", entries)
	}
	for _, e := range entries {
		if e.Target != target || e.Actor != actor || e.Peer.UID != uint32(os.Getuid()) || e.Peer.PID != int32(os.Getpid()) {
			t.Errorf("audit entry of something else: %+v", e)
		}
	}
	result := entries[1]
	if result.Outcome != answered.Outcome || result.Rule != answered.Rule || result.Errno != answered.Errno ||
		!same(result.Old, answered.Old) || !same(result.New, answered.New) {
		t.Errorf("audit says %+v, the answer %+v", result, answered)
	}
}

func same(a, b *uint32) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// What the kernel hardly ever does, and never when a test wants it.
func TestKernelOutOfTheOrdinary(t *testing.T) {
	target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	target.ID = 1
	another := target
	another.ID = 2
	replace := func(k *fakeKernel) { k.put(fakeEntry{target: another, mark: 1, timeout: 100}) }
	remove := func(k *fakeKernel) { delete(k.entries, target.Orig) }
	// busy is EBUSY, which sets the timeout all the same.
	busy := func(k *fakeKernel, seconds uint32) error {
		e := k.entries[target.Orig]
		e.timeout = seconds
		k.put(e)
		return kernelError("timeout", unix.EBUSY)
	}
	mark := &ipc.Change{Field: ipc.FieldMark, Value: 2, Mask: 0xff}
	timeout := &ipc.Change{Field: ipc.FieldTimeout, Value: 300}
	lost := errors.New("answer lost")
	for _, c := range []struct {
		name   string
		change *ipc.Change
		before func(k *fakeKernel, op string, n int) error
		want   ipc.Outcome
		errno  unix.Errno
		left   *fakeEntry // afterwards; nil: nothing
	}{
		{"kill: read fails", nil, at("get", 1, func(*fakeKernel) error { return kernelError("get", unix.EPERM) }),
			ipc.Failed, unix.EPERM, &fakeEntry{target, 1, 100, false}},
		{"kill: no answer to read", nil, at("get", 1, func(*fakeKernel) error { return lost }),
			ipc.Failed, unix.EIO, &fakeEntry{target, 1, 100, false}},
		{"kill: gone before delete", nil, at("delete", 1, func(k *fakeKernel) error { remove(k); return nil }),
			ipc.Gone, 0, nil},
		{"kill: replaced before delete", nil, at("delete", 1, func(k *fakeKernel) error { replace(k); return nil }),
			ipc.Replaced, 0, &fakeEntry{another, 1, 100, false}},
		{"kill: refused", nil, at("delete", 1, func(*fakeKernel) error { return kernelError("delete", unix.EBUSY) }),
			ipc.Failed, unix.EBUSY, &fakeEntry{target, 1, 100, false}},
		{"kill: answer lost, done", nil, at("delete", 1, func(k *fakeKernel) error { remove(k); return lost }),
			ipc.Killed, 0, nil},
		{"kill: answer lost, not done", nil, at("delete", 1, func(*fakeKernel) error { return lost }),
			ipc.Failed, unix.EIO, &fakeEntry{target, 1, 100, false}},
		{"kill: refused, cannot be read back", nil, func(_ *fakeKernel, op string, n int) error {
			if op == "delete" {
				return kernelError("delete", unix.EBUSY)
			} else if n == 2 {
				return lost
			}
			return nil
		}, ipc.Failed, unix.EBUSY, &fakeEntry{target, 1, 100, false}},
		{"kill: confirmed, nothing read after it", nil, at("get", 2, func(*fakeKernel) error {
			t.Error("the kernel was asked again")
			return nil
		}), ipc.Killed, 0, nil},

		{"mark: replaced before", mark, at("mark", 1, func(k *fakeKernel) error { replace(k); return nil }),
			ipc.Replaced, 0, &fakeEntry{another, 2, 100, false}},
		{"mark: gone before", mark, at("mark", 1, func(k *fakeKernel) error { remove(k); return nil }),
			ipc.Gone, 0, nil},
		{"mark: gone after", mark, at("get", 2, func(k *fakeKernel) error { remove(k); return nil }),
			ipc.Gone, 0, nil},
		{"mark: refused", mark, at("mark", 1, func(*fakeKernel) error { return kernelError("mark", unix.EINVAL) }),
			ipc.Failed, unix.EINVAL, &fakeEntry{target, 1, 100, false}},
		{"mark: refused and changed", mark, at("mark", 1, func(k *fakeKernel) error {
			k.put(fakeEntry{target, 7, 100, false})
			return kernelError("mark", unix.EINVAL)
		}), ipc.Partial, unix.EINVAL, &fakeEntry{target, 7, 100, false}},
		{"mark: acknowledged, then changed by others", mark, at("get", 2, func(k *fakeKernel) error {
			k.put(fakeEntry{target, 7, 100, false})
			return nil
		}), ipc.Partial, 0, &fakeEntry{target, 7, 100, false}},
		{"mark: acknowledged and ignored", mark, at("get", 2, func(k *fakeKernel) error {
			k.put(fakeEntry{target, 1, 100, false})
			return nil
		}), ipc.Failed, unix.EOPNOTSUPP, &fakeEntry{target, 1, 100, false}},
		{"mark: cannot be read back", mark, at("get", 2, func(*fakeKernel) error { return kernelError("get", unix.ENOMEM) }),
			ipc.Partial, unix.ENOMEM, &fakeEntry{target, 2, 100, false}},

		{"timeout: busy once", timeout, at("timeout", 1, func(k *fakeKernel) error { return busy(k, 300) }),
			ipc.Changed, 0, &fakeEntry{target, 1, 300, true}},
		{"timeout: busy for ever", timeout, func(k *fakeKernel, op string, n int) error {
			if op == "timeout" {
				return busy(k, 300)
			}
			return nil
		}, ipc.Partial, unix.EBUSY, &fakeEntry{target, 1, 300, false}},
		{"timeout: busy, then gone", timeout, at("timeout", 1, func(k *fakeKernel) error { remove(k); return kernelError("timeout", unix.EBUSY) }),
			ipc.Gone, 0, nil},
		{"timeout: busy, then replaced", timeout, at("get", 2, func(k *fakeKernel) error { replace(k); return nil }),
			ipc.Replaced, 0, &fakeEntry{another, 1, 100, false}},
		{"timeout: fixed by others", timeout, at("timeout", 1, func(k *fakeKernel) error {
			k.put(fakeEntry{target, 1, 50, true})
			return nil
		}), ipc.Fixed, unix.EPERM, &fakeEntry{target, 1, 50, true}},
		{"timeout: refused", timeout, at("timeout", 1, func(*fakeKernel) error { return kernelError("timeout", unix.EOPNOTSUPP) }),
			ipc.Failed, unix.EOPNOTSUPP, &fakeEntry{target, 1, 100, false}},
		{"timeout: acknowledged, not fixed", timeout, at("get", 2, func(k *fakeKernel) error {
			k.put(fakeEntry{target, 1, 300, false})
			return nil
		}), ipc.Partial, 0, &fakeEntry{target, 1, 300, false}},
		{"timeout: answer lost, done", timeout, at("timeout", 1, func(k *fakeKernel) error {
			k.put(fakeEntry{target, 1, 300, true})
			return lost
		}), ipc.Changed, 0, &fakeEntry{target, 1, 300, true}},
		{"timeout: answer lost", timeout, at("timeout", 1, func(*fakeKernel) error { return lost }),
			ipc.Partial, unix.EIO, &fakeEntry{target, 1, 100, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newFakeKernel()
			k.put(fakeEntry{target, 1, 100, false})
			k.before = c.before
			h := startHelper(t, privd.Config{Table: k})
			got := ask(t, h.client, target, c.change)
			if got.Outcome != c.want || got.Errno != uint16(c.errno) {
				t.Errorf("%s, errno %d; want %s, errno %d", got.Outcome, got.Errno, c.want, c.errno)
			}
			checkPair(t, h.audit.all(), target, got)
			left, ok := k.held()[target.Orig]
			if ok != (c.left != nil) || ok && left != *c.left {
				t.Errorf("left is %+v (%t), want %+v", left, ok, c.left)
			}
			if n := k.count("timeout"); n > 5 {
				t.Errorf("the timeout was set %d times", n)
			}
		})
	}
}

// at calls do before the nth call of an operation.
func at(op string, n int, do func(*fakeKernel) error) func(*fakeKernel, string, int) error {
	return func(k *fakeKernel, gotOp string, gotN int) error {
		if gotOp != op || gotN != n {
			return nil
		}
		return do(k)
	}
}

// Two connections may share an id; the tuples tell them apart.
func TestTwoConnectionsWithOneID(t *testing.T) {
	one := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	two := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40001", "198.51.100.7:443")
	one.ID, two.ID = 9, 9
	k := newFakeKernel()
	k.put(fakeEntry{target: one})
	k.put(fakeEntry{target: two})
	h := startHelper(t, privd.Config{Table: k})
	if got := ask(t, h.client, two, nil); got.Outcome != ipc.Killed {
		t.Fatalf("outcome %s", got.Outcome)
	}
	if _, ok := k.held()[one.Orig]; !ok || len(k.held()) != 1 {
		t.Errorf("left is %+v, want the first alone", k.held())
	}
}

// The audit says what was asked for, also of bits that the policy keeps.
func TestIntentOfWhatIsRefused(t *testing.T) {
	const held = 0x10003
	target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	target.ID = 1
	for _, c := range [...]struct {
		name, policy string
		change       ipc.Change
		want         uint32
	}{
		{"the whole mark", allowAll, ipc.Change{Field: ipc.FieldMark, Value: 0x100, Mask: 0xffffffff}, 0x100},
		{"bits of it", allowAll, ipc.Change{Field: ipc.FieldMark, Value: 0xf0000, Mask: 0xf0000}, 0xf0003},
		{"bits inside and outside", allowAll, ipc.Change{Field: ipc.FieldMark, Value: 0x4, Mask: 0xf0007}, 0x4},
		{"no change is allowed", "[kill]\nallow = true\n", ipc.Change{Field: ipc.FieldMark, Value: 5, Mask: 0xff}, 0x10005},
		{"a timeout", allowAll, ipc.Change{Field: ipc.FieldTimeout, Value: 9}, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newFakeKernel()
			k.put(fakeEntry{target, held, 100, false})
			h := startHelper(t, privd.Config{Table: k, Rules: rules(t, c.policy)})
			got := ask(t, h.client, target, &c.change)
			entries := h.audit.all()
			checkPair(t, entries, target, got)
			if got.Outcome != ipc.Forbidden || !same(entries[0].New, &c.want) || entries[1].New != nil {
				t.Errorf("%s; the audit is %+v, want an intent of %#x", got.Outcome, entries, c.want)
			}
			if left := k.held()[target.Orig]; left != (fakeEntry{target, held, 100, false}) {
				t.Errorf("left is %+v", left)
			}
		})
	}
}

func TestNothingIsDoneWithoutAudit(t *testing.T) {
	target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	for _, c := range []struct {
		name string
		fail audit.Phase
		want ipc.Outcome
		left bool
	}{
		{"intent fails", audit.Intent, ipc.Unaudited, true},
		{"result fails", audit.Result, ipc.Killed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newFakeKernel()
			k.put(fakeEntry{target: target})
			sink := &ledger{fail: func(e audit.Entry) error {
				if e.Phase == c.fail {
					return os.ErrDeadlineExceeded
				}
				return nil
			}}
			h := startHelper(t, privd.Config{Table: k, Audit: sink})
			if got := ask(t, h.client, target, nil); got.Outcome != c.want {
				t.Errorf("outcome %s, want %s", got.Outcome, c.want)
			}
			if left := len(k.held()) == 1; left != c.left {
				t.Errorf("left: %t, want %t", left, c.left)
			}
		})
	}
}

func TestIntentSaysWhatIsWanted(t *testing.T) {
	target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	k := newFakeKernel()
	k.put(fakeEntry{target: target, mark: 0xf0, timeout: 100})
	h := startHelper(t, privd.Config{Table: k})
	ask(t, h.client, target, &ipc.Change{Field: ipc.FieldMark, Value: 0x3, Mask: 0xf})
	ask(t, h.client, target, &ipc.Change{Field: ipc.FieldTimeout, Value: 300})
	all := h.audit.all()
	for i, want := range [][2]uint32{{0xf0, 0xf3}, {0xf0, 0xf3}, {100, 300}, {100, 300}} {
		if e := all[i]; e.Old == nil || e.New == nil || *e.Old != want[0] || *e.New != want[1] {
			t.Errorf("entry %d: %+v, want %d", i, e, want)
		}
	}
}

// Kills, changes and refusals spend from one bucket, and an empty one leaves no trace.
func TestBucketIsShared(t *testing.T) {
	target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	k := newFakeKernel()
	k.put(fakeEntry{target: target})
	slow := strings.Replace(allowAll, "[kill]", "[kill]\nrate = 0.001\nburst = 3", 1)
	h := startHelper(t, privd.Config{Table: k, Rules: rules(t, slow)})
	stranger := target
	stranger.ID = 77
	ask(t, h.client, stranger, nil)
	ask(t, h.client, target, &ipc.Change{Field: ipc.FieldMark, Value: 1, Mask: 1})
	ask(t, h.client, target, &ipc.Change{Field: ipc.FieldMark, Value: 0, Mask: 0xffffffff})
	got := ask(t, h.client, target, nil)
	if got.Outcome != ipc.Limited || got.Rule != "kill.rate" || got.Retry < time.Minute {
		t.Errorf("got %+v, want limited with a time to try again", got)
	}
	if n := len(h.audit.all()); n != 6 || len(k.held()) != 1 {
		t.Errorf("%d audit entries and %d connections, want 6 and 1", n, len(k.held()))
	}
	h.server.SetRules(rules(t, strings.Replace(slow, "burst = 3", "burst = 1000", 1)))
	if got := ask(t, h.client, target, nil); got.Outcome != ipc.Limited {
		t.Errorf("new rules filled the bucket: %s", got.Outcome)
	}
}

func TestNewRulesHold(t *testing.T) {
	target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	k := newFakeKernel()
	k.put(fakeEntry{target: target})
	h := startHelper(t, privd.Config{Table: k})
	h.server.SetRules(policy.None())
	if got := ask(t, h.client, target, nil); got.Outcome != ipc.Forbidden || got.Rule != "no-policy" {
		t.Errorf("got %+v, want no-policy", got)
	}
	h.server.SetRules(rules(t, allowAll))
	if got := ask(t, h.client, target, nil); got.Outcome != ipc.Killed {
		t.Errorf("got %+v, want killed", got)
	}
}
