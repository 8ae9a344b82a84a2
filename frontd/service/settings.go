// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"slices"

	"nuconntrack/frontd/session"
	"nuconntrack/frontd/table"
)

// settings are a Config made ready. They never change: another Config makes others, and a call
// that has begun keeps those it began with.
type settings struct {
	Config
	roles  map[string]role
	listed []table.Field // that a view shows unless it is told which
}

func newSettings(cfg Config) *settings {
	if cfg.MaxPage == 0 {
		cfg.MaxPage = DefaultMaxPage
	}
	set := &settings{Config: cfg, roles: rolesOf(cfg.Roles, cfg.Hidden)}
	for _, f := range set.fields() {
		if f.Listed {
			set.listed = append(set.listed, f)
		}
	}
	return set
}

// fields are those that there are, in the order in which a row shows them.
func (set *settings) fields() []table.Field {
	return slices.DeleteFunc(table.Fields(), func(f table.Field) bool { return !set.Meaning.Has(&f) })
}

// meaning is what marks stand for in a table that is about to be read.
func (set *settings) meaning() *table.Meaning {
	if set.Meaning == nil || set.Users == nil {
		return set.Meaning
	}
	return set.Meaning.WithUsers(set.Users())
}

// known refuses a field that is not configured, as which parameter named it.
func (set *settings) known(param string, f *table.Field) error {
	if why, lacks := set.Meaning.Lacks(f); lacks {
		return BadParam("%s: there is no field %q: %v", param, f.Name, why)
	}
	return nil
}

// shown is known for what a view shows and orders by. The fields of users are fields of every
// table there, which its rows lack without uid_mask, as they lack counters where the kernel does
// not count. A filter is not so lenient: "not this user" would be everybody.
func (set *settings) shown(param string, f *table.Field) error {
	if f.OfUser() {
		return nil
	}
	return set.known(param, f)
}

// CheckFilter says what is wrong with a filter here. The error is a *table.FilterError.
func (c *Call) CheckFilter(members map[string]table.Operand) error {
	_, err := c.set.filter(members)
	return err
}

// filter reads what a call asks for.
func (set *settings) filter(members map[string]table.Operand) (*table.Filter, error) {
	f, err := table.CompileFilter(members)
	if err != nil {
		return nil, err
	}
	return f, set.Meaning.Check(f)
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
