// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/table"
)

func soon(t *testing.T, st *Store) (*table.Snapshot, bool) {
	t.Helper()
	s, reading, err := st.Soon(t.Context())
	if err != nil {
		t.Fatalf("Soon: %v", err)
	}
	return s, reading
}

// TestSoon: who cannot wait gets the table that there is, and has started the next one.
func TestSoon(t *testing.T) {
	withStore(t, 0, func(t *testing.T, st *Store, src *fakeSource) {
		src.set(func(f *fakeSource) { f.spent = 300 * time.Millisecond })
		began := time.Now()
		first, reading := soon(t, st)
		if reading || time.Since(began) < 300*time.Millisecond {
			t.Errorf("with no table it waits for one: %v after %s", reading, time.Since(began))
		}
		if s, reading := soon(t, st); s != first || reading {
			t.Error("a young table does")
		}
		time.Sleep(5 * time.Second)
		began = time.Now()
		if s, reading := soon(t, st); s != first || !reading || time.Since(began) != Patience {
			t.Errorf("another table, or no newer one on its way, after %s", time.Since(began))
		}
		if s, reading := soon(t, st); s != first || !reading {
			t.Error("who comes meanwhile gets something else")
		}
		time.Sleep(500 * time.Millisecond)
		if s, reading := soon(t, st); s == first || reading {
			t.Error("the reading did not go on when nobody waited any more")
		}
		if n := src.dumps.Load(); n != 2 {
			t.Errorf("%d dumps", n)
		}
		time.Sleep(2 * time.Minute)
		if n := src.dumps.Load(); n != 2 {
			t.Errorf("%d dumps though nobody looked", n)
		}
	})
}

// TestSoonWaitsALittle: a table that is read at once is the newest.
func TestSoonWaitsALittle(t *testing.T) {
	withStore(t, 0, func(t *testing.T, st *Store, src *fakeSource) {
		src.set(func(f *fakeSource) { f.spent = Patience / 2 })
		first, _ := soon(t, st)
		time.Sleep(5 * time.Second)
		if s, reading := soon(t, st); s == first || reading {
			t.Error("an old table, where a new one was a moment away")
		}
	})
}

func TestSoonFails(t *testing.T) {
	withStore(t, 0, func(t *testing.T, st *Store, src *fakeSource) {
		away := errors.New("away")
		src.set(func(f *fakeSource) { f.err = away })
		if _, _, err := st.Soon(t.Context()); !errors.Is(err, away) {
			t.Errorf("with no table: %v", err)
		}
		src.set(func(f *fakeSource) { f.err = nil })
		first, _ := soon(t, st)
		time.Sleep(5 * time.Second)
		src.set(func(f *fakeSource) { f.err = away })
		if s, _, err := st.Soon(t.Context()); !errors.Is(err, away) {
			t.Errorf("with an old table %v: %v", s == first, err)
		}
		src.set(func(f *fakeSource) { f.err, f.spent = nil, time.Minute })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := st.Soon(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("left: %v", err)
		}
		synctest.Wait()
		if n := src.cancelled.Load(); n != 1 {
			t.Errorf("%d readings were ended when the last one left", n)
		}
	})
}
