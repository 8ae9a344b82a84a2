// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// Memory of tables that were let go, and of what looking at a large one left behind, is given
// back to the system when no table was let go or looked at for restTime, and before the next large table is made the collector runs, so that the
// daemon never has more tables than it holds, and the new one. Both only when the tables
// had garbageRows rows or more together.
const (
	restTime    = 5 * time.Second
	garbageRows = 1 << 16
)

// Holder is what a session holds: the last table that it viewed. The zero value holds
// nothing. Only the store looks inside.
type Holder struct {
	last *Snapshot // guarded by Store.mu; nil when the store let it go
}

// Hold makes s the one table that h holds, in place of the one before. The store holds no
// more than MaxSnapshots tables: when there is one too many the oldest goes, whoever held
// it.
func (st *Store) Hold(h *Holder, s *Snapshot) {
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
		for at > 0 && st.held[at-1].taken.After(s.taken) {
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
func (st *Store) Last(h *Holder) *Snapshot {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.looked = time.Now()
	if h.last != nil {
		st.use(h.last)
	}
	return h.last
}

// Held gives the table with this name while anybody holds it.
func (st *Store) Held(name string) (*Snapshot, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.looked = time.Now()
	for _, s := range st.held {
		if s.name == name {
			st.use(s)
			return s, true
		}
	}
	return nil, false
}

// rateBase gives the table against which one that is read now has its rates: the newest
// that is old enough and not too old. The lock is held.
func (st *Store) rateBase(now time.Time) *Snapshot {
	for _, s := range slices.Backward(st.held) {
		if age := now.Sub(s.taken); age >= MinRateSpan {
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
		unheld := slices.IndexFunc(st.held[:len(st.held)-1], func(s *Snapshot) bool { return len(st.holders[s]) == 0 })
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
	if now.Sub(st.held[newest].taken) >= MinRateSpan {
		return newest, newest
	}
	for i, s := range st.held {
		if now.Sub(s.taken) >= MinRateSpan {
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

func (st *Store) forget(s *Snapshot) {
	for h := range st.holders[s] {
		h.last = nil
	}
	delete(st.holders, s)
}

// wakeRun tells Run that something may be due.
func (st *Store) wakeRun() {
	select {
	case st.wake <- struct{}{}:
	default:
	}
}

// collect lets the collector find the tables that were let go: soon, or else it would let the
// heap grow to twice what it was when it last looked, and before a new one is made. It is cheap:
// there are no pointers in a table.
func (st *Store) collect() {
	st.mu.Lock()
	due := st.uncollected >= garbageRows
	if due {
		st.uncollected = 0
	}
	st.mu.Unlock()
	if due {
		runtime.GC()
	}
}

// Run lets tables go and gives memory back when the time has come. It returns nil when
// ctx ends, after ending and awaiting the reading that is going on.
func (st *Store) Run(ctx context.Context) error {
	timer := time.NewTimer(math.MaxInt64)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			st.close()
			return nil
		case <-st.wake:
		case <-timer.C:
		}
		st.rest()
		if next, ok := st.next(); ok {
			timer.Reset(time.Until(next))
		} else {
			timer.Stop()
		}
	}
}

// rest does what is due.
func (st *Store) rest() {
	st.mu.Lock()
	now := time.Now()
	st.prune(now)
	at, due := st.restAt()
	give := due && st.running == nil && !now.Before(at)
	if give {
		st.garbage, st.uncollected, st.used = 0, 0, false
	}
	st.mu.Unlock()
	if give {
		debug.FreeOSMemory()
	} else {
		st.collect()
	}
}

// next says when something will be due, if anything will.
func (st *Store) next() (when time.Time, ok bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := time.Now()
	soonest := func(t time.Time) {
		if t.After(now) && (!ok || t.Before(when)) {
			when, ok = t, true
		}
	}
	if s := st.current(); s != nil {
		soonest(s.taken.Add(MinRateSpan))
		soonest(st.looked.Add(LookTime))
	}
	if at, due := st.restAt(); due {
		soonest(at)
	}
	return when, ok
}

// restAt is when memory is to be given back if nothing happens before. The lock is held.
func (st *Store) restAt() (at time.Time, due bool) {
	last := st.dropped
	if st.looked.After(last) {
		last = st.looked
	}
	return last.Add(restTime), st.used || st.garbage >= garbageRows
}

// use notes that a table is read or looked at: sorting and filtering a large one leaves as
// much garbage as it is long. The lock is held.
func (st *Store) use(s *Snapshot) { st.used = st.used || s.Len() >= garbageRows }

// close ends the reading that is going on and lets everything go.
func (st *Store) close() {
	st.mu.Lock()
	st.closed = true
	for _, s := range st.held {
		st.forget(s)
	}
	st.held = nil
	if st.running != nil {
		st.running.cancel(ErrClosed)
	}
	st.mu.Unlock()
	st.tasks.Wait()
}
