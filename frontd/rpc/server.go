// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/exchange"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/xmlrpc"
)

// Limits of one call.
const (
	// GuestBody is how much of a body is read for a caller without a live session, bytes.
	GuestBody = 8 << 10
	// DefaultMaxBody is how long a body may be when Config does not say, bytes.
	DefaultMaxBody = xmlrpc.DefaultBytes
	// lingerTime is how long the rest of a body that is not wanted is thrown away, so that a
	// client that is still sending comes to read why.
	lingerTime = 2 * time.Second
	// lingerBytes is how much of it is thrown away at most, bytes.
	lingerBytes = 16 << 20
	// maxLargeBodies is how many bodies longer than GuestBody may be in memory at once, and
	// maxLargeOfUser how many of them may be of one user: who sends them slowly must not keep
	// the others from sending any.
	maxLargeBodies = 16
	maxLargeOfUser = 4
)

// Origin is where a connection comes from.
type Origin struct {
	Text  string     // for logs and the audit: address and port, or a local peer
	Addr  netip.Addr // the zero Addr on a Unix socket
	Local bool       // a Unix socket: any Host is allowed
	// Carrier is the TCP connection itself, whoever is behind it.
	Carrier service.Carrier
	// Login has all that a login may be judged by, without its arguments. It is asked for at a
	// login only; nil: Addr is all there is.
	Login func() auth.Request
}

func (o Origin) login() auth.Request {
	if o.Login == nil {
		return auth.Request{Client: o.Addr}
	}
	return o.Login()
}

// Config says what a Server is made of.
type Config struct {
	exchange.Terms
	Service *service.Service
	// Origin tells where a request comes from.
	Origin func(*http.Request) Origin
	// Observe is told of each call that was answered, those inside a system.multicall too: the
	// method, "" for one that there is not and for what is no call, and the code of the fault, 0 for
	// none. nil: nobody is told.
	Observe   func(method string, code int, took time.Duration)
	Multicall bool  // serve system.multicall
	MaxBody   int64 // bytes; 0 is DefaultMaxBody
	Log       *slog.Logger
}

func (cfg Config) withDefaults() Config {
	cfg.Terms = cfg.Terms.WithDefaults()
	if cfg.MaxBody == 0 {
		cfg.MaxBody = DefaultMaxBody
	}
	if cfg.Observe == nil {
		cfg.Observe = func(string, int, time.Duration) {}
	}
	return cfg
}

// Server is an http.Handler that serves XML-RPC.
type Server struct {
	cfg      Config
	methods  map[string]*method
	names    []string // of all methods, in the order of the documentation
	guarded  []string // of those that want a session
	requests *exchange.Numbers
	lingers  time.Duration // lingerTime, but in tests
	buffers  sync.Pool     // of *buffers
	large    largeBodies
	zips     zips
}

// New makes a Server.
func New(cfg Config) *Server {
	cfg = cfg.withDefaults()
	s := &Server{cfg: cfg, methods: make(map[string]*method), requests: exchange.NewNumbers(), lingers: lingerTime}
	for _, m := range methods(cfg.Multicall) {
		s.methods[m.name] = &m
		s.names = append(s.names, m.name)
		if !m.open {
			s.guarded = append(s.guarded, m.name)
		}
	}
	return s
}

// dialects are the paths at which XML-RPC is served, and how each writes large numbers.
func dialectOf(path string) (xmlrpc.Dialect, bool) {
	switch path {
	case "/RPC2", "/":
		return xmlrpc.Plain, true
	case "/RPC2/i8":
		return xmlrpc.I8, true
	case "/RPC2/ex":
		return xmlrpc.Ex, true
	}
	return 0, false
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// For a refusal, or the leave to send the body.
	s.cfg.AnswerBegins(w)
	origin := s.cfg.Origin(r)
	if status, text := s.gate(r, origin); status != 0 {
		s.refuse(w, status, text)
		s.linger(w, r)
		return
	}
	s.cfg.BodyBegins(w)
	dialect, _ := dialectOf(r.URL.Path)
	caller := service.Caller{Addr: origin.Text, RequestID: s.requests.Next(), Carrier: origin.Carrier}
	body := s.read(r)
	if body.err != nil {
		// What is left of the body may never come.
		w.Header().Set("Connection", "close")
		defer s.linger(w, r)
	}
	defer body.release()
	var ends []func()
	defer func() {
		for _, end := range ends {
			end()
		}
	}()
	defer s.cut(caller.RequestID)
	result, err := s.answerTo(&request{
		ctx: r.Context(), caller: caller, guest: origin.login,
		work:  func() { s.cfg.Read(r) },
		last:  func() { w.Header().Set("Connection", "close") },
		begun: func(end func()) { ends = append(ends, end) },
	}, body)
	s.cfg.AnswerBegins(w)
	var pool *zips
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		pool = &s.zips
	}
	out := newAnswerBody(w, pool)
	defer out.release()
	s.write(out, dialect, result, err)
}

// refuse ends a request before XML-RPC starts. Its body is not read.
func (s *Server) refuse(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	if status == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodPost)
	}
	h.Set("Connection", "close")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	// It goes out before the rest of the body is thrown away.
	h.Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}

func (s *Server) answerTo(r *request, b *body) (result answer, err error) {
	if b.err != nil {
		s.observed("", time.Now(), b.err)
		return nil, b.err
	}
	defer s.caught(r.caller.RequestID, &err)
	return s.dispatch(r, b.call.Method, b.call.Params)
}

// dispatch runs a call, and tells of it.
func (s *Server) dispatch(r *request, name string, all params) (result answer, err error) {
	began := time.Now()
	ended := false
	defer func() {
		if !ended {
			err = errCrashed // a panic goes on: see caught
		}
		s.observed(name, began, err)
	}()
	result, err = s.run(r, name, all)
	ended = true
	return result, err
}

// errCrashed stands for a panic until that is caught.
var errCrashed = errors.New("crashed")

// observed tells of a call.
func (s *Server) observed(name string, began time.Time, err error) {
	if s.methods[name] == nil {
		name = ""
	}
	code := 0
	if err != nil {
		code, _ = faultOf(err)
	}
	s.cfg.Observe(name, code, time.Since(began))
}

// run finds the method and the session, in the order in which errors are looked for, and runs
// the method.
func (s *Server) run(r *request, name string, all params) (result answer, err error) {
	m, ok := s.methods[name]
	if !ok {
		return nil, &xmlrpc.Error{Code: xmlrpc.FaultNoMethod, Text: "there is no method " + quoted(name)}
	}
	r.params = all
	if !m.open {
		if len(r.params) > 0 && r.params[0].Kind == xmlrpc.KindString {
			r.id = r.params[0].Text
		}
		if r.call, err = s.cfg.Service.Begin(r.id, r.caller); err != nil {
			return nil, err
		}
		r.begun(r.call.End)
		r.work()
		if err := r.call.Permit(m.name); err != nil {
			return nil, err
		}
		r.params = r.params[1:]
	}
	if err := m.check(r.params); err != nil {
		return nil, err
	}
	return m.run(s, r)
}

// write sends an answer or a fault.
func (s *Server) write(out *answerBody, d xmlrpc.Dialect, result answer, err error) {
	b, ok := s.buffers.Get().(*buffers)
	if !ok {
		b = &buffers{x: xmlrpc.NewWriter(io.Discard, d)}
	}
	x := b.x
	x.Reset(out, d)
	out.out.held = b.held[:0]
	if err == nil {
		x.Response()
		result(x)
		x.EndResponse()
	} else {
		code, text := faultOf(err)
		x.Fault(int32(code), text)
	}
	if err := x.Flush(); err != nil {
		// A client that went away, or one that was too slow: what it has is cut short.
		s.cfg.Log.Debug("answer not written", "error", err)
		panic(http.ErrAbortHandler)
	}
	if err := out.close(); err != nil {
		panic(http.ErrAbortHandler)
	}
	b.held = out.out.held
	x.Reset(io.Discard, d) // lets the answer go
	s.buffers.Put(b)
}

// buffers are what an answer is written in; the next one takes them over.
type buffers struct {
	x    *xmlrpc.Writer
	held []byte
}

func faultOf(err error) (code int, text string) {
	if f, ok := service.AsFault(err); ok {
		return f.Code, f.Text
	}
	if x, ok := asSyntax(err); ok {
		return int(x.Code), x.Text
	}
	return service.CodeInternal, "internal error"
}
