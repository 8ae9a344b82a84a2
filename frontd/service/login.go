// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"errors"
	"slices"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/session"
	"nuconntrack/frontd/table/store"
	"nuconntrack/ipc"
)

// Login checks who somebody is and begins a session.
func (s *Service) Login(ctx context.Context, req auth.Request, from Caller) (id string, err error) {
	set := s.settings.Load()
	req.ID = from.Request()
	who, err := set.Backend.Login(ctx, req)
	if err != nil {
		return "", s.refused(req.Args, from, err)
	}
	role := set.roleOf(who.User, who.Role)
	if _, ok := set.roles[role]; !ok {
		reason := "there is no such role"
		if role == "" {
			reason = "nothing gives the user a role"
		}
		s.observer.Login(LoginDenied)
		s.log.Warn("login failed", "request", from.Request(), "user", who.User, "client", from.Addr, "error", reason, "role", role)
		return "", fault(CodeAuthentication, "authentication failed")
	}
	login := session.Login{User: who.User, Role: role, Client: from.Addr}
	if from.Page {
		login.Timeout = set.PageTimeout
	}
	id, sess, err := s.sessions.Create(login)
	if err != nil {
		return "", s.refused(req.Args, from, err)
	}
	sess.Do(func(st *state) {
		st.view, st.page = new(store.Holder), from.Page
		st.given, st.role, st.set = who.Role, role, set
	})
	s.observer.Login(LoginDone)
	s.log.Info("login", "request", from.Request(), "user", who.User, "role", role, "client", from.Addr)
	return id, nil
}

// refused logs why a login failed, and says to the client what it may know of it.
func (s *Service) refused(args []any, from Caller, err error) error {
	s.observer.Login(loginResult(err))
	var busy *auth.BusyError
	var limit *session.LimitError
	switch {
	case errors.Is(err, auth.ErrArguments):
		return BadParam("%s", auth.ErrArguments.Error())
	case errors.As(err, &busy):
		return &Fault{Code: CodeTooMany, Text: busy.Error(), Retry: busy.Retry}
	case errors.As(err, &limit):
		return &Fault{Code: CodeTooMany, Text: limit.Error(), Retry: limit.Retry}
	}
	s.log.Warn("login failed", "request", from.Request(), "user", claimed(args), "client", from.Addr, "error", err)
	return fault(CodeAuthentication, "authentication failed")
}

// claimed is the user name of a login that failed, made harmless for a log.
func claimed(args []any) string {
	if len(args) > 0 {
		if name, ok := args[0].(string); ok {
			return ipc.CleanText(name)
		}
	}
	return ""
}

// Logout ends a session.
func (s *Service) Logout(id string) { s.sessions.End(id) }

// Identity is who a session belongs to.
type Identity struct {
	User, Role string
	Methods    []string // that the role permits, sorted
}

// Whoami tells the caller who he is, and which of these methods he may call.
func (c *Call) Whoami(methods []string) Identity {
	may := slices.DeleteFunc(slices.Clone(methods), func(m string) bool { return c.Permit(m) != nil })
	slices.Sort(may)
	return Identity{User: c.User(), Role: c.role.Name, Methods: may}
}
