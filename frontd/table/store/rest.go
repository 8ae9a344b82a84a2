// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"time"

	"nuconntrack/frontd/table"
)

// Memory of tables that were let go, and of what looking at a large one left behind, is given
// back to the system when no table was let go or looked at for restTime, and before the next large table is made the collector runs, so that the
// daemon never has more tables than it holds, and the new one. Both only when the tables
// had garbageRows rows or more together.
const (
	restTime    = 5 * time.Second
	garbageRows = 1 << 16
)

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
		soonest(s.Taken().Add(MinRateSpan))
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
func (st *Store) use(s *table.Snapshot) { st.used = st.used || s.Len() >= garbageRows }

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
