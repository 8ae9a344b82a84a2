// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"slices"
	"strings"

	"nuconntrack/frontd/auth/passwd"
	"nuconntrack/policy"
	"nuconntrack/policy/strict"
)

func parseAuth(root strict.Table, c *Config) Auth {
	t := root.Table("auth")
	if !root.Has("auth") {
		root.Fail("auth", "the section is missing: nobody could log in; write [auth] with backend = \"file\" and "+
			"file = \"/etc/nuconntrack/passwd\" (nuctl passwd makes one), or, on loopback or a Unix socket, backend = \"none\"")
		return Auth{}
	}
	t.Only(authKeys()...)
	a := Auth{Backend: parseBackend(t)}
	if t.Has("role") || a.Backend == BackendNone || a.Backend == BackendFile {
		a.Role = parseRole(t, c.Roles, "role")
	}
	parseFile(t, &a)
	for _, only := range []struct{ section, backend string }{{"ldap", BackendLDAP}, {"tls", BackendTLS}} {
		if t.Has(only.section) && a.Backend != only.backend {
			t.Fail(only.section, "the section is for backend = %q", only.backend)
		}
	}
	switch a.Backend {
	case BackendLDAP:
		a.LDAP = parseLDAP(t, c.Roles)
	case BackendTLS:
		a.Certificate = parseCertificate(t, c)
	}
	a.Local = parseLocal(t, a.Backend, c)
	a.Roles = parseRoles(t, a.Backend, c.Roles)
	return a
}

func parseFile(t strict.Table, a *Auth) {
	a.File = t.Text("file")
	a.LegacySHA = t.Boolean("legacy_sha")
	switch {
	case a.Backend == BackendFile && !t.Has("file"):
		t.Fail("", "backend = \"file\" needs the path of a password file: file = \"/etc/nuconntrack/passwd\"")
	case a.Backend == BackendNone && t.Has("file"):
		t.Fail("file", "backend = \"none\" asks for no password: leave file out, or write backend = \"file\"")
	case a.Backend != BackendFile && t.Has("file"):
		t.Fail("file", "the password file is for backend = \"file\"")
	case a.Backend != BackendFile && t.Has("legacy_sha"):
		t.Fail("legacy_sha", "the key is for backend = \"file\"")
	case t.Has("file"):
		checkFile(t, "file", a.File)
	}
}

func parseBackend(t strict.Table) string {
	known := []string{BackendNone, BackendFile, BackendLDAP, BackendProxy, BackendTLS, BackendLocal}
	backend := t.Text("backend")
	if !t.Has("backend") {
		t.Fail("", "the key backend is missing; known are %s", strings.Join(known, ", "))
	}
	if !slices.Contains(known, backend) {
		t.Fail("backend", "%s is not known; known are %s", strict.Quote(backend), strings.Join(known, ", "))
	}
	return backend
}

// parseRole returns the role that stands at key, the default one where there is none.
func parseRole(t strict.Table, known policy.RoleSet, key string) policy.Role {
	v := t.Value(key)
	if v == nil {
		v = defaultRole
	}
	name, ok := v.(string)
	if !ok {
		t.Fail(key, "want a string with the name of a role, not %s", strict.Kind(v))
	}
	role, ok := known.Named(name)
	if !ok {
		var names []string
		for _, r := range known.All() {
			names = append(names, r.Name)
		}
		t.Fail(key, "%s is not a role; known are %s", strict.Quote(name), strings.Join(names, ", "))
	}
	return role
}

func parseRoles(auth strict.Table, backend string, known policy.RoleSet) map[string]policy.Role {
	t := auth.Table("roles")
	users := t.Keys()
	switch {
	case len(users) > 0 && backend == BackendNone:
		auth.Fail("roles", "backend = \"none\" proves no name, so everybody could take any of these roles; set role for all")
	case len(users) > 0 && backend == BackendLocal:
		auth.Fail("roles", "users of this machine have their roles in [auth.local]")
	case len(users) > maxRoles:
		auth.Fail("roles", "more than %d users", maxRoles)
	}
	roles := make(map[string]policy.Role, len(users))
	for _, user := range users {
		if err := passwd.CheckName(user); err != nil {
			t.Fail(user, "no user can have this name: %v", err)
		}
		roles[user] = parseRole(t, known, user)
	}
	return roles
}

// combine refuses values that are possible each but not together, and fits defaults to what
// was given.
func combine(t strict.Table, c *Config) {
	s, n := &c.Sessions, &c.Connections
	fit := func(part, whole string, tooMuch bool, adjust func()) {
		switch {
		case !tooMuch:
		case !t.Has(part):
			adjust()
		case t.Has(whole):
			t.Fail(part, "more than %s", whole)
		default:
			t.Fail(part, "more than %s, which is left at its default", whole)
		}
	}
	fit("session_timeout", "session_lifetime", s.Timeout > s.Lifetime, func() { s.Timeout = s.Lifetime })
	fit("web_session_timeout", "session_lifetime", s.WebTimeout > s.Lifetime, func() { s.WebTimeout = s.Lifetime })
	if c.Auth.Backend == BackendNone && !t.Has("max_sessions_per_user") {
		s.MaxPerUser = s.Max // nobody has a name of his own there
	}
	fit("max_sessions_per_user", "max_sessions", s.MaxPerUser > s.Max, func() { s.MaxPerUser = s.Max })
	fit("max_connections_per_address", "max_connections", n.MaxPerAddress > n.Max, func() { n.MaxPerAddress = n.Max })
}
