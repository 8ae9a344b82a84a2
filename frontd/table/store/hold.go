// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"slices"
	"time"

	"nuconntrack/frontd/table"
)

// A rate is measured against a table that is older by at least MinRateSpan, so that the
// jitter of two readings does not drown it, and at most MaxRateSpan, so that it speaks of
// now.
const (
	MinRateSpan = 500 * time.Millisecond
	MaxRateSpan = 60 * time.Second
)

// Holder is what a session holds: the last table that it viewed. The zero value holds
// nothing. Only the store looks inside.
type Holder struct {
	last *table.Snapshot // guarded by Store.mu; nil when the store let it go
}

// Hold makes s the one table that h holds, in place of the one before. The store holds no
// more than MaxSnapshots tables: when there is one too many the oldest goes, whoever held
// it.
func (st *Store) Hold(h *Holder, s *table.Snapshot) {
	st.mu.Lock()
	defer st.wakeRun()
	defer st.mu.Unlock()
	now := time.Now()
	st.looked = now
	if h.last == s || st.closed {
		return
	}
	st.release(h)
	if !slices.Contains(st.held, s) {
		at := len(st.held)
		for at > 0 && st.held[at-1].Taken().After(s.Taken()) {
			at--
		}
		st.held = slices.Insert(st.held, at, s)
	}
	h.last = s
	if st.holders[s] == nil {
		st.holders[s] = make(map[*Holder]bool)
	}
	st.holders[s][h] = true
	st.prune(now)
}

// Release ends what h holds; it may be called twice.
func (st *Store) Release(h *Holder) {
	st.mu.Lock()
	defer st.wakeRun()
	defer st.mu.Unlock()
	st.release(h)
	st.prune(time.Now())
}

func (st *Store) release(h *Holder) {
	delete(st.holders[h.last], h)
	if len(st.holders[h.last]) == 0 {
		delete(st.holders, h.last)
	}
	h.last = nil
}

// Last gives the table that h holds, nil when it holds none or when that one had to go.
func (st *Store) Last(h *Holder) *table.Snapshot {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.looked = time.Now()
	if h.last != nil {
		st.use(h.last)
	}
	return h.last
}

// Held gives the table with this name while anybody holds it.
func (st *Store) Held(name string) (*table.Snapshot, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.looked = time.Now()
	for _, s := range st.held {
		if s.Name() == name {
			st.use(s)
			return s, true
		}
	}
	return nil, false
}

// rateBase gives the table against which one that is read now has its rates: the newest
// that is old enough and not too old. The lock is held.
func (st *Store) rateBase(now time.Time) *table.Snapshot {
	for _, s := range slices.Backward(st.held) {
		if age := now.Sub(s.Taken()); age >= MinRateSpan {
			if age > MaxRateSpan {
				return nil
			}
			return s
		}
	}
	return nil
}

// prune lets go what nobody needs, and the oldest when there are too many, of those that
// a session holds only when there are no others. The lock is held.
func (st *Store) prune(now time.Time) {
	newest, base := st.needed(now)
	for i := len(st.held) - 1; i >= 0; i-- {
		if i != newest && i != base && i != base+1 && len(st.holders[st.held[i]]) == 0 {
			st.drop(i, now)
		}
	}
	for len(st.held) > st.maxSnapshots {
		unheld := slices.IndexFunc(st.held[:len(st.held)-1], func(s *table.Snapshot) bool { return len(st.holders[s]) == 0 })
		st.drop(max(0, unheld), now)
	}
}

// needed says which tables the store itself needs: the newest, until nobody has looked
// for LookTime; and while that is too new to measure rates against, as base the newest
// that is not, and the one behind it, or else readings in quick succession would have
// none to measure against once the base is too old.
func (st *Store) needed(now time.Time) (newest, base int) {
	newest = len(st.held) - 1
	if newest < 0 || now.Sub(st.looked) >= LookTime {
		return -2, -2 // so that the one behind is none either
	}
	if now.Sub(st.held[newest].Taken()) >= MinRateSpan {
		return newest, newest
	}
	for i, s := range st.held {
		if now.Sub(s.Taken()) >= MinRateSpan {
			base = i
		}
	}
	return newest, base
}

// drop lets a table go, and makes all who hold it forget it: sessions live for hours, and
// there are many more of them than tables that there is room for.
func (st *Store) drop(i int, now time.Time) {
	s := st.held[i]
	st.held = slices.Delete(st.held, i, i+1)
	st.forget(s)
	st.garbage += s.Len()
	st.uncollected += s.Len()
	st.dropped = now
}

func (st *Store) forget(s *table.Snapshot) {
	for h := range st.holders[s] {
		h.last = nil
	}
	delete(st.holders, s)
}
