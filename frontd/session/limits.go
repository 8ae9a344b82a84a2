// SPDX-License-Identifier: GPL-2.0-or-later

package session

import "time"

// Limits bound the sessions of a Store. What is zero or negative is the default of its name.
type Limits struct {
	// Timeout is how long a session lives after the end of its last call, unless its Login says.
	Timeout time.Duration
	// Lifetime is how long it lives at most, in use or not.
	Lifetime time.Duration
	// PerUser and Max bound the sessions of one user name and of all. A session that
	// has ended counts until its last call has: else logging in, starting a slow
	// call and logging out would get around both.
	PerUser, Max int
}

func (l Limits) withDefaults() Limits {
	if l.Timeout <= 0 {
		l.Timeout = DefaultTimeout
	}
	if l.Lifetime <= 0 {
		l.Lifetime = DefaultLifetime
	}
	if l.PerUser <= 0 {
		l.PerUser = DefaultPerUser
	}
	if l.Max <= 0 {
		l.Max = DefaultMax
	}
	return l
}

// SetLimits replaces the limits. Sessions that live go on, however many there are; a shorter
// lifetime counts from when they began, and a timeout from the end of their next call.
func (s *Store[T]) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = l.withDefaults()
	for _, sess := range s.live {
		if end := sess.Created.Add(s.limits.Lifetime); end.Before(sess.hardEnd) {
			sess.hardEnd = end
			s.nudgeLocked(sess.deadline())
		}
	}
}

// timeoutOf is the timeout of a session. The caller holds the lock.
func (s *Store[T]) timeoutOf(sess *Session[T]) time.Duration {
	if sess.Login.Timeout > 0 {
		return sess.Login.Timeout
	}
	return s.limits.Timeout
}

// Len is how many sessions live.
func (s *Store[T]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.live)
}
