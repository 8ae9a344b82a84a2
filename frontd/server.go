// SPDX-License-Identifier: GPL-2.0-or-later

package frontd

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/certs"
	"nuconntrack/frontd/config"
	"nuconntrack/frontd/exchange"
	"nuconntrack/frontd/listen"
	"nuconntrack/frontd/metrics"
	"nuconntrack/frontd/rpc"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/users"
	"nuconntrack/frontd/web"
	"nuconntrack/ipc"
)

const (
	// maxHeader bounds the header of a request, bytes.
	maxHeader = 16 << 10
	// shutdownTime is how long calls that run may take to end when the daemon ends.
	shutdownTime = 5 * time.Second
)

// Config says what a Server is made of.
type Config struct {
	Settings *config.Config
	// File is where Settings were read from, to be read again for Reload; "": nowhere.
	File      string
	Listeners []listen.Listener // the server closes them
	Version   string            // of the program, for metrics
	Log       *slog.Logger
}

// Server is the daemon.
type Server struct {
	cfg      Config
	helper   *ipc.Client
	users    *users.Source  // nil: no user's id is in the marks
	accounts *auth.Accounts // as they were at the start: the sandbox leaves none to read
	service  *service.Service
	http     *http.Server
	gate     *listen.Gate
	monitor  *monitor     // nil: there is no listener for metrics
	certs    *certs.Store // nil: no TLS
	site     *web.Site

	reload  sync.Mutex // one at a time
	running atomic.Pointer[running]
}

// running is what one configuration makes of the server. It never changes: another configuration
// makes another, and a request that has begun keeps the one it began with.
type running struct {
	set     *config.Config
	backend auth.Backend
	handler http.Handler
}

// New makes a Server. Nothing is served, and the helper is not asked, before Run. Files that
// are needed from the start on are read here, certificates among them: the error is about those.
func New(cfg Config) (*Server, error) {
	set := cfg.Settings
	s := &Server{cfg: cfg, helper: ipc.NewClient(ipc.ClientConfig{Path: set.Privd})}
	var login auth.Backend
	var err error
	if s.accounts, err = auth.ReadAccounts(); err == nil {
		login, err = backend(set, s.accounts, cfg.Log)
	}
	if err == nil {
		s.site, err = web.Load()
	}
	if err == nil {
		s.certs, err = certificates(set, cfg.Log)
	}
	if err == nil {
		s.users, err = usersOf(set, cfg.Log)
	}
	if err != nil {
		return nil, errors.Join(err, s.helper.Close())
	}
	s.monitor = s.newMonitor()
	s.service = service.New(s.serviceConfig(set, login))
	s.gate = listen.NewGate(listen.GateConfig{
		Total: set.Connections.Max, PerAddress: set.Connections.MaxPerAddress, Log: cfg.Log,
	})
	s.running.Store(&running{set, login, s.handler(set)})
	s.http = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.running.Load().handler.ServeHTTP(w, r) }),
		ReadHeaderTimeout: set.Connections.Header,
		IdleTimeout:       set.Connections.Idle,
		MaxHeaderBytes:    maxHeader,
		// net/http would answer OPTIONS * by itself, whatever the Host.
		DisableGeneralOptionsHandler: true,
		ConnState:                    s.gate.ConnState,
		ConnContext:                  listen.ConnContext,
		ErrorLog:                     listen.ErrorLog(cfg.Log),
	}
	return s, nil
}

// serviceConfig is what a configuration says to the service.
func (s *Server) serviceConfig(set *config.Config, login auth.Backend) service.Config {
	hidden, err := table.HideFilter(set.Hide)
	if err != nil {
		panic(err) // the configuration was checked by it
	}
	return service.Config{
		Helper:          s.helper,
		Observer:        s.monitor.observer(),
		Backend:         login,
		Ways:            set.Ways(),
		Roles:           set.Roles,
		RoleOf:          func(user string) string { return set.Auth.RoleOf(user).Name },
		Meaning:         table.NewMeaning(set.Marks.UIDMask, nil, set.Marks.Classes),
		Users:           s.names,
		Hidden:          hidden,
		ReadOnly:        set.ReadOnly,
		MaxAge:          maxAge(set),
		MaxSnapshots:    set.View.MaxSnapshots,
		MaxPage:         set.View.MaxPage,
		SessionTimeout:  set.Sessions.Timeout,
		PageTimeout:     set.Sessions.WebTimeout,
		SessionLifetime: set.Sessions.Lifetime,
		SessionsPerUser: set.Sessions.MaxPerUser,
		Sessions:        set.Sessions.Max,
		Log:             s.cfg.Log,
	}
}

// usersOf reads the names of the users whose ids are in marks; nil if none are.
func usersOf(set *config.Config, log *slog.Logger) (*users.Source, error) {
	if set.Marks.UIDMask == 0 {
		return nil, nil
	}
	path, err := config.Path(set.Marks.UsersFile)
	if err != nil {
		return nil, err
	}
	return users.New(path, log)
}

// names gives the names of users as they are now.
func (s *Server) names() *table.Users {
	if s.users == nil {
		return nil
	}
	return s.users.Users()
}

// handler answers requests under a configuration: XML-RPC and, unless it is off, the page.
func (s *Server) handler(set *config.Config) http.Handler {
	terms := exchange.Terms{
		Read:         func(r *http.Request) { listen.RequestRead(r.Context()) },
		HostAllowed:  set.HostAllowed,
		BodyTimeout:  set.Connections.Body,
		WriteTimeout: set.Connections.Write,
	}
	calls := rpc.Config{
		Terms:     terms,
		Service:   s.service,
		Origin:    func(r *http.Request) rpc.Origin { return origin(set, r) },
		Multicall: set.Multicall,
		MaxBody:   set.Connections.MaxBody,
		Log:       s.cfg.Log,
	}
	if s.monitor != nil {
		calls.Observe = s.monitor.metrics.Called
	}
	methods := rpc.New(calls)
	if !set.Web {
		return methods
	}
	page := web.New(web.Config{
		Terms:      terms,
		Site:       s.site,
		Service:    s.service,
		Origin:     func(r *http.Request) web.Origin { return pageOrigin(set, r) },
		Passwords:  set.Auth.Backend == config.BackendFile || set.Auth.Backend == config.BackendLDAP,
		LocalUsers: set.Auth.Local != nil,
		Log:        s.cfg.Log,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if web.Serves(r) {
			defer s.monitor.paged(time.Now())
			page.ServeHTTP(w, r)
		} else {
			methods.ServeHTTP(w, r)
		}
	})
}

// maxAge is how old a table may be for a view. Where the configuration says 0, none is young
// enough; to the service 0 is its default.
func maxAge(set *config.Config) time.Duration { return max(set.View.MaxAge, time.Nanosecond) }

// Run serves until ctx ends, which is no error; calls that run then get some time to end.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, l := range s.cfg.Listeners {
		g.Go(func() error { return s.serve(l) })
	}
	// Sessions and tables outlive the last call.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g.Go(func() error { return s.service.Run(inner) })
	g.Go(func() error {
		<-ctx.Done()
		defer stop()
		return s.shutdown()
	})
	err := g.Wait()
	return errors.Join(err, s.helper.Close())
}

func (s *Server) serve(l listen.Listener) error {
	if l.Name == listen.Metrics {
		return metrics.Serve(s.monitor.http, s.monitor.gate, l)
	}
	// TLS goes around the gate: a handshake that hangs is a request that hangs.
	bound := s.gate.Bind(l)
	if s.cfg.Settings.SpeaksTLS(l.Addr(), l.Plain) {
		bound = tls.NewListener(bound, s.certs.TLS())
	}
	if err := s.http.Serve(bound); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shutdown lets calls end, and after shutdownTime ends them.
func (s *Server) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if s.monitor != nil {
		_ = s.monitor.http.Close() // a scrape that is cut off is repeated
	}
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}
