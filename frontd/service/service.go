// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/session"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ranking"
	"nuconntrack/frontd/table/store"
	"nuconntrack/ipc"
	"nuconntrack/policy"
)

// DefaultMaxPage is the longest page when Config does not say.
const DefaultMaxPage = 5000

// Helper is the helper as this package uses it; an *ipc.Client is one.
type Helper interface {
	table.Source
	Kill(context.Context, ipc.Target, ipc.Actor) (ipc.Result, error)
	Change(context.Context, ipc.Target, ipc.Actor, ipc.Change) (ipc.Result, error)
}

// Config says what a Service is made of. All but Helper, Observer and Log may be replaced while it serves:
// see Service.Set.
type Config struct {
	Helper Helper
	// Observer is told of what was done; nil: nobody is.
	Observer Observer
	Backend  auth.Backend
	// Ways names the ways in by which Backend judges. Sessions that began under another name end:
	// who got in then might not get in now, or not as who he is.
	Ways string
	// Roles are the roles that there are; the zero value has those that need no configuration.
	Roles policy.RoleSet
	// RoleOf gives the role of a user whom the backend gave none.
	RoleOf func(user string) string
	// Meaning says what marks stand for; nil: nothing. Users gives, for each table anew, the names
	// of the users in them; nil: none.
	Meaning *table.Meaning
	Users   func() *table.Users
	// Hidden is left out of everything that is looked at, nil: nothing. A key still names what
	// it names.
	Hidden *table.Filter
	// ReadOnly refuses to everybody what kills or changes.
	ReadOnly bool

	MaxAge       time.Duration // see store.Config
	MaxSnapshots int           // see store.Config
	MaxPage      int           // rows; 0 is DefaultMaxPage

	SessionTimeout  time.Duration // see session.Config, as the following
	PageTimeout     time.Duration // the same for sessions of the page; 0 is SessionTimeout
	SessionLifetime time.Duration
	SessionsPerUser int
	Sessions        int

	Log *slog.Logger
}

// Service serves any number of calls at once.
type Service struct {
	helper   Helper
	observer Observer
	settings atomic.Pointer[settings]
	tables   *store.Store
	sessions *session.Store[state]
	log      *slog.Logger
	grouping turns // to find groups of connections

	watched, returned atomic.Uint64 // see Tally
}

// state is what a session remembers besides its login.
type state struct {
	view *store.Holder
	// notBefore is set by refresh: the next view shows a table that began after it.
	notBefore time.Time
	// manual: autorefresh is off, the session keeps its table until refresh.
	manual bool
	// page says that the session began, and is good, on the page; notes are the page's.
	page  bool
	notes any
	// given is the role that the backend gave, "" where the configuration gives it; role is
	// what that came to under set.
	given, role string
	set         *settings
}

// New makes a service. Run has to run for sessions and tables to end by themselves.
func New(cfg Config) *Service {
	s := &Service{helper: cfg.Helper, observer: cfg.Observer, log: cfg.Log}
	if s.observer == nil {
		s.observer = nobody{}
	}
	s.settings.Store(newSettings(cfg))
	s.tables = store.New(store.Config{
		Source:       cfg.Helper,
		MaxAge:       cfg.MaxAge,
		MaxSnapshots: cfg.MaxSnapshots,
		Meaning:      func() *table.Meaning { return s.settings.Load().meaning() },
		Read:         s.observer.Read,
		Logger:       cfg.Log,
	})
	s.sessions = session.New(session.Config[state]{
		Timeout:  cfg.SessionTimeout,
		Lifetime: cfg.SessionLifetime,
		PerUser:  cfg.SessionsPerUser,
		Max:      cfg.Sessions,
		OnEnd:    s.ended,
	})
	return s
}

// Run lets sessions and tables end when their time has come, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.sessions.Run(ctx) })
	g.Go(func() error { return s.tables.Run(ctx) })
	return g.Wait()
}

func (s *Service) ended(sess *session.Session[state]) {
	var h *store.Holder
	sess.Do(func(st *state) { h = st.view })
	if h != nil {
		s.tables.Release(h)
	}
	s.log.Info("session ended", "user", sess.User, "client", sess.Client)
}

// Caller is where a call comes from.
type Caller struct {
	Addr      string // for logs and the audit: address and port, or a local peer
	RequestID uint64 // one for all that this call causes
	Carrier   Carrier
	Page      bool // it comes from the page, not by XML-RPC
	// Unattended says that no person asked: the page refreshed itself. The session does not live
	// longer by it.
	Unattended bool
}

// Request names the request in logs as the audit does: 16 hexadecimal digits.
func (c Caller) Request() string { return fmt.Sprintf("%016x", c.RequestID) }

// Call is one call of a live session. End has to be called when its answer is written.
type Call struct {
	Caller
	s    *Service
	set  *settings // from its beginning to its end, whatever is set meanwhile
	sess *session.Session[state]
	role role
	End  func()
}

// User is the name that the session logged in with.
func (c *Call) User() string { return c.sess.User }

// Begin finds the session of a call. While the call runs, the session does not expire, unless the
// call is unattended. A
// session is good for what it was made for: an id out of a browser's cookie is none for
// XML-RPC, where its long life would be somebody else's, and none made there is one for the page.
func (s *Service) Begin(id string, from Caller) (*Call, error) {
	find := s.sessions.Acquire
	if from.Unattended {
		find = s.sessions.Glance
	}
	sess, release, err := find(id)
	if err == nil {
		var page bool
		sess.Do(func(st *state) { page = st.page })
		if page != from.Page {
			release()
			err = session.ErrUnknown
		}
	}
	if err != nil {
		return nil, unknownSession()
	}
	set := s.settings.Load()
	name, stays := set.roleNow(sess)
	if !stays {
		s.sessions.End(id)
		release()
		return nil, unknownSession()
	}
	return &Call{Caller: from, s: s, set: set, sess: sess, role: set.roles[name], End: release}, nil
}

func unknownSession() *Fault { return fault(CodeSession, "session unknown or expired: log in (again)") }

// Notes gives what the page keeps for the session, which it makes when there is none yet. It may
// be used by several calls at once, and ends with the session.
func (c *Call) Notes(make func() any) any {
	var notes any
	c.sess.Do(func(st *state) {
		if st.notes == nil {
			st.notes = make()
		}
		notes = st.notes
	})
	return notes
}

// Permit says whether the user of this call may call a method.
func (c *Call) Permit(method string) error {
	if c.set.ReadOnly && policy.Acts(method) {
		return because(CodePermission, reason.ReadOnly.Of(method))
	}
	if c.role.May(method) {
		return nil
	}
	if policy.NeedsWhole(method) && !c.role.Scope().Whole() {
		return because(CodePermission, reason.RoleScope.Of(method, c.role.Name, c.User()))
	}
	return because(CodePermission, reason.RoleForbids.Of(c.role.Name, c.User(), method))
}

// actor is who asks the helper, as the audit will have it.
func (c *Call) actor() ipc.Actor {
	return ipc.Actor{RequestID: c.RequestID, User: ipc.CleanText(c.User()), Client: ipc.CleanText(c.Addr)}
}

// failed makes a fault of an error of the helper or the table.
func (c *Call) failed(doing string, err error) error {
	if f, ok := AsFault(err); ok {
		return f
	}
	var filter *table.FilterError
	var query *ranking.Error
	switch {
	case errors.As(err, &filter):
		return because(CodeParams, filter.Whole())
	case errors.As(err, &query):
		return BadParam("%s", query.Error())
	case errors.Is(err, ipc.ErrUnavailable):
		c.s.log.Warn("the helper cannot be reached", "request", c.Request(), "doing", doing, "error", err)
		return fault(CodeHelper, "the helper cannot be reached, so the kernel's table cannot be read or changed")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault(CodeInternal, "the call was cancelled")
	}
	c.s.log.Error("internal error", "request", c.Request(), "doing", doing, "error", err)
	return fault(CodeInternal, "internal error")
}
