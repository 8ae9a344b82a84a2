// SPDX-License-Identifier: GPL-2.0-or-later

// Package exchange holds the terms that every HTTP exchange is under, be it of XML-RPC or of
// the page: how long a body and an answer may take, and the number that the audit knows a
// request by. It must not look into a request. Its input is the configuration.
package exchange

import (
	"crypto/rand"
	"encoding/binary"
	"net/http"
	"sync/atomic"
	"time"
)

// Terms are the same for all requests under one configuration.
type Terms struct {
	// Read is told of a request that has come in full and is a login or a call of a living
	// session, before it runs: its connection is not to be closed to make room for others.
	// Those of everybody else are, whatever they call. nil: nobody is told.
	Read func(*http.Request)
	// HostAllowed says whether a name may stand in the Host header, besides IP literals
	// and localhost. The name is in lower case and without port; nil: no name may.
	HostAllowed  func(name string) bool
	BodyTimeout  time.Duration // to read a body; 0 is 20 s
	WriteTimeout time.Duration // to write an answer; 0 is 60 s
}

const (
	defaultBodyTimeout  = 20 * time.Second
	defaultWriteTimeout = 60 * time.Second
)

// WithDefaults fills in what zero values stand for.
func (t Terms) WithDefaults() Terms {
	if t.BodyTimeout == 0 {
		t.BodyTimeout = defaultBodyTimeout
	}
	if t.WriteTimeout == 0 {
		t.WriteTimeout = defaultWriteTimeout
	}
	if t.Read == nil {
		t.Read = func(*http.Request) {}
	}
	if t.HostAllowed == nil {
		t.HostAllowed = func(string) bool { return false }
	}
	return t
}

// BodyBegins starts the time that the body of a request may take.
func (t Terms) BodyBegins(w http.ResponseWriter) {
	// A connection of a test may have no deadlines.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(t.BodyTimeout))
}

// AnswerBegins starts the time that writing the answer may take, again if it was started: what
// was asked for may have taken longer than that.
func (t Terms) AnswerBegins(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(t.WriteTimeout))
}

// Numbers numbers requests. Safe for concurrent use.
type Numbers struct{ last atomic.Uint64 }

// NewNumbers begins at random, so that the numbers of two runs of the daemon, and of two
// kinds of requests, do not meet in the audit.
func NewNumbers() *Numbers {
	var b [8]byte
	rand.Read(b[:]) // never fails, says its documentation
	n := new(Numbers)
	n.last.Store(binary.BigEndian.Uint64(b[:]))
	return n
}

// Next is the number of a request that has just come.
func (n *Numbers) Next() uint64 { return n.last.Add(1) }
