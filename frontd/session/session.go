// SPDX-License-Identifier: GPL-2.0-or-later

package session

import (
	"sync"
	"time"
)

// Login says whose a new session is. All of it was checked by the caller.
type Login struct {
	// User is the name the backend vouches for.
	User string
	// Role is the name of the user's role.
	Role string
	// Client is the address the login came from, for logs and audit.
	Client string
	// Timeout, if positive, is how long this session lives after the end of its last call,
	// in place of Config.Timeout.
	Timeout time.Duration
}

// A Session is what one login began. T is the caller's own state of it.
//
// Calls of one session may run at the same time on several goroutines: Login and
// Created never change and may be read freely, the state is reached through Do only.
type Session[T any] struct {
	Login
	// Created is when the login succeeded.
	Created time.Time

	mu    sync.Mutex // guards state
	state T

	// The rest is guarded by Store.mu.
	key     digest
	calls   int       // calls that run now
	uses    int       // those of them that are use, see Store.Glance
	idleEnd time.Time // end by Timeout; meaningless while uses > 0
	hardEnd time.Time // end by Lifetime
	ended   bool      // no longer in Store.live
}

// Do runs f on the session's state, which is T's zero value at first. One Do of a
// session runs at a time: f must not block, wait for the kernel or a client, or call Do.
// What f keeps of the pointer beyond its return is unprotected.
func (s *Session[T]) Do(f func(state *T)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.state)
}

// deadline is when the session ends if nothing happens. The caller holds Store.mu.
func (s *Session[T]) deadline() time.Time {
	if s.uses > 0 || s.hardEnd.Before(s.idleEnd) {
		return s.hardEnd
	}
	return s.idleEnd
}
