// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"context"
	"time"
)

// sweepEvery is the least time between two looks at all sessions by Run: a bound on
// its work when thousands of sessions end one after the other. OnEnd may be that
// late; Acquire and Peek never are, they look at the clock themselves.
const sweepEvery = 100 * time.Millisecond

// Run ends sessions whose time is over, until ctx is done. Then it ends them all and
// returns nil; from there on Create answers ErrClosed. OnEnd of a session with a
// call still running is called when that call is released, which may be after Run
// returned. Nothing runs while there are no sessions. Call it once.
func (s *Store[T]) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			s.close()
			return nil
		case <-timer.C:
			s.sweep()
		case <-s.wake:
		}
		timer.Stop()
		if wait, ok := s.arm(); ok {
			timer.Reset(wait)
		}
	}
}

// sweep ends what is over.
func (s *Store[T]) sweep() {
	s.mu.Lock()
	done := s.sweepLocked(time.Now())
	s.mu.Unlock()
	s.finish(&done)
}

// arm says how long Run may wait before it looks again, and remembers it, so that
// earlier deadlines wake it. ok is false when there is nothing to wait for.
func (s *Store[T]) arm() (wait time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = time.Time{}
	if len(s.live) == 0 {
		return 0, false
	}
	for _, sess := range s.live {
		if end := sess.deadline(); s.armed.IsZero() || end.Before(s.armed) {
			s.armed = end
		}
	}
	now := time.Now()
	if soonest := now.Add(sweepEvery); s.armed.Before(soonest) {
		s.armed = soonest
	}
	return s.armed.Sub(now), true
}

// nudgeLocked wakes Run if a session now ends before it would look.
func (s *Store[T]) nudgeLocked(end time.Time) {
	if !s.armed.IsZero() && !end.Before(s.armed) {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default: // it is being woken already
	}
}

// close ends every session and refuses new ones.
func (s *Store[T]) close() {
	s.mu.Lock()
	s.closed = true
	var done []*Session[T]
	for _, sess := range s.live {
		done = s.endLocked(sess, done)
	}
	s.mu.Unlock()
	s.finish(&done)
}

// sweepLocked ends what is over and returns done sessions, for finish.
func (s *Store[T]) sweepLocked(now time.Time) (done []*Session[T]) {
	for _, sess := range s.live {
		if !now.Before(sess.deadline()) {
			done = s.endLocked(sess, done)
		}
	}
	return done
}

// findLocked returns the living session of an id, or nil. One that is found to be
// over is ended, and added to done if it has no calls.
func (s *Store[T]) findLocked(id string, done *[]*Session[T]) *Session[T] {
	key, ok := digestOf(id)
	if !ok {
		return nil
	}
	sess := s.live[key]
	if sess == nil {
		return nil
	}
	if !time.Now().Before(sess.deadline()) {
		*done = s.endLocked(sess, *done)
		return nil
	}
	return sess
}

// endLocked takes a living session out. Without calls it is done and appended.
func (s *Store[T]) endLocked(sess *Session[T], done []*Session[T]) []*Session[T] {
	delete(s.live, sess.key)
	sess.ended = true
	if sess.calls > 0 {
		return done
	}
	s.uncountLocked(sess)
	return append(done, sess)
}

// release ends one call of a session.
func (s *Store[T]) release(sess *Session[T], use bool) {
	var done []*Session[T]
	defer s.finish(&done)
	s.mu.Lock()
	defer s.mu.Unlock()
	sess.calls--
	if use {
		sess.uses--
		sess.idleEnd = time.Now().Add(s.timeoutOf(sess))
	}
	switch {
	case !sess.ended:
		s.nudgeLocked(sess.deadline())
	case sess.calls == 0:
		s.uncountLocked(sess)
		done = append(done, sess)
	}
}

// uncountLocked gives the place of a done session back.
func (s *Store[T]) uncountLocked(sess *Session[T]) {
	s.count--
	s.byUser[sess.User]--
	if s.byUser[sess.User] == 0 {
		delete(s.byUser, sess.User) // names come from clients: keep none for nothing
	}
}

// retryLocked returns the whole seconds until the first session ends, of one user or
// of all.
func (s *Store[T]) retryLocked(now time.Time, user string, perUser bool) int {
	wait, found := s.limits.Timeout, false
	for _, sess := range s.live {
		if perUser && sess.User != user {
			continue
		}
		left := sess.deadline().Sub(now)
		if sess.uses > 0 {
			left = min(left, s.timeoutOf(sess)) // its calls may end at once
		}
		if !found || left < wait {
			wait, found = left, true
		}
	}
	return int(max(wait+time.Second-1, time.Second) / time.Second)
}

// finish calls OnEnd for done sessions. It takes a pointer so that it can be
// deferred, to run after the lock was given back: OnEnd may call the store.
func (s *Store[T]) finish(done *[]*Session[T]) {
	if s.onEnd == nil {
		return
	}
	for _, sess := range *done {
		s.onEnd(sess)
	}
}
