// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/xmlrpc"
)

// body is a call that was read, or why it could not be.
type body struct {
	call    *xmlrpc.Call
	err     error
	release func()
}

// read reads the call. Of a body longer than GuestBody no more is read unless its first
// parameter is the id of a living session, which then lives on while the rest comes.
func (s *Server) read(r *http.Request) *body {
	limits := xmlrpc.Limits{Bytes: s.cfg.MaxBody, Charset: charsetOf(r.Header.Get("Content-Type"))}
	b := &body{release: func() {}}
	prefix, err := io.ReadAll(io.LimitReader(r.Body, GuestBody+1))
	if err != nil {
		b.err = broken()
		return b
	}
	if len(prefix) <= GuestBody {
		b.parse(bytes.NewReader(prefix), limits)
		return b
	}
	_, id, ok := xmlrpc.PeekSession(prefix)
	if !ok {
		id = ""
	}
	live, err := s.cfg.Service.Begin(id, service.Caller{})
	if err != nil {
		b.err = err
		return b
	}
	user := live.User()
	if !s.large.take(user) {
		live.End()
		b.err = &service.Fault{Code: service.CodeTooMany, Text: "too many long requests at once, try again after 1 seconds"}
		return b
	}
	b.release = func() { s.large.give(user); live.End() }
	b.parse(io.MultiReader(bytes.NewReader(prefix), r.Body), limits)
	return b
}

func (b *body) parse(r io.Reader, limits xmlrpc.Limits) {
	b.call, b.err = xmlrpc.ReadCall(r, limits)
	if _, ok := asSyntax(b.err); b.err != nil && !ok {
		b.err = broken()
	}
}

// linger throws away what is left of a body when its answer is written. A client that sends
// all before it reads would else find the connection reset, and the answer gone with it.
func (s *Server) linger(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(s.lingers))
	if r.Header.Get("Expect") != "" || control.Flush() != nil {
		return // nothing more comes, or nobody is there
	}
	// How the body ends is all the same now.
	_, _ = io.CopyN(io.Discard, r.Body, lingerBytes)
}

// largeBodies counts the bodies longer than GuestBody that are in memory. The zero value is
// ready; it is safe for concurrent use.
type largeBodies struct {
	mu    sync.Mutex // guards the rest
	count int
	of    map[string]int // by user; none with 0
}

// take counts one more of a user, unless there is no room.
func (l *largeBodies) take(user string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == maxLargeBodies || l.of[user] == maxLargeOfUser {
		return false
	}
	if l.of == nil {
		l.of = make(map[string]int)
	}
	l.count++
	l.of[user]++
	return true
}

// give ends what take counted.
func (l *largeBodies) give(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count--
	if l.of[user]--; l.of[user] == 0 {
		delete(l.of, user)
	}
}

// broken is the fault for a body that ended early or came too slowly.
func broken() error {
	return &xmlrpc.Error{Code: xmlrpc.FaultParse, Text: "the request was cut off"}
}

func asSyntax(err error) (x *xmlrpc.Error, ok bool) {
	ok = errors.As(err, &x)
	return x, ok
}
