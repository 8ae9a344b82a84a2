// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net/http"

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
	if s.large.Add(1) > maxLargeBodies {
		s.large.Add(-1)
		live.End()
		b.err = &service.Fault{Code: service.CodeTooMany, Text: "too many long requests at once, try again after 1 seconds"}
		return b
	}
	b.release = func() { s.large.Add(-1); live.End() }
	b.parse(io.MultiReader(bytes.NewReader(prefix), r.Body), limits)
	return b
}

func (b *body) parse(r io.Reader, limits xmlrpc.Limits) {
	b.call, b.err = xmlrpc.ReadCall(r, limits)
	if _, ok := asSyntax(b.err); b.err != nil && !ok {
		b.err = broken()
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

// firstRequestID begins the numbers of requests at random, so that those of two runs of
// the daemon do not meet in the audit.
func firstRequestID() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails, says its documentation
	return binary.BigEndian.Uint64(b[:])
}
