// SPDX-License-Identifier: GPL-2.0-or-later

package privd_test

import (
	"testing"

	"nuconntrack/ipc"
	"nuconntrack/privd"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// world is a kernel, real or not, that the same tests hold for.
type world struct {
	table  privd.Table
	reader privd.Reader
	// add makes a connection and gives it with its id.
	add func(t *testing.T, c nstest.Connection) ipc.Target
	// take removes one without asking the helper.
	take func(t *testing.T, target ipc.Target)
}

func fakeWorld() world {
	k := newFakeKernel()
	id := uint32(100)
	return world{
		table: k, reader: k,
		add: func(t *testing.T, c nstest.Connection) ipc.Target {
			k.mu.Lock()
			defer k.mu.Unlock()
			id++
			c.Target.ID = id
			if c.Timeout == 0 {
				c.Timeout = 600
			}
			k.put(fakeEntry{target: c.Target, mark: c.Mark, timeout: c.Timeout})
			return c.Target
		},
		take: func(t *testing.T, target ipc.Target) {
			k.mu.Lock()
			defer k.mu.Unlock()
			delete(k.entries, target.Orig)
		},
	}
}

func realWorld(t *testing.T) world {
	t.Helper()
	k, err := privd.OpenKernel()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return world{
		table: k, reader: k,
		add: func(t *testing.T, c nstest.Connection) ipc.Target {
			t.Helper()
			nstest.Create(t, c)
			e, err := get(k, c.Target)
			if err != nil {
				t.Fatal(err)
			}
			return e.Target()
		},
		take: func(t *testing.T, target ipc.Target) {
			t.Helper()
			e, err := get(k, target)
			if err == nil {
				err = k.Delete([]privd.Entry{e})[0]
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	}
}

// get reads one connection.
func get(table privd.Table, t ipc.Target) (privd.Entry, error) {
	r := table.Get([]ipc.Target{t})[0]
	return r.Entry, r.Err
}

func TestFakeKernel(t *testing.T) { testWorld(t, fakeWorld()) }

func TestRealKernel(t *testing.T) {
	nstest.Run(t, func(t *testing.T) { testWorld(t, realWorld(t)) })
}

// Each case has a connection of its own, made anew.
func testWorld(t *testing.T, w world) {
	h := startHelper(t, privd.Config{Table: w.table, Reader: w.reader})
	tcp := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443")
	ssh := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:22")
	icmp6 := nstest.Target(unix.IPPROTO_ICMPV6, "[2001:db8::1]:5", "[2001:db8::2]:0")
	// The reply comes from port 22: destination NAT onto a protected port.
	nat := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:2222")
	nat.Reply.SrcPort = 22
	zoned, oneWay, foreign := tcp, tcp, tcp
	zoned.Orig.Zone, zoned.Reply.Zone = 7, 7
	oneWay.Orig.Zone = 7
	foreign.Orig.Zone, foreign.Reply.Zone = 8, 8
	mark := func(value, mask uint32) *ipc.Change {
		return &ipc.Change{Field: ipc.FieldMark, Value: value, Mask: mask}
	}
	timeout := func(seconds uint32) *ipc.Change {
		return &ipc.Change{Field: ipc.FieldTimeout, Value: seconds}
	}
	sameID := func(*ipc.Target) {}
	otherID := func(t *ipc.Target) { t.ID++ }
	otherReply := func(t *ipc.Target) { t.Reply.DstPort++ }
	for _, c := range []struct {
		name   string
		target ipc.Target
		mark   uint32
		ask    func(*ipc.Target) // what is asked for, of what is there
		change *ipc.Change       // nil: kill
		want   ipc.Outcome
		rule   string
		stays  bool
		marked uint32 // afterwards
	}{
		{"kill TCP", tcp, 0, sameID, nil, ipc.Killed, "", false, 0},
		{"kill ICMPv6", icmp6, 0, sameID, nil, ipc.Killed, "", false, 0},
		{"kill in a zone", zoned, 0, sameID, nil, ipc.Killed, "", false, 0},
		{"kill in a zone of one direction", oneWay, 0, sameID, nil, ipc.Killed, "", false, 0},
		{"kill by another id", tcp, 0, otherID, nil, ipc.Replaced, "", true, 0},
		{"kill by another reply tuple", tcp, 0, otherReply, nil, ipc.Replaced, "", true, 0},
		{"kill what is protected", ssh, 0, sameID, nil, ipc.Protected, "management", true, 0},
		{"kill what is protected by its reply", nat, 0, sameID, nil, ipc.Protected, "management", true, 0},
		{"kill in a zone of others", foreign, 0, sameID, nil, ipc.Forbidden, "zones", true, 0},
		{"set mark", tcp, 1, sameID, mark(0x10, 0xffff), ipc.Changed, "", true, 0x10},
		{"clear mark", tcp, 0x77, sameID, mark(0, 0xffff), ipc.Changed, "", true, 0},
		{"set bits of mark", tcp, 0xf0f0, sameID, mark(0x0f00, 0x0f00), ipc.Changed, "", true, 0xfff0},
		{"set mark it has", tcp, 5, sameID, mark(5, 0xffff), ipc.Changed, "", true, 5},
		{"set mark beyond the policy", tcp, 1, sameID, mark(0, 0x1ffff), ipc.Forbidden, "change.mark_mask", true, 1},
		{"set mark as a whole", tcp, 1, sameID, mark(0x55, 0xffffffff), ipc.Changed, "", true, 0x55},
		{"set mark as a whole beyond the policy", tcp, 1, sameID, mark(0x10000, 0xffffffff), ipc.Forbidden, "change.mark_mask", true, 1},
		{"set mark as a whole, clearing what is beyond", tcp, 0x10001, sameID, mark(1, 0xffffffff), ipc.Forbidden, "change.mark_mask", true, 0x10001},
		{"set mark of what is protected", ssh, 1, sameID, mark(2, 0xff), ipc.Protected, "management", true, 1},
		{"set mark by another id", tcp, 1, otherID, mark(2, 0xff), ipc.Replaced, "", true, 1},
		{"set timeout", tcp, 3, sameID, timeout(300), ipc.Changed, "", true, 3},
		{"set timeout too short", tcp, 0, sameID, timeout(9), ipc.Forbidden, "change.timeout_min", true, 0},
		{"set timeout too long", tcp, 0, sameID, timeout(432001), ipc.Forbidden, "change.timeout_max", true, 0},
		{"set timeout of what is protected", ssh, 0, sameID, timeout(300), ipc.Protected, "management", true, 0},
		{"set timeout by another id", tcp, 0, otherID, timeout(300), ipc.Replaced, "", true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			there := w.add(t, nstest.Connection{Target: c.target, Mark: c.mark})
			asked := there
			c.ask(&asked)
			before := len(h.audit.all())
			got := ask(t, h.client, asked, c.change)
			if got.Outcome != c.want || got.Rule != c.rule {
				t.Errorf("%s by rule %q (errno %d), want %s by %q", got.Outcome, got.Rule, got.Errno, c.want, c.rule)
			}
			e, err := get(w.table, c.target)
			if stays := err == nil && e.Target() == there; stays != c.stays {
				t.Errorf("it is there: %t, want %t", stays, c.stays)
			} else if stays {
				if e.Mark() != c.marked {
					t.Errorf("its mark is %#x, want %#x", e.Mark(), c.marked)
				}
				if want := c.change != nil && c.change.Field == ipc.FieldTimeout && c.want == ipc.Changed; e.FixedTimeout() != want {
					t.Errorf("its timeout is fixed: %t, want %t", e.FixedTimeout(), want)
				}
				w.take(t, there)
			}
			checkPair(t, h.audit.all()[before:], asked, got)
		})
	}
	t.Run("gone", func(t *testing.T) {
		there := w.add(t, nstest.Connection{Target: tcp})
		w.take(t, there)
		for _, change := range []*ipc.Change{nil, mark(1, 1), timeout(300)} {
			before := len(h.audit.all())
			got := ask(t, h.client, there, change)
			if got.Outcome != ipc.Gone {
				t.Errorf("outcome %s, want gone", got.Outcome)
			}
			checkPair(t, h.audit.all()[before:], there, got)
		}
	})
	t.Run("timeout fixed a second time", func(t *testing.T) {
		there := w.add(t, nstest.Connection{Target: tcp, Mark: 1})
		first, second := ask(t, h.client, there, timeout(300)), ask(t, h.client, there, timeout(400))
		if first.Outcome != ipc.Changed || second.Outcome != ipc.Fixed {
			t.Errorf("first %s, second %s", first.Outcome, second.Outcome)
		}
		if second.New == nil || *second.New > 300 {
			t.Errorf("after the second it is %v", second.New)
		}
		if got := ask(t, h.client, there, mark(9, 0xff)); got.Outcome != ipc.Changed || *got.Old != 1 || *got.New != 9 {
			t.Errorf("its mark can no longer be changed: %+v", got)
		}
		w.take(t, there)
	})
	t.Run("killed and made again", func(t *testing.T) {
		old := w.add(t, nstest.Connection{Target: tcp})
		w.take(t, old)
		// Another one takes the memory that was freed, from which ids are made.
		filler := tcp
		filler.Orig.SrcPort, filler.Reply.DstPort = 50000, 50000
		w.add(t, nstest.Connection{Target: filler})
		again := w.add(t, nstest.Connection{Target: tcp})
		for port := uint16(50001); again.ID == old.ID && port < 50100; port++ {
			w.take(t, again)
			filler.Orig.SrcPort, filler.Reply.DstPort = port, port
			w.add(t, nstest.Connection{Target: filler})
			again = w.add(t, nstest.Connection{Target: tcp})
		}
		if got := ask(t, h.client, old, nil); got.Outcome != ipc.Replaced {
			t.Errorf("outcome %s, want replaced", got.Outcome)
		}
		w.take(t, again)
	})
}

var actor = ipc.Actor{RequestID: 0xabc, User: "alice", Client: "203.0.113.9:1234"}

func ask(t testing.TB, c *ipc.Client, target ipc.Target, change *ipc.Change) ipc.Result {
	t.Helper()
	var r ipc.Result
	var err error
	if change == nil {
		r, err = c.Kill(t.Context(), target, actor)
	} else {
		r, err = c.Change(t.Context(), target, actor, *change)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}
