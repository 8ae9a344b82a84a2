// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table"
)

// isHeld says whether the name still stands for the table.
func isHeld(st *Store, s *table.Snapshot) bool {
	got, ok := st.Held(s.Name())
	return ok && got == s
}

func countHeld(st *Store) int {
	st.mu.Lock()
	defer st.mu.Unlock()
	return len(st.held)
}

// settle waits until no table is held for rates alone.
func settle() {
	time.Sleep(MinRateSpan)
	synctest.Wait()
}

// newer reads a table a second later.
func newer(t *testing.T, st *Store) *table.Snapshot {
	t.Helper()
	time.Sleep(time.Second)
	return fresh(t, st, time.Now())
}

func TestHoldKeepsWhatASessionViewed(t *testing.T) {
	withStore(t, 4, func(t *testing.T, st *Store, _ *fakeSource) {
		var h Holder
		if st.Last(&h) != nil {
			t.Error("a new session holds a table")
		}
		first := newer(t, st)
		st.Hold(&h, first)
		for range 3 {
			newer(t, st)
		}
		if st.Last(&h) != first || !isHeld(st, first) {
			t.Error("the table that the session viewed was let go")
		}
		second := newer(t, st)
		st.Hold(&h, second)
		if isHeld(st, first) || st.Last(&h) != second {
			t.Error("the session holds two tables, or the wrong one")
		}
		third := newer(t, st)
		settle()
		st.Release(&h)
		st.Release(&h)
		if isHeld(st, second) || st.Last(&h) != nil || !isHeld(st, third) {
			t.Error("after the session ended its table is held, or the newest is not")
		}
		if _, ok := st.Held("no such table"); ok {
			t.Error("a table that never was is held")
		}
	})
}

func TestHoldSharedBySessions(t *testing.T) {
	withStore(t, 4, func(t *testing.T, st *Store, _ *fakeSource) {
		var a, b Holder
		s := newer(t, st)
		st.Hold(&a, s)
		st.Hold(&b, s)
		st.Hold(&b, s)
		newer(t, st)
		settle()
		st.Release(&b)
		if !isHeld(st, s) {
			t.Error("let go while one session still holds it")
		}
		st.Release(&a)
		if isHeld(st, s) {
			t.Error("held by nobody")
		}
	})
}

func TestHoldEvictsTheOldest(t *testing.T) {
	for _, limit := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			withStore(t, limit, func(t *testing.T, st *Store, _ *fakeSource) {
				holders := make([]Holder, limit+2)
				tables := make([]*table.Snapshot, len(holders))
				for i := range holders {
					tables[i] = newer(t, st)
					st.Hold(&holders[i], tables[i])
					if n := countHeld(st); n > limit {
						t.Fatalf("%d tables held, want %d at most", n, limit)
					}
				}
				for i := range holders {
					want := i >= len(holders)-limit
					if isHeld(st, tables[i]) != want || (st.Last(&holders[i]) != nil) != want {
						t.Errorf("table %d of %d held: %t, want %t", i, len(holders), !want, want)
					}
				}
				// A session may come back with a table it still has in hand.
				st.Hold(&holders[0], tables[0])
				if n := countHeld(st); n > limit {
					t.Errorf("%d tables held, want %d at most", n, limit)
				}
			})
		})
	}
}

// TestSessionsKeepNoTableThatWentAway: a table that had to go is gone from memory, though the
// sessions that viewed it live on.
func TestSessionsKeepNoTableThatWentAway(t *testing.T) {
	const limit = 2
	withStore(t, limit, func(t *testing.T, st *Store, _ *fakeSource) {
		sessions := make([]Holder, 20)
		tables := make([]weak.Pointer[table.Snapshot], len(sessions))
		for i := range sessions {
			s := newer(t, st)
			st.Hold(&sessions[i], s)
			tables[i] = weak.Make(s)
		}
		runtime.GC()
		there := 0
		for _, s := range tables {
			if s.Value() != nil {
				there++
			}
		}
		if there > limit {
			t.Errorf("%d tables are in memory, at most %d are to be held", there, limit)
		}
		runtime.KeepAlive(sessions)
	})
}

func TestHoldPrefersSessionsOverRates(t *testing.T) {
	withStore(t, 4, func(t *testing.T, st *Store, _ *fakeSource) {
		var holders [3]Holder
		var tables [3]*table.Snapshot
		for i := range holders {
			tables[i] = newer(t, st)
			st.Hold(&holders[i], tables[i])
		}
		for range 10 {
			time.Sleep(50 * time.Millisecond)
			fresh(t, st, time.Now())
		}
		for i := range tables {
			if !isHeld(st, tables[i]) {
				t.Errorf("table %d had to go for one that no session holds", i)
			}
		}
	})
}

func TestRatesUnderQuickRefresh(t *testing.T) {
	withStore(t, 4, func(t *testing.T, st *Store, src *fakeSource) {
		moving := helpertest.Port(6, 1, "192.0.2.1:1", "192.0.2.2:443")
		rate, _ := table.FieldNamed("orig_byte_rate")
		began := time.Now()
		for i := range 1000 {
			// 1000 bytes a second, for longer than MaxRateSpan.
			moving.OrigBytes = uint64(time.Since(began).Milliseconds())
			src.set(func(f *fakeSource) { f.data = [][]byte{moving.Message()} })
			s := fresh(t, st, time.Now())
			if n := countHeld(st); n > 3 {
				t.Fatalf("%d tables held", n)
			}
			if v, known := rate.Value(s, 0); i >= 5 && (!known || v.Num != 1000) {
				t.Fatalf("reading %d: rate %d, %t", i, v.Num, known)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func TestNobodyLooks(t *testing.T) {
	withStore(t, 4, func(t *testing.T, st *Store, src *fakeSource) {
		var h Holder
		viewed := newer(t, st)
		st.Hold(&h, viewed)
		newer(t, st)
		newer(t, st)
		if n := countHeld(st); n != 2 && n != 3 {
			t.Errorf("%d tables held, want the session's, the newest and perhaps a base", n)
		}
		settle()
		if n := countHeld(st); n != 2 {
			t.Errorf("%d tables held at rest, want the session's and the newest", n)
		}
		dumps := src.dumps.Load()
		time.Sleep(LookTime)
		synctest.Wait()
		if n := countHeld(st); n != 1 || !isHeld(st, viewed) {
			t.Errorf("%d tables held, want the session's alone", n)
		}
		st.Release(&h)
		if n := countHeld(st); n > 1 {
			t.Errorf("%d tables held after the session's end", n)
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := countHeld(st); n != 0 || src.dumps.Load() != dumps {
			t.Errorf("%d tables held and %d dumps while nobody looked", n, src.dumps.Load()-dumps)
		}
	})
}

func TestRateBase(t *testing.T) {
	tests := []struct {
		name string
		ages []time.Duration
		want time.Duration // 0 is none
	}{
		{"none", nil, 0},
		{"too new", []time.Duration{MinRateSpan - 1}, 0},
		{"new enough", []time.Duration{MinRateSpan}, MinRateSpan},
		{"newest that is old enough", []time.Duration{10 * time.Second, time.Second, time.Millisecond}, time.Second},
		{"just not too old", []time.Duration{MaxRateSpan}, MaxRateSpan},
		{"too old", []time.Duration{MaxRateSpan + 1}, 0},
		{"too old and too new", []time.Duration{time.Hour, 0}, 0},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			st := New(Config{})
			now := time.Now().Add(2 * time.Hour)
			for _, age := range tt.ages {
				time.Sleep(time.Until(now.Add(-age)))
				s, err := table.Read(t.Context(), new(fakeSource), table.ReadConfig{Seed: st.seed})
				if err != nil {
					t.Fatal(err)
				}
				st.held = append(st.held, s)
			}
			got := time.Duration(0)
			if s := st.rateBase(now); s != nil {
				got = now.Sub(s.Taken())
			}
			if got != tt.want {
				t.Errorf("%s: base of %s, want %s", tt.name, got, tt.want)
			}
		})
	}
}
