// SPDX-License-Identifier: GPL-2.0-or-later

package privd_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"nuconntrack/ipc"
	"nuconntrack/privd"
	"nuconntrack/privd/audit"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// gatedTable writes down what goes to the kernel together, and holds the first call back
// until the gate opens, so that requests queue up behind it.
type gatedTable struct {
	privd.Table
	entered, gate chan struct{}
	first         sync.Once
	diary         *diary
}

type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) add(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) all() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, " ")
}

func (g *gatedTable) Get(targets []ipc.Target) []privd.Read {
	g.first.Do(func() {
		close(g.entered)
		<-g.gate
	})
	g.diary.add("get%d", len(targets))
	return g.Table.Get(targets)
}

func (g *gatedTable) Delete(entries []privd.Entry) []error {
	g.diary.add("delete%d", len(entries))
	return g.Table.Delete(entries)
}

// numbered is one of many connections that have nothing in common.
func numbered(n int) ipc.Target {
	t := nstest.Target(unix.IPPROTO_TCP, fmt.Sprintf("192.0.2.1:%d", 1000+n), "198.51.100.7:443")
	t.ID = uint32(n)
	return t
}

// queue sends requests of which all but the first have come before the first is done, and
// gives the answers.
func queue(t *testing.T, cfg privd.Config, requests ...[]byte) (answers []ipc.Answer, closed bool, said string) {
	t.Helper()
	g := &gatedTable{Table: cfg.Table, entered: make(chan struct{}), gate: make(chan struct{}), diary: &diary{}}
	sink := cfg.Audit
	cfg.Table = g
	cfg.Audit = sinkFunc(func(e audit.Entry) error {
		if sink != nil {
			if err := sink.Write(e); err != nil {
				return err
			}
		}
		g.diary.add("%s:%d", e.Phase, e.Target.ID)
		return nil
	})
	h := startHelper(t, cfg)
	c := hello(t, h, ipc.PurposeControl)
	send(t, c, requests[0])
	<-g.entered
	send(t, c, requests[1:]...)
	close(g.gate)
	for len(answers) < len(requests) && !closed {
		b := make([]byte, 1<<12)
		n, err := c.Read(b)
		if n == 0 || err != nil {
			closed = true
			continue
		}
		a, _, err := ipc.DecodeAnswer(b[:n])
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	return answers, closed, g.diary.all()
}

type sinkFunc func(audit.Entry) error

func (f sinkFunc) Write(e audit.Entry) error { return f(e) }

func TestGroupsOfKills(t *testing.T) {
	kill := func(target ipc.Target) []byte {
		return packet(t, ipc.Request{Op: ipc.OpKill, Seq: uint64(target.ID), Target: target, Actor: actor})
	}
	stats := packet(t, ipc.Request{Op: ipc.OpStats, Seq: 50})
	mark := packet(t, ipc.Request{Op: ipc.OpChange, Seq: 60, Target: numbered(6), Actor: actor,
		Change: ipc.Change{Field: ipc.FieldMark, Value: 1, Mask: 1}})
	protected := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:2000", "198.51.100.7:22")
	protected.ID = 22
	replaced, absent, turned := numbered(3), numbered(99), numbered(2)
	replaced.ID = 33
	turned.Orig, turned.Reply = turned.Reply, turned.Orig
	zoned := numbered(2)
	zoned.Orig.Zone, zoned.Reply.Zone = 7, 7
	const alone = "get1 intent:1 delete1 result:1 "
	for _, c := range []struct {
		name     string
		requests [][]byte
		policy   string
		before   func(k *fakeKernel, op string, n int) error
		audit    func(audit.Entry) error
		want     string // outcomes, in the order of the answers
		said     string
		closed   bool
	}{
		{name: "three", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(numbered(3)), kill(numbered(4))},
			want: "killed killed killed killed",
			said: alone + "get3 intent:2 intent:3 intent:4 delete3 result:2 result:3 result:4"},
		{name: "the same twice", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(numbered(2)), kill(numbered(3))},
			want: "killed killed gone killed",
			said: alone + "get1 intent:2 delete1 result:2 get2 intent:2 intent:3 delete1 result:2 result:3"},
		{name: "the same from the other side", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(turned)},
			want: "killed killed gone",
			said: alone + "get1 intent:2 delete1 result:2 get1 intent:2 result:2"},
		{name: "the same in another zone", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(zoned)},
			want: "killed killed gone",
			said: alone + "get1 intent:2 delete1 result:2 get1 intent:2 result:2"},
		{name: "each for itself", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(protected), kill(replaced), kill(absent), kill(numbered(4))},
			want: "killed killed protected replaced gone killed",
			said: alone + "get5 intent:2 intent:22 intent:33 intent:99 intent:4 delete2 result:2 result:22 result:33 result:99 result:4"},
		{name: "nothing to do", requests: [][]byte{kill(numbered(1)), kill(protected), kill(absent)},
			want: "killed protected gone", said: alone + "get2 intent:22 intent:99 result:22 result:99"},
		{name: "one cannot be read", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(numbered(3))},
			before: at("get", 2, func(*fakeKernel) error { return kernelError("get", unix.EPERM) }),
			want:   "killed failed killed", said: alone + "get2 intent:2 intent:3 delete1 result:2 result:3"},
		{name: "one is refused by the kernel", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(numbered(3)), kill(numbered(4))},
			before: at("delete", 3, func(*fakeKernel) error { return kernelError("delete", unix.EBUSY) }),
			want:   "killed killed failed killed", said: alone + "get3 intent:2 intent:3 intent:4 delete3 get1 result:2 result:3 result:4"},
		{name: "one is replaced before it is deleted", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(numbered(3))},
			before: at("delete", 2, func(k *fakeKernel) error {
				other := numbered(3)
				other.ID = 77
				k.put(fakeEntry{target: other})
				return nil
			}),
			want: "killed killed replaced", said: alone + "get2 intent:2 intent:3 delete2 get1 result:2 result:3"},
		{name: "one has no intent", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(numbered(3)), kill(numbered(4))},
			audit: func(e audit.Entry) error {
				if e.Phase == audit.Intent && e.Target.ID == 3 {
					return errors.New("full")
				}
				return nil
			},
			want: "killed killed unaudited killed", said: alone + "get3 intent:2 intent:4 delete2 result:2 result:4"},
		{name: "the journal hangs", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(numbered(3)), kill(numbered(4)), kill(numbered(5))},
			audit: func(e audit.Entry) error {
				switch {
				case e.Phase == audit.Intent && e.Target.ID == 3:
					return fmt.Errorf("write: %w", os.ErrDeadlineExceeded)
				case e.Target.ID > 3:
					t.Errorf("it was waited for again, by %d", e.Target.ID)
				}
				return nil
			},
			want: "killed killed unaudited unaudited unaudited", said: alone + "get4 intent:2 delete1 result:2"},
		{name: "the bucket runs out", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(numbered(3)), kill(numbered(4))},
			policy: strings.Replace(allowAll, "[kill]", "[kill]\nrate = 0.001\nburst = 3", 1),
			want:   "killed killed killed limited", said: alone + "get2 intent:2 intent:3 delete2 result:2 result:3"},
		{name: "others between", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), stats, kill(numbered(3)), mark, kill(numbered(6))},
			want: "killed killed stats killed changed killed",
			said: alone + "get1 intent:2 delete1 result:2 get1 intent:3 delete1 result:3 " +
				"get1 intent:6 get1 result:6 get1 intent:6 delete1 result:6"},
		{name: "what is malformed comes behind", requests: [][]byte{kill(numbered(1)), kill(numbered(2)), kill(numbered(3)), {1, 2, 3}},
			want: "killed killed killed", closed: true,
			said: alone + "get2 intent:2 intent:3 delete2 result:2 result:3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newFakeKernel()
			for n := range 10 {
				k.put(fakeEntry{target: numbered(n)})
			}
			k.put(fakeEntry{target: protected})
			k.before = c.before
			cfg := privd.Config{Table: k, Reader: newFakeKernel()}
			if c.policy != "" {
				cfg.Rules = rules(t, c.policy)
			}
			if c.audit != nil {
				cfg.Audit = sinkFunc(c.audit)
			}
			answers, closed, said := queue(t, cfg, c.requests...)
			var got []string
			for _, a := range answers {
				if a.Op == ipc.OpStats {
					got = append(got, "stats")
				} else {
					got = append(got, a.Result.Outcome.String())
				}
			}
			if strings.Join(got, " ") != c.want || closed != c.closed {
				t.Errorf("answers %v, closed %v; want %s", got, closed, c.want)
			}
			if said != c.said {
				t.Errorf("it went\n%s, want\n%s", said, c.said)
			}
			if _, left := k.held()[protected.Orig]; !left {
				t.Error("what is protected is gone")
			}
		})
	}
}

// TestGroupsAreBounded kills as many as may be in flight: every answer in its place.
func TestGroupsAreBounded(t *testing.T) {
	const n = 100
	k := newFakeKernel()
	var requests [][]byte
	for i := range n {
		k.put(fakeEntry{target: numbered(i)})
		requests = append(requests, packet(t, ipc.Request{Op: ipc.OpKill, Seq: uint64(i), Target: numbered(i), Actor: actor}))
	}
	answers, _, said := queue(t, privd.Config{Table: k}, requests...)
	for i, a := range answers {
		if a.Seq != uint64(i) || a.Result.Outcome != ipc.Killed {
			t.Errorf("answer %d is to %d: %s", i, a.Seq, a.Result.Outcome)
		}
	}
	if len(answers) != n || len(k.held()) != 0 {
		t.Errorf("%d answers, %d connections left", len(answers), len(k.held()))
	}
	var groups []string
	for w := range strings.FieldsSeq(said) {
		if strings.HasPrefix(w, "delete") {
			groups = append(groups, w)
		}
	}
	if want := []string{"delete1", "delete32", "delete32", "delete32", "delete3"}; !slices.Equal(groups, want) {
		t.Errorf("groups %v, want %v", groups, want)
	}
}

// TestGroupsOfTheRealKernel kills many, among them some that are not to be.
func TestGroupsOfTheRealKernel(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		const n = 150
		w := realWorld(t)
		h := startHelper(t, privd.Config{Table: w.table, Reader: w.reader})
		asked := make([]ipc.Target, n)
		for i := range asked {
			asked[i] = numbered(i)
			switch i % 10 {
			case 3:
				asked[i].Orig.DstPort, asked[i].Reply.SrcPort = 22, 22
			case 5:
				asked[i].Orig.Src, asked[i].Reply.Dst = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::1")
				asked[i].Orig.Dst, asked[i].Reply.Src = netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8::2")
				asked[i].Family = ipc.FamilyIPv6
			}
			there := w.add(t, nstest.Connection{Target: asked[i]})
			if asked[i] = there; i%10 == 7 {
				asked[i].ID++
			}
			if i%10 == 9 {
				w.take(t, there)
			}
		}
		results := make([]ipc.Result, n)
		var callers sync.WaitGroup
		for i := range asked {
			callers.Go(func() {
				var err error
				if results[i], err = h.client.Kill(t.Context(), asked[i], actor); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		for i, r := range results {
			want := ipc.Killed
			switch i % 10 {
			case 3:
				want = ipc.Protected
			case 7:
				want = ipc.Replaced
			case 9:
				want = ipc.Gone
			}
			if r.Outcome != want {
				t.Errorf("connection %d: %s, errno %d; want %s", i, r.Outcome, r.Errno, want)
			}
		}
		if left := len(nstest.List(t)); left != 2*n/10 {
			t.Errorf("%d connections are left, want %d", left, 2*n/10)
		}
		if all := h.audit.all(); len(all) != 2*n {
			t.Errorf("%d entries in the audit, want %d", len(all), 2*n)
		}
	})
}
