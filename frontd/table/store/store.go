// SPDX-License-Identifier: GPL-2.0-or-later

package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"nuconntrack/frontd/table"
)

// What Config's zero values stand for.
const (
	DefaultMaxAge       = time.Second
	DefaultMaxSnapshots = 4
)

// LookTime is how long after the last look the newest table is kept for the next one.
const LookTime = 60 * time.Second

// ErrClosed is what Fresh fails with when Run has ended.
var ErrClosed = errors.New("table store is closed")

// errNobodyWaits ends a reading that all who wanted it have left.
var errNobodyWaits = errors.New("nobody waits for it")

// Config says what a Store is made of.
type Config struct {
	Source table.Source
	// MaxAge is how old a table may be that Fresh gives to a caller who does not ask for
	// more; 0 is DefaultMaxAge. A table that took long to read may be twice that time old.
	MaxAge time.Duration
	// MaxSnapshots is how many tables are held at most, the newest counted; 0 is
	// DefaultMaxSnapshots.
	MaxSnapshots int
	// Meaning says what marks stand for, for each table anew; nil: nothing. Tables that are
	// held keep theirs.
	Meaning func() *table.Meaning
	// Read is told of each reading that has ended: of the table, or of why there is none. It
	// runs before those who wait for the reading go on. nil: nobody is told.
	Read   func(*table.Snapshot, error)
	Logger *slog.Logger // nil discards
}

// Store reads the table when somebody looks, once for all who look, and holds the tables
// that sessions look at. Its methods may be called by any number of goroutines.
type Store struct {
	cfg    Config
	seed   maphash.Seed // one for all snapshots: rates look rows of one up in another
	prefix string
	wake   chan struct{} // tells Run that something may have become due earlier
	tasks  sync.WaitGroup

	mu     sync.Mutex // guards the rest
	closed bool
	// maxAge and maxSnapshots are those of cfg, or what SetLimits says.
	maxAge       time.Duration
	maxSnapshots int
	held         []*table.Snapshot                    // from old to new; the last is current
	holders      map[*table.Snapshot]map[*Holder]bool // never of a table that is not held
	running      *reading                             // nil when none is
	count        uint64                               // of snapshots named
	looked       time.Time
	garbage      int       // rows let go since memory was last given back
	uncollected  int       // rows let go since the collector was last sent for them
	dropped      time.Time // when rows were last let go
	used         bool      // a large table was read or looked at since memory was last given back
}

// reading is one reading of the kernel that is going on.
type reading struct {
	began   time.Time
	cancel  context.CancelCauseFunc
	done    chan struct{} // closed when snap and err are set
	snap    *table.Snapshot
	err     error
	waiters int // who want its result; guarded by Store.mu
	left    bool
}

// New makes a store. It reads nothing before somebody looks.
func New(cfg Config) *Store {
	maxAge, maxSnapshots := limitsOr(cfg.MaxAge, cfg.MaxSnapshots)
	if cfg.Meaning == nil {
		cfg.Meaning = func() *table.Meaning { return nil }
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Store{
		cfg:    cfg,
		maxAge: maxAge, maxSnapshots: maxSnapshots,
		seed:    maphash.MakeSeed(),
		prefix:  rand.Text()[:10],
		wake:    make(chan struct{}, 1),
		holders: make(map[*table.Snapshot]map[*Holder]bool),
	}
}

// SetLimits replaces MaxAge and MaxSnapshots of the Config, for all who look from now on. Tables
// that are one too many now go with the next one that is read or held.
func (st *Store) SetLimits(maxAge time.Duration, maxSnapshots int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.maxAge, st.maxSnapshots = limitsOr(maxAge, maxSnapshots)
}

func limitsOr(maxAge time.Duration, maxSnapshots int) (time.Duration, int) {
	if maxAge == 0 {
		maxAge = DefaultMaxAge
	}
	if maxSnapshots == 0 {
		maxSnapshots = DefaultMaxSnapshots
	}
	return maxAge, maxSnapshots
}

// Fresh gives a table whose reading began no longer than MaxAge before the call, or twice
// the time it took if that is more, and not before notBefore, which may be zero. A reading that is going on is shared if it will do, and otherwise the next
// one is waited for: there is never more than one. An error of the source goes to all who
// wait for that reading, and is not remembered. When ctx ends, the caller leaves with its
// error; the reading goes on as long as somebody waits for it.
func (st *Store) Fresh(ctx context.Context, notBefore time.Time) (*table.Snapshot, error) {
	called := time.Now()
	for {
		s, r, joined, err := st.look(called, notBefore)
		if s != nil || err != nil {
			return s, err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			if joined {
				st.leave(r)
			}
			return nil, ctx.Err()
		}
		if joined {
			return r.snap, r.err
		}
	}
}

// look gives the current table if it will do; else a reading to wait for, which the
// caller has joined or which has only to be over.
func (st *Store) look(called, notBefore time.Time) (s *table.Snapshot, r *reading, joined bool, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.looked = time.Now()
	if st.closed {
		return nil, nil, false, ErrClosed
	}
	if s := st.current(); s != nil && !s.Taken().Before(st.oldest(s, called, notBefore)) {
		st.use(s)
		return s, nil, false, nil
	}
	r = st.running
	switch {
	case r == nil:
		r = st.start()
	case r.left || r.began.Before(notBefore):
		return nil, r, false, nil
	}
	r.waiters++
	return nil, r, true, nil
}

// oldest is when the reading of a table that will do began at the earliest. By its age a
// reading that is going on always will: it began before the call by less than it takes.
func (st *Store) oldest(s *table.Snapshot, called, notBefore time.Time) time.Time {
	oldest := called.Add(-max(st.maxAge, 2*s.Spent()))
	if notBefore.After(oldest) {
		return notBefore
	}
	return oldest
}

// leave takes a waiter away, and ends the reading with the last one.
func (st *Store) leave(r *reading) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if r.waiters--; r.waiters == 0 {
		r.left = true
		r.cancel(errNobodyWaits)
	}
}

// start begins a reading. The lock is held.
func (st *Store) start() *reading {
	ctx, cancel := context.WithCancelCause(context.Background())
	r := &reading{began: time.Now(), cancel: cancel, done: make(chan struct{})}
	st.running = r
	st.count++
	name := fmt.Sprintf("%s-%d", st.prefix, st.count)
	base := st.rateBase(r.began)
	st.tasks.Go(func() {
		defer cancel(nil)
		st.collect()
		snap, err := table.Read(ctx, st.cfg.Source, table.ReadConfig{Name: name, Base: base, Seed: st.seed, Meaning: st.cfg.Meaning()})
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("read connections: %w", context.Cause(ctx))
		}
		st.finish(r, snap, err)
	})
	return r
}

// finish makes the table the current one and tells who waits.
func (st *Store) finish(r *reading, snap *table.Snapshot, err error) {
	if st.cfg.Read != nil {
		st.cfg.Read(snap, err)
	}
	st.mu.Lock()
	st.running = nil
	r.snap, r.err = snap, err
	close(r.done)
	if r.waiters > 0 {
		st.looked = time.Now() // they looked all the time
	}
	if err == nil && !st.closed {
		st.held = append(st.held, snap)
		st.use(snap)
		st.prune(time.Now())
	}
	quiet := st.closed || r.left
	st.mu.Unlock()
	st.wakeRun()
	switch {
	case err == nil:
		st.logRead(snap)
	case !quiet:
		st.cfg.Logger.Warn("reading the connection table failed", "error", err)
	}
}

func (st *Store) logRead(s *table.Snapshot) {
	level := slog.LevelDebug
	if s.Malformed() > 0 || s.Cut() {
		level = slog.LevelWarn
	}
	st.cfg.Logger.Log(context.Background(), level, "connection table read", "snapshot", s.Name(),
		"connections", s.Len(), "spent", s.Spent(), "malformed", s.Malformed(), "repeated", s.Repeated(),
		"cut", s.Cut(), "interrupted", s.Interrupted())
}

// current is the newest table, nil when there is none. The lock is held.
func (st *Store) current() *table.Snapshot {
	if len(st.held) == 0 {
		return nil
	}
	return st.held[len(st.held)-1]
}
