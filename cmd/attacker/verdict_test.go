// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"testing"
	"time"
)

// compare wants the kernel's table to differ from the scene by what the audit has, and by
// nothing else, and the audit to have nothing that was not asked for.
func (s *scene) compare(t testing.TB, l *ledger) {
	t.Helper()
	after := table(t)
	names := make(map[string]bool, len(s.all))
	left := make(map[class]int)
	for _, c := range s.all {
		names[c.name] = true
		got, there := after[c.target]
		delete(after, c.target)
		if there {
			left[c.class]++
		}
		if killed := l.killed[c.name] > 0; killed == there {
			t.Errorf("%s %s: it is there: %t, the audit says that it was killed: %t", c.class, c.name, there, killed)
		} else if killed && (!c.mayChange() || !c.askedKill.Load()) {
			t.Errorf("%s %s was killed, a packet for it was sent: %t", c.class, c.name, c.askedKill.Load())
		}
		c.wantMark(t, l, got, there)
		c.wantTimeout(t, l, got, there, time.Since(s.made))
	}
	for target := range after {
		t.Errorf("created: %s", nameOf(target))
	}
	for _, name := range l.touched() {
		if !names[name] {
			t.Errorf("the audit has acts on what was never there: %s", name)
		}
	}
	for _, c := range [...]class{protected, foreign, bystander} {
		if left[c] != len(s.of[c]) {
			t.Errorf("%d of %d %s connections are left", left[c], len(s.of[c]), c)
		}
	}
	t.Logf("left: %v of %d; %d marks and %d timeouts changed", left, len(s.all), len(l.marks), len(l.fixed))
}

func (c *connection) mayChange() bool { return c.class == victim || c.class == reserve }

// wantMark wants the mark that the audit's last entry has, or the first one.
func (c *connection) wantMark(t testing.TB, l *ledger, got state, there bool) {
	t.Helper()
	said, changed := l.marks[c.name]
	want := c.before.mark
	if changed {
		if !c.mayChange() || !c.askedMark.Load() {
			t.Errorf("the mark of %s %s was changed, a packet for it was sent: %t", c.class, c.name, c.askedMark.Load())
		}
		if said.first != want || (said.first^said.last)&^markMask != 0 {
			t.Errorf("%s: the mark was %#x, the audit says that it went from %#x to %#x", c.name, want, said.first, said.last)
		}
		want = said.last
	}
	if there && got.mark != want {
		t.Errorf("%s %s has mark %#x, want %#x", c.class, c.name, got.mark, want)
	}
}

// wantTimeout wants the status to be as it was, but for the bit of a timeout that the
// audit says was fixed, and the timeout to have run since and nothing else.
func (c *connection) wantTimeout(t testing.TB, l *ledger, got state, there bool, ran time.Duration) {
	t.Helper()
	set, fixed := l.fixed[c.name]
	want := c.before
	if fixed {
		if !c.mayChange() || !c.askedTimeout.Load() {
			t.Errorf("the timeout of %s %s was fixed, a packet for it was sent: %t", c.class, c.name, c.askedTimeout.Load())
		}
		want.status |= fixedTimeout
		want.timeout = set
	}
	if !there {
		return
	}
	if got.status != want.status {
		t.Errorf("%s %s has status %#x, want %#x", c.class, c.name, got.status, want.status)
	}
	if least := want.timeout - uint32(ran.Seconds()) - 2; got.timeout > want.timeout || got.timeout < least {
		t.Errorf("%s %s has a timeout of %d s, want %d to %d", c.class, c.name, got.timeout, least, want.timeout)
	}
}

// touched are the names of all that the audit says was killed or changed.
func (l *ledger) touched() (names []string) {
	for name := range l.killed {
		names = append(names, name)
	}
	for name := range l.marks {
		names = append(names, name)
	}
	for name := range l.fixed {
		names = append(names, name)
	}
	return names
}
