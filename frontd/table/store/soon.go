// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"context"
	"time"

	"nuconntrack/frontd/table"
)

// Patience is how long Soon waits for a newer table when it has an older one.
const Patience = 30 * time.Millisecond

// Soon is Fresh for who would rather see an older table at once than wait for a new one. When
// that takes longer than Patience, it gives the newest table that is held, whatever its age, and
// reading is true: the newer one is read to its end, for the next look. With no table held it waits
// as Fresh does. An error of the source that is known in time goes to the caller.
func (st *Store) Soon(ctx context.Context) (snap *table.Snapshot, reading bool, err error) {
	called := time.Now()
	snap, r, joined, err := st.look(called, time.Time{})
	if snap != nil || err != nil {
		return snap, false, err
	}
	st.mu.Lock()
	old := st.current()
	st.mu.Unlock()
	if old == nil || !joined {
		if joined {
			defer st.leave(r)
		}
		snap, err = st.Fresh(ctx, time.Time{})
		return snap, false, err
	}
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case <-r.done:
		return r.snap, false, r.err
	case <-ctx.Done():
		st.leave(r)
		return nil, false, ctx.Err()
	case <-timer.C:
		// The place among those who wait is kept: the reading is wanted.
		return old, true, nil
	}
}
