// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// Session is a login. It is kept alive until Close: a server ends sessions that are idle for
// seconds, and a pager may keep us waiting for minutes. Safe for concurrent use.
type Session struct {
	client *Client
	user   string
	stop   context.CancelFunc
	done   chan struct{}
	once   sync.Once
	closed error

	mu       sync.Mutex // guards what follows
	id       string
	password string // for Renew
}

// Login begins a session. The error is as of Call: a wrong password is a Faulted one with
// FaultAuthentication.
func (c *Client) Login(ctx context.Context, user, password string) (*Session, error) {
	id, err := c.login(ctx, user, password)
	if err != nil {
		return nil, err
	}
	alive, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Session{client: c, user: user, id: id, password: password, stop: stop, done: make(chan struct{})}
	go s.keepAlive(alive)
	return s, nil
}

func (c *Client) login(ctx context.Context, user, password string) (string, error) {
	if c.auth == HTTPAlways && user != "" {
		c.basic.Store(&credentials{user, password})
	}
	var id string
	err := c.Call(ctx, &id, "login", user, password)
	var refused *Error
	if c.auth == HTTPAsked && user != "" && errors.As(err, &refused) && refused.Basic {
		c.basic.Store(&credentials{user, password})
		err = c.Call(ctx, &id, "login", user, password)
	}
	if err != nil {
		return "", err
	}
	if id == "" || len(id) > maxSession {
		return "", c.fail("login", BadAnswer, errors.New("no usable session id in the answer"))
	}
	return id, nil
}

// Renew logs in again as the same user, for when the server has ended the session. An
// empty password stands for the one of the last login.
func (s *Session) Renew(ctx context.Context, password string) error {
	s.mu.Lock()
	password = cmp.Or(password, s.password)
	s.mu.Unlock()
	id, err := s.client.login(ctx, s.user, password)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.password = id, password
	return nil
}

func (s *Session) current() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// keepAlive calls something cheap now and then. Its failures show in the next real call.
func (s *Session) keepAlive(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = s.client.Call(ctx, nil, "whoami", s.current())
		}
	}
}

// Close logs out, even when the context of the login has ended, and waits no more than a
// short while for that. It may be called twice.
func (s *Session) Close() error {
	s.once.Do(func() {
		s.stop()
		<-s.done
		ctx, cancel := context.WithTimeout(context.Background(), logoutTimeout)
		defer cancel()
		s.closed = s.client.Call(ctx, nil, "logout", s.current())
		s.client.Close()
	})
	return s.closed
}

// call is Call with the session id as the first argument.
func (s *Session) call(ctx context.Context, result any, method string, args ...any) error {
	return s.client.Call(ctx, result, method, append([]any{s.current()}, args...)...)
}

// Kill ends connections, named by id or key. On a fault some of them may have been
// killed: its text names those that were not.
func (s *Session) Kill(ctx context.Context, targets []string) error {
	if len(targets) > MaxTargets {
		return s.client.fail("kill", Unsent, errors.New("too many connections in one call"))
	}
	return s.call(ctx, nil, "kill", targets)
}

// Change sets the field mark or timeout of the connection with this id or key.
func (s *Session) Change(ctx context.Context, field, target, value string) error {
	return s.call(ctx, nil, "change", field, target, value)
}
