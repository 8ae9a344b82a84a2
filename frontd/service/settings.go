// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"nuconntrack/frontd/session"
)

// settings are a Config made ready. They never change: another Config makes others, and a call
// that has begun keeps those it began with.
type settings struct {
	Config
	roles map[string]role
}

func newSettings(cfg Config) *settings {
	if cfg.MaxPage == 0 {
		cfg.MaxPage = DefaultMaxPage
	}
	return &settings{Config: cfg, roles: rolesOf(cfg.Roles)}
}

// Set replaces all of the configuration but the helper, the observer and the log, for every call and every
// session that begins from now on. Sessions go on. At their next call their users have the roles
// that they have by then; a role that is no more permits nothing. With other Ways they end.
func (s *Service) Set(cfg Config) {
	s.settings.Store(newSettings(cfg))
	s.tables.SetLimits(cfg.MaxAge, cfg.MaxSnapshots)
	s.sessions.SetLimits(cfg.limits())
}

func (c Config) limits() session.Limits {
	return session.Limits{Timeout: c.SessionTimeout, Lifetime: c.SessionLifetime, PerUser: c.SessionsPerUser, Max: c.Sessions}
}

// roleOf gives the name of a user's role.
func (set *settings) roleOf(user, given string) string {
	if given != "" {
		return given
	}
	return set.RoleOf(user)
}

// roleNow gives the name of the role that the session has under these settings; false if it
// must not go on.
func (set *settings) roleNow(sess *session.Session[state]) (role string, stays bool) {
	sess.Do(func(st *state) {
		if st.set == set {
			role, stays = st.role, true
			return
		}
		if stays = st.set == nil || st.set.Ways == set.Ways; stays {
			st.set, st.role = set, set.roleOf(sess.User, st.given)
			role = st.role
		}
	})
	return role, stays
}
