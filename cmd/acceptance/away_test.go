// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"sync"
	"syscall"
	"testing"

	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// TestHelperGoesAndComesBack kills the helper, lets it be away, and starts another.
func TestHelperGoesAndComesBack(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.1:80")})
		w := newWorld(t, everything)
		s := w.login(t)
		r := s.one(t, nil)
		before := kernelTable(t)
		for range 2 {
			w.Privd.Kill()
			wantAway(t, s, r)
			wantTable(t, before)
			w.StartPrivd(t)
			// By itself and at once, for whichever call comes first.
			s.ok(t, "change", "mark", r.key(t), 0)
			s.ok(t, "stats")
			s.one(t, nil)
		}
		s.ok(t, "kill", list(r.key(t)))
		wantTable(t, before, r.number(t, "id"))
	})
}

// wantAway makes every call that needs the helper, all at once, and those that do not.
func wantAway(t *testing.T, s *session, r row) {
	t.Helper()
	s.ok(t, "refresh")
	var calls sync.WaitGroup
	for method, params := range map[string][]any{
		"view":   nil,
		"kill":   {list(r.key(t))},
		"change": {"mark", r.key(t), 1},
		"stats":  nil,
	} {
		calls.Go(func() {
			_, f, err := s.try(document(method, s.with(params)...))
			if err != nil || f.code != 9 {
				t.Errorf("%s: fault %d %q, %v; want fault 9", method, f.code, f.text, err)
			}
		})
	}
	for _, method := range [...]string{"whoami", "fields", "refresh"} {
		s.ok(t, method)
	}
	another := s.client.login(t)
	another.want(t, 9, "", "kill", list(r.key(t)))
	another.ok(t, "logout")
	calls.Wait()
}

// TestHelperThatHangs stops the helper in the middle of its work: those who wait for it
// get a fault, the others are served.
func TestHelperThatHangs(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.1:80")})
		w := newWorld(t, everything)
		s := w.login(t)
		r := s.one(t, nil)
		before := kernelTable(t)
		w.Privd.Stop(t)
		s.ok(t, "refresh")
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() {
				_, f, err := s.try(document("view", s.id))
				if err != nil || f.code != 9 {
					t.Errorf("view: fault %d %q, %v; want fault 9", f.code, f.text, err)
				}
			})
			calls.Go(func() {
				_, f, err := s.try(document("stats", s.id))
				if err != nil || f.code != 9 {
					t.Errorf("stats: fault %d %q, %v; want fault 9", f.code, f.text, err)
				}
			})
		}
		s.ok(t, "whoami")
		w.login(t).ok(t, "fields")
		calls.Wait()
		w.Privd.Signal(t, syscall.SIGCONT)
		s.one(t, nil)
		wantTable(t, before)
		s.ok(t, "kill", list(r.key(t)))
		wantTable(t, before, r.number(t, "id"))
	})
}
