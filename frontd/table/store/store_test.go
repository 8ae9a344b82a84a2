// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table"
	"nuconntrack/ipc"
)

// fakeSource dumps its data in spent, unless it fails.
type fakeSource struct {
	mu    sync.Mutex
	data  [][]byte
	spent time.Duration
	err   error
	errno uint32

	dumps, atOnce, most atomic.Int32
	cancelled           atomic.Int32
}

func (f *fakeSource) Stats(context.Context) (ipc.Stats, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return ipc.Stats{Known: ipc.StatCount, Count: uint32(len(f.data))}, f.err
}

func (f *fakeSource) Dump(ctx context.Context, each func([]byte) error) (ipc.DumpEnd, error) {
	f.dumps.Add(1)
	f.most.Store(max(f.most.Load(), f.atOnce.Add(1)))
	defer f.atOnce.Add(-1)
	f.mu.Lock()
	data, spent, errno := f.data, f.spent, f.errno
	f.mu.Unlock()
	select {
	case <-time.After(spent):
	case <-ctx.Done():
		f.cancelled.Add(1)
		return ipc.DumpEnd{}, ctx.Err()
	}
	for _, m := range data {
		if err := each(m); err != nil {
			return ipc.DumpEnd{}, err
		}
	}
	return ipc.DumpEnd{Errno: errno, Spent: spent}, nil
}

func (f *fakeSource) set(change func(*fakeSource)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// withStore runs a test on a store that is running, in a bubble of its own time.
func withStore(t *testing.T, maxSnapshots int, test func(t *testing.T, st *Store, src *fakeSource)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{data: [][]byte{helpertest.Port(6, 1, "192.0.2.1:1", "192.0.2.2:443").Message()}}
		st := New(Config{Source: src, MaxSnapshots: maxSnapshots})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- st.Run(ctx) }()
		test(t, st, src)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
		if _, err := st.Fresh(t.Context(), time.Time{}); !errors.Is(err, ErrClosed) {
			t.Errorf("Fresh after Run = %v, want ErrClosed", err)
		}
		if most := src.most.Load(); most > 1 {
			t.Errorf("%d readings at once", most)
		}
	})
}

func fresh(t *testing.T, st *Store, notBefore time.Time) *table.Snapshot {
	t.Helper()
	s, err := st.Fresh(t.Context(), notBefore)
	if err != nil {
		t.Errorf("Fresh: %v", err)
		return new(table.Snapshot)
	}
	return s
}

func TestFreshness(t *testing.T) {
	tests := []struct {
		name  string
		spent time.Duration // that a reading takes
		wait  time.Duration // between the beginning of the first reading and the second look
		dumps int32
	}{
		{"at once", 0, 0, 1},
		{"within the second", 0, 999 * time.Millisecond, 1},
		{"at the second", 0, time.Second, 1},
		{"after the second", 0, time.Second + 1, 2},
		{"twice a long reading", 3 * time.Second, 6 * time.Second, 1},
		{"more than twice a long reading", 3 * time.Second, 6*time.Second + 1, 2},
		{"a short reading does not shorten it", 100 * time.Millisecond, time.Second, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withStore(t, 0, func(t *testing.T, st *Store, src *fakeSource) {
				src.set(func(f *fakeSource) { f.spent = tt.spent })
				began := time.Now()
				a := fresh(t, st, time.Time{})
				time.Sleep(time.Until(began.Add(tt.wait)))
				b := fresh(t, st, time.Time{})
				if got := src.dumps.Load(); got != tt.dumps {
					t.Errorf("%d dumps, want %d", got, tt.dumps)
				}
				if (a == b) != (tt.dumps == 1) || (a.Name() == b.Name()) != (a == b) {
					t.Errorf("tables %s and %s", a.Name(), b.Name())
				}
				if a.Spent() != tt.spent || !a.Taken().Equal(began) || a.Stats().Count != 1 {
					t.Errorf("taken %s, spent %s, stats %+v", a.Taken(), a.Spent(), a.Stats())
				}
			})
		})
	}
}

func TestFreshSharesOneReading(t *testing.T) {
	withStore(t, 0, func(t *testing.T, st *Store, src *fakeSource) {
		src.set(func(f *fakeSource) { f.spent = 5 * time.Second })
		var got [20]*table.Snapshot
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 200 * time.Millisecond)
				got[i] = fresh(t, st, time.Time{})
			})
		}
		wg.Wait()
		for i := range got {
			if got[i] != got[0] {
				t.Errorf("caller %d did not share", i)
			}
		}
		if n := src.dumps.Load(); n != 1 {
			t.Errorf("%d dumps, want 1", n)
		}
	})
}

func TestFreshAfterRefresh(t *testing.T) {
	withStore(t, 0, func(t *testing.T, st *Store, src *fakeSource) {
		src.set(func(f *fakeSource) { f.spent = 2 * time.Second })
		go fresh(t, st, time.Time{})
		time.Sleep(time.Second)
		refreshed := time.Now()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if s := fresh(t, st, refreshed); s.Taken().Before(refreshed) {
					t.Errorf("table of %s, refreshed at %s", s.Taken(), refreshed)
				}
			})
		}
		wg.Wait()
		if n := src.dumps.Load(); n != 2 {
			t.Errorf("%d dumps, want 2: the one that ran, and one for all who refreshed", n)
		}
	})
}

func TestFreshAgeCountsAfterRefreshToo(t *testing.T) {
	withStore(t, 0, func(t *testing.T, st *Store, src *fakeSource) {
		refreshed := time.Now()
		fresh(t, st, refreshed)
		time.Sleep(time.Minute)
		if s := fresh(t, st, refreshed); time.Since(s.Taken()) > DefaultMaxAge {
			t.Errorf("table is %s old", time.Since(s.Taken()))
		}
	})
}

func TestFreshErrors(t *testing.T) {
	withStore(t, 0, func(t *testing.T, st *Store, src *fakeSource) {
		away := errors.New("helper is away")
		src.set(func(f *fakeSource) { f.err = away })
		if _, err := st.Fresh(t.Context(), time.Time{}); !errors.Is(err, away) {
			t.Errorf("statistics fail: %v", err)
		}
		src.set(func(f *fakeSource) { f.err, f.errno = nil, uint32(syscall.ENOBUFS) })
		if _, err := st.Fresh(t.Context(), time.Time{}); !errors.Is(err, syscall.ENOBUFS) {
			t.Errorf("kernel fails: %v", err)
		}
		src.set(func(f *fakeSource) { f.errno, f.data = 0, [][]byte{{1, 2, 3}} })
		var framing *table.FramingError
		if _, err := st.Fresh(t.Context(), time.Time{}); !errors.As(err, &framing) {
			t.Errorf("framing is broken: %v", err)
		}
		src.set(func(f *fakeSource) { f.data = nil })
		if s := fresh(t, st, time.Time{}); s.Len() != 0 {
			t.Errorf("%d connections, want 0", s.Len())
		}
	})
}

func TestFreshCancel(t *testing.T) {
	withStore(t, 0, func(t *testing.T, st *Store, src *fakeSource) {
		src.set(func(f *fakeSource) { f.spent = 10 * time.Second })
		patient := make(chan *table.Snapshot)
		go func() { patient <- fresh(t, st, time.Time{}) }()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := st.Fresh(short, time.Time{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("impatient caller got %v", err)
		}
		if s := <-patient; s.Len() != 1 || src.cancelled.Load() != 0 {
			t.Errorf("the other caller lost its reading")
		}

		// The last one to leave ends the reading, and who comes then gets another.
		later := time.Now().Add(time.Minute)
		time.Sleep(time.Until(later))
		short, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := st.Fresh(short, later); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("lone caller got %v", err)
		}
		if s := fresh(t, st, later); s.Taken().Before(later) {
			t.Errorf("table is too old")
		}
		if n := src.cancelled.Load(); n != 1 {
			t.Errorf("%d readings cancelled, want 1", n)
		}
	})
}

func TestRunEndsReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &fakeSource{spent: time.Hour}
		st := New(Config{Source: src})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- st.Run(ctx) }()
		got := make(chan error)
		go func() {
			_, err := st.Fresh(t.Context(), time.Time{})
			got <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-got; !errors.Is(err, ErrClosed) {
			t.Errorf("Fresh = %v, want ErrClosed", err)
		}
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}
