// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"net/http"
	"runtime/debug"

	"nuconntrack/frontd/service"
)

// A call that panics is a mistake of ours. It must cost the caller his answer and nobody
// else anything, and be seen: http.Server would log it where it logs what clients do
// wrong, which nobody reads.

// caught is to be deferred where an answer can still be given: it makes a panic an error.
func (s *Server) caught(request uint64, err *error) {
	if p := recover(); p != nil {
		s.crashed(request, p)
		*err = &service.Fault{Code: service.CodeInternal, Text: "internal error"}
	}
}

// cut is to be deferred where part of an answer may have gone: it makes a panic the end of
// the connection.
func (s *Server) cut(request uint64) {
	p := recover()
	if p == nil {
		return
	}
	if p != http.ErrAbortHandler {
		s.crashed(request, p)
	}
	panic(http.ErrAbortHandler)
}

func (s *Server) crashed(request uint64, p any) {
	s.cfg.Log.Error("a call crashed", "request", service.Caller{RequestID: request}.Request(), "panic", p, "stack", string(debug.Stack()))
}
