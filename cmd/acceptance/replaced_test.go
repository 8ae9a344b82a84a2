// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"testing"

	"nuconntrack/privd/nstest"

	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"
)

// TestReplacedConnectionSurvives: between view and kill the connection ends and another
// one gets its addresses. Whoever meant the first must not hit the second.
func TestReplacedConnectionSurvives(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.1:80")
		nstest.Create(t, nstest.Connection{Target: target, Mark: 1})
		s := newWorld(t, everything).login(t)
		first := s.one(t, nil)
		replace(t, nstest.Connection{Target: target, Mark: 2})
		before := kernelTable(t)
		s.want(t, 7, "replaced", "kill", list(first.key(t)))
		s.want(t, 7, "replaced", "kill", list(first["id"]))
		s.want(t, 7, "replaced", "change", "mark", first.key(t), 3)
		s.want(t, 7, "replaced", "change", "timeout", first["id"], 100)
		wantTable(t, before)
		// Among others it is named, and the others are killed.
		other := nstest.Target(unix.IPPROTO_UDP, "192.0.2.2:1000", "198.51.100.1:53")
		nstest.Create(t, nstest.Connection{Target: other})
		second := s.one(t, filters{"proto": "udp"})
		before = kernelTable(t)
		s.want(t, 7, first.key(t), "kill", list(second.key(t), first.key(t)))
		wantTable(t, before, second.number(t, "id"))
		// Whoever looks again may.
		now := s.one(t, filters{"orig_src": "192.0.2.1"})
		now.has(t, row{"mark": "2"})
		s.ok(t, "kill", list(now.key(t)))
		wantTable(t, before, second.number(t, "id"), now.number(t, "id"))
	})
}

// replace removes the one connection and makes another with the same tuples. Its id
// hashes its place in memory, which is used again at once: others have to take it.
func replace(t *testing.T, again nstest.Connection) {
	t.Helper()
	c, err := conntrack.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	old := nstest.List(t)[0]
	for port := range uint16(100) {
		if err := c.Delete(old); err != nil {
			t.Fatal(err)
		}
		filler := nstest.Target(unix.IPPROTO_TCP, "192.0.2.9:1", "192.0.2.8:1")
		filler.Orig.SrcPort, filler.Reply.DstPort = port, port
		nstest.Create(t, nstest.Connection{Target: filler}, again)
		for _, f := range nstest.List(t) {
			if f.Mark == again.Mark && f.ID != old.ID {
				return
			}
		}
	}
	t.Fatal("every connection with these tuples gets the same id")
}
