// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/exchange"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/web/text"
)

// Paths of the page.
const (
	pathTable      = "/"
	pathOwn        = "/web/" // all others begin with it
	pathLogin      = "/web/login"
	pathLogout     = "/web/logout"
	pathConnection = "/web/connection"
	pathTalkers    = "/web/talkers"
	pathKill       = "/web/kill"
	pathKillNow    = "/web/kill/now"
	pathChange     = "/web/change"
	pathChangeNow  = "/web/change/now"
	pathAssets     = "/web/assets/"
)

// Origin is where a request comes from.
type Origin struct {
	Text    string          // for logs and the audit: address and port, or a local peer
	Local   bool            // a Unix socket: any Host is allowed
	Carrier service.Carrier // the TCP connection itself
	// Secure says that the browser reached the page in a way that it trusts: over TLS, as a
	// proxy that is believed says, or on its own machine.
	Secure bool
	// Login has all that a login may be judged by, without its arguments.
	Login func() auth.Request
}

// Config says what a Server is made of.
type Config struct {
	exchange.Terms
	Site    *Site
	Service *service.Service
	// Origin tells where a request comes from.
	Origin func(*http.Request) Origin
	// Passwords says that a login wants a user name and a password. Else what the connection
	// or the proxy says counts, and there is only a button.
	Passwords bool
	// Users of this machine may leave name and password out (auth.Local).
	LocalUsers bool
	Log        *slog.Logger
}

// Site is what is the same for every configuration: what is built in, and the key of tokens,
// so that forms stay good when the configuration changes. It does not change.
type Site struct {
	languages []*text.Language
	templates *template.Template
	assets    map[string]asset // by path
	routes    map[string][]route
	signer    *signer
	requests  *exchange.Numbers
}

// Load reads what is built in. An error is a mistake in that.
func Load() (*Site, error) {
	languages, err := text.Languages()
	if err != nil {
		return nil, err
	}
	templates, err := parseTemplates()
	if err != nil {
		return nil, fmt.Errorf("parse templates: %w", err)
	}
	assets, err := readAssets()
	if err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	return &Site{languages, templates, assets, routes(), newSigner(), exchange.NewNumbers()}, nil
}

// Server is an http.Handler that serves the page under one configuration.
type Server struct {
	*Site
	cfg Config
}

// New makes a Server.
func New(cfg Config) *Server {
	cfg.Terms = cfg.Terms.WithDefaults()
	return &Server{cfg.Site, cfg}
}

// Serves reports whether a request is for the page. A POST to / is XML-RPC's.
func Serves(r *http.Request) bool {
	if r.URL.Path == pathTable {
		return r.Method == http.MethodGet || r.Method == http.MethodHead
	}
	return strings.HasPrefix(r.URL.Path, pathOwn)
}

// route is something that the page does.
type route struct {
	method string
	open   bool     // without a session
	may    []string // methods of XML-RPC that do the same: one of them has to be permitted
	run    func(*Server, *request) error
}

// routes is the one list of what the page does.
func routes() map[string][]route {
	const get, post = http.MethodGet, http.MethodPost
	view, kill, change := []string{"view"}, []string{"kill_report", "kill_matching"}, []string{"change"}
	return map[string][]route{
		pathTable:      {{method: get, may: view, run: (*Server).showTable}},
		pathConnection: {{method: get, may: view, run: (*Server).showConnection}},
		pathTalkers:    {{method: get, may: []string{"groups"}, run: (*Server).showTalkers}},
		pathKill:       {{method: post, may: kill, run: (*Server).confirmKill}},
		pathKillNow:    {{method: post, may: kill, run: (*Server).kill}},
		pathChange:     {{method: post, may: change, run: (*Server).confirmChange}},
		pathChangeNow:  {{method: post, may: change, run: (*Server).change}},
		pathLogin: {
			{method: get, open: true, run: (*Server).showLogin},
			{method: post, open: true, run: (*Server).login},
		},
		pathLogout: {{method: post, run: (*Server).logout}},
	}
}

// request is one request as it came in.
type request struct {
	w      http.ResponseWriter
	r      *http.Request
	origin Origin
	caller service.Caller
	lang   *text.Language
	form   url.Values    // of a POST
	id     string        // of the session
	call   *service.Call // nil without a session
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	s.cfg.AnswerBegins(w)
	origin := s.cfg.Origin(hr)
	r := &request{
		w: w, r: hr, origin: origin,
		caller: service.Caller{
			Addr: origin.Text, RequestID: s.requests.Next(), Carrier: origin.Carrier, Page: true, Unattended: unattended(hr),
		},
	}
	r.useLanguage(s, chosenLanguage(hr.URL.Query()))
	protect(w.Header())
	defer s.cut(r)
	if a, ok := s.assets[hr.URL.Path]; ok && s.gateAsset(r) {
		a.serve(w, hr)
		return
	}
	err := s.answer(r)
	s.cfg.AnswerBegins(w)
	if r.call != nil {
		defer r.call.End()
	}
	if err != nil {
		s.showError(r, err)
	}
}

// headerUnattended is sent by the script where the table refreshes itself and nobody has touched
// mouse or keys since the last time: so the session of who has left ends, table on the screen or not.
// Nobody gains by a wrong one.
const headerUnattended = "Nuconntrack-Unattended"

func unattended(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get(headerUnattended) == "1"
}

// answer finds what a request asks for, and does it if it may.
func (s *Server) answer(r *request) (err error) {
	defer s.caught(r, &err)
	found, err := s.gate(r)
	if err != nil {
		return err
	}
	if r.id = r.cookie(cookieSession); r.id != "" {
		if r.call, err = s.cfg.Service.Begin(r.id, r.caller); err != nil {
			r.id = ""
		}
	}
	if found.method == http.MethodPost {
		// Not without a body: net/http reads on to see whether the client leaves, and would take the
		// deadline for that.
		s.cfg.BodyBegins(r.w)
		err := s.readForm(r)
		if e, ok := err.(*refusal); ok && e.status == http.StatusRequestEntityTooLarge && r.call == nil && !found.open {
			return s.toLogin(r) // his session has ended: that is what he has to know
		}
		if err != nil {
			return err
		}
	}
	if r.call == nil && !found.open {
		return s.toLogin(r)
	}
	if r.call != nil {
		s.cfg.Read(r.r)
	}
	if err := s.permit(r, found); err != nil {
		return err
	}
	return found.run(s, r)
}

// permit says whether the user may do what a route does, and whether he himself asked for it.
func (s *Server) permit(r *request, to route) error {
	if to.open {
		return nil
	}
	var err error
	for _, method := range to.may {
		if err = r.call.Permit(method); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	if to.method == http.MethodPost && !s.signer.good(forSession, r.id, r.form.Get(paramToken)) {
		return refused(http.StatusForbidden, "error.token")
	}
	return nil
}

// may reports whether the user may call a method.
func (r *request) may(method string) bool { return r.call != nil && r.call.Permit(method) == nil }
