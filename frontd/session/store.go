// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// What a Config of zeros stands for.
const (
	DefaultTimeout  = 10 * time.Second
	DefaultLifetime = 12 * time.Hour
	DefaultPerUser  = 64
	DefaultMax      = 1024
)

var (
	// ErrUnknown means that there is no such session: it never was, or it ended.
	// The two are not told apart (fault 2).
	ErrUnknown = errors.New("session unknown or expired")
	// ErrClosed is Create's answer once Run has returned.
	ErrClosed = errors.New("no new sessions: shutting down")
)

// LimitError is Create's answer when there are too many sessions (fault 10).
type LimitError struct {
	// PerUser says which bound was met: that of the user, or that of all users.
	PerUser bool
	// Limit is that bound.
	Limit int
	// Retry is after how many seconds trying again makes sense: the first session
	// that counts ends then if it is not used. At least 1.
	Retry int
}

func (e *LimitError) Error() string {
	whose := "in all"
	if e.PerUser {
		whose = "of this user"
	}
	return fmt.Sprintf("%d sessions %s are open already, try again after %d seconds", e.Limit, whose, e.Retry)
}

// Config of a Store. What is zero or negative takes the default of its name; what stands in
// Limits too is explained there.
type Config[T any] struct {
	Timeout, Lifetime time.Duration
	PerUser, Max      int
	// OnEnd, if not nil, is called exactly once for every session, when it has ended
	// and none of its calls runs any more. It may call the store. It runs on the
	// goroutine that noticed (a release, End, Create, Acquire, Peek or Run) and should
	// not block.
	OnEnd func(*Session[T])
}

// A Store holds the living sessions. It is safe for concurrent use.
type Store[T any] struct {
	onEnd func(*Session[T])
	wake  chan struct{} // capacity 1; tells Run that armed is too late

	mu     sync.Mutex
	limits Limits // without zeros
	live   map[digest]*Session[T]
	byUser map[string]int // sessions that count, by user name
	count  int            // sessions that count, in all
	armed  time.Time      // when Run looks next; zero: when woken
	closed bool
}

// New returns an empty store. Ended sessions are refused by it at once, and freed
// though nobody asks for them while Run runs.
func New[T any](cfg Config[T]) *Store[T] {
	return &Store[T]{
		limits: Limits{cfg.Timeout, cfg.Lifetime, cfg.PerUser, cfg.Max}.withDefaults(),
		onEnd:  cfg.OnEnd,
		wake:   make(chan struct{}, 1),
		live:   make(map[digest]*Session[T]),
		byUser: make(map[string]int),
	}
}

// Create begins a session and returns its id, which nobody can ask for again.
// Errors are a *LimitError or ErrClosed.
func (s *Store[T]) Create(login Login) (id string, _ *Session[T], err error) {
	id = newID()
	key, _ := digestOf(id)

	s.mu.Lock()
	now := time.Now()
	var done []*Session[T]
	if s.byUser[login.User] >= s.limits.PerUser || s.count >= s.limits.Max {
		// What is over but not yet swept must not keep anybody out.
		done = s.sweepLocked(now)
	}
	defer s.finish(&done)
	defer s.mu.Unlock()

	if s.closed {
		return "", nil, ErrClosed
	}
	if s.byUser[login.User] >= s.limits.PerUser {
		return "", nil, &LimitError{PerUser: true, Limit: s.limits.PerUser, Retry: s.retryLocked(now, login.User, true)}
	}
	if s.count >= s.limits.Max {
		return "", nil, &LimitError{Limit: s.limits.Max, Retry: s.retryLocked(now, "", false)}
	}
	sess := &Session[T]{
		Login:   login,
		Created: now,
		key:     key,
		hardEnd: now.Add(s.limits.Lifetime),
	}
	sess.idleEnd = now.Add(s.timeoutOf(sess))
	s.live[key] = sess
	s.byUser[login.User]++
	s.count++
	s.nudgeLocked(sess.deadline())
	return id, sess, nil
}

// Acquire finds a session for a call. Until release is called the session does not
// end by Timeout, though by Lifetime or End it may: the call that runs keeps the
// session it has, later ones get ErrUnknown. release starts the clock of Timeout
// when no other call of the session runs; calling it again does nothing. The only
// error is ErrUnknown.
func (s *Store[T]) Acquire(id string) (_ *Session[T], release func(), err error) {
	return s.acquire(id, true)
}

// Glance is Acquire for a call that nobody asked for, as when a page refreshes itself: the
// session ends by Timeout as if there had been none, also while it runs, and it goes on with the
// session it has.
func (s *Store[T]) Glance(id string) (_ *Session[T], release func(), err error) {
	return s.acquire(id, false)
}

func (s *Store[T]) acquire(id string, use bool) (_ *Session[T], release func(), err error) {
	var done []*Session[T]
	defer s.finish(&done)
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.findLocked(id, &done)
	if sess == nil {
		return nil, nil, ErrUnknown
	}
	sess.calls++
	if use {
		sess.uses++
	}
	var once sync.Once
	return sess, func() { once.Do(func() { s.release(sess, use) }) }, nil
}

// Peek says whether the session lives, without counting as a call of it.
func (s *Store[T]) Peek(id string) bool {
	var done []*Session[T]
	defer s.finish(&done)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.findLocked(id, &done) != nil
}

// End ends a session, as logout does, and says whether it lived. Calls of it that
// run now go on; its id is unknown from here on.
func (s *Store[T]) End(id string) bool {
	var done []*Session[T]
	defer s.finish(&done)
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := s.findLocked(id, &done)
	if sess == nil {
		return false
	}
	done = s.endLocked(sess, done)
	return true
}
