// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/ipc"
)

// comingBack is a helper whose killed connections come back a while after.
type comingBack struct {
	*helpertest.Helper
	after map[uint32]time.Duration // by id; those that are not here stay away
	as    func(helpertest.Connection) helpertest.Connection
}

func (h comingBack) Kill(ctx context.Context, t ipc.Target, by ipc.Actor) (ipc.Result, error) {
	r, err := h.Helper.Kill(ctx, t, by)
	if after, ok := h.after[t.ID]; ok {
		time.AfterFunc(after, func() {
			c := port(t.ID)
			c.Target.ID += 1000
			h.Add(h.as(c))
		})
	}
	return r, err
}

func TestReturned(t *testing.T) {
	same := func(c helpertest.Connection) helpertest.Connection { return c }
	tests := map[string]struct {
		after map[uint32]time.Duration
		as    func(helpertest.Connection) helpertest.Connection
		watch time.Duration
		back  []uint32 // of 1 and 2
		takes time.Duration
		said  string // of those that came back
	}{
		"not watched":            {map[uint32]time.Duration{1: time.Millisecond}, same, 0, nil, 0, ""},
		"all at once":            {map[uint32]time.Duration{1: 0, 2: time.Millisecond}, same, MaxWatch, []uint32{1, 2}, firstWatch, "within 0.1 s"},
		"one at the last moment": {map[uint32]time.Duration{2: 4999 * time.Millisecond}, same, MaxWatch, []uint32{2}, MaxWatch, "within 5.0 s"},
		"too late":               {map[uint32]time.Duration{2: 2001 * time.Millisecond}, same, 2 * time.Second, nil, 2 * time.Second, ""},
		"none":                   {nil, same, time.Second, nil, time.Second, ""},
		"replies from elsewhere": {map[uint32]time.Duration{1: 0}, func(c helpertest.Connection) helpertest.Connection {
			c.Target.Reply.Src = netip.MustParseAddr("203.0.113.1")
			return c
		}, time.Second, []uint32{1}, time.Second, "within 0.1 s"},
		"from the other end": {map[uint32]time.Duration{1: 0}, func(c helpertest.Connection) helpertest.Connection {
			c.Target.Orig, c.Target.Reply = c.Target.Reply, c.Target.Orig
			return c
		}, time.Second, []uint32{1}, time.Second, "within 0.1 s"},
		"another port": {map[uint32]time.Duration{1: 0}, func(c helpertest.Connection) helpertest.Connection {
			c.Target.Orig.SrcPort += 500
			return c
		}, time.Second, nil, time.Second, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &helpertest.Helper{}
				h.Add(port(1), port(2))
				c := scoped(t, h, "")
				c.s.helper = comingBack{h, test.after, test.as}
				began := time.Now()
				reports, err := c.KillReport(t.Context(), []Ref{RefID(1), RefID(2), RefID(3), RefID(1)}, KillOptions{Watch: test.watch})
				if err != nil {
					t.Fatal(err)
				}
				if spent := time.Since(began); spent != test.takes {
					t.Errorf("it took %s, want %s", spent, test.takes)
				}
				for i, id := range []uint32{1, 2, 3, 1} {
					want := OutcomeKilled
					if slices.Contains(test.back, id) {
						want = OutcomeReturned
					} else if id == 3 {
						want = OutcomeUnknown
					}
					if r := reports[i]; r.Outcome != want || want == OutcomeReturned && !strings.Contains(r.Detail, "there again "+test.said+",") {
						t.Errorf("%+v, want %s", r, want)
					}
				}
				tally := Tally{}
				if test.watch > 0 {
					tally = Tally{2, uint64(len(test.back))}
				}
				if got := c.s.Watched(); got != tally {
					t.Errorf("the tally is %+v, want %+v", got, tally)
				}
				if n := h.Dumps(); n > 10 {
					t.Errorf("the table was read %d times", n)
				}
				time.Sleep(10 * time.Second) // nothing is left behind
			})
		})
	}
}

// TestReturnedOutOfScope: what has come back and may not be seen has not come back.
func TestReturnedOutOfScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &helpertest.Helper{}
		h.Add(port(1), port(2))
		c := scoped(t, h, "marks = ['0/1']")
		c.s.helper = comingBack{h, map[uint32]time.Duration{1: 0, 2: 0}, func(c helpertest.Connection) helpertest.Connection {
			c.Mark = c.Target.ID % 2 // of 1001 and 1002
			return c
		}}
		reports, err := c.KillReport(t.Context(), []Ref{RefID(1), RefID(2)}, KillOptions{Watch: time.Second})
		if err != nil || reports[0].Outcome != OutcomeKilled || reports[1].Outcome != OutcomeReturned {
			t.Errorf("%+v, %v", reports, err)
		}
	})
}

// TestWatchWithoutHelper: that nobody knows whether they came back does not hide that they
// were killed.
func TestWatchWithoutHelper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &helpertest.Helper{}
		h.Add(port(1))
		c := scoped(t, h, "")
		time.AfterFunc(time.Second, func() { h.SetAway(true) })
		reports, err := c.KillReport(t.Context(), []Ref{RefID(1)}, KillOptions{Watch: 3 * time.Second})
		if err != nil || reports[0].Outcome != OutcomeKilled || !strings.Contains(reports[0].Detail, "not known") {
			t.Errorf("%+v, %v", reports, err)
		}
	})
}

// TestClientThatLeavesWhileWatching: the kills are done, and nobody goes on reading.
func TestClientThatLeavesWhileWatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &helpertest.Helper{}
		h.Add(port(1))
		c := scoped(t, h, "")
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		began := time.Now()
		if _, err := c.KillReport(ctx, []Ref{RefID(1)}, KillOptions{Watch: MaxWatch}); err != nil || time.Since(began) != time.Second || len(h.Table()) != 0 {
			t.Errorf("%v after %s, left %v", err, time.Since(began), h.Table())
		}
	})
}
