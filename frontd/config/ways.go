// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/auth/directory"
	"nuconntrack/frontd/auth/passwd"
	"nuconntrack/policy"
	"nuconntrack/policy/strict"
)

// parseLDAP reads [auth.ldap].
func parseLDAP(up strict.Table, roles policy.RoleSet) directory.Config {
	t := up.Table("ldap")
	if !up.Has("ldap") {
		up.Fail("", "backend = \"ldap\" needs a section [auth.ldap] with servers and either base or user_dn")
	}
	t.Only(ldapKeys()...)
	c := directory.Config{
		Servers: parseServers(t), ServerName: t.Text("server_name"), CA: t.Text("ca"),
		UserDN: t.Text("user_dn"), BindDN: t.Text("bind_dn"), BindPassword: t.Text("bind_password_file"),
		Base: t.Text("base"), Filter: textOr(t, "filter", defaultFilter),
		NameAttribute: textOr(t, "name_attribute", defaultNameAttribute),
		GroupBase:     t.Text("group_base"), GroupFilter: textOr(t, "group_filter", defaultGroupFilter),
		Timeout: duration(t, span{"timeout", directory.DefaultTimeout, 100 * time.Millisecond, time.Minute, nil}),
	}
	checkFile(t, "ca", c.CA)
	checkSecretFile(t, "bind_password_file", c.BindPassword)
	if t.Has("server_name") && (len(c.ServerName) > maxHostName || !only(c.ServerName, "-.") || c.ServerName == "") {
		t.Fail("server_name", "%s is not the name of a host", strict.Quote(c.ServerName))
	}
	if !only(c.NameAttribute, "-;.") || c.NameAttribute == "" {
		t.Fail("name_attribute", "%s is not an attribute", strict.Quote(c.NameAttribute))
	}
	switch {
	case t.Has("user_dn") == t.Has("base"):
		t.Fail("", "want either base, below which users are searched for, or user_dn, the name of a user's entry with {user} in it")
	case t.Has("user_dn") && (t.Has("bind_dn") || t.Has("filter")):
		t.Fail("user_dn", "nothing is searched for with user_dn: leave bind_dn and filter out")
	case t.Has("user_dn") && !strings.Contains(c.UserDN, "{user}"):
		t.Fail("user_dn", "{user} is missing in it")
	case t.Has("bind_dn") != t.Has("bind_password_file"):
		t.Fail("", "bind_dn and bind_password_file belong together")
	}
	for _, key := range []string{"user_dn", "bind_dn", "base", "group_base"} {
		if t.Has(key) {
			if err := directory.CheckDN(t.Text(key)); err != nil {
				t.Fail(key, "%s: %v", strict.Quote(t.Text(key)), err)
			}
		}
	}
	c.Groups = parseLDAPGroups(t, roles)
	checkFilters(t, c)
	return c
}

func checkFilters(t strict.Table, c directory.Config) {
	if err := directory.CheckFilter(c.Filter, "{user}"); err != nil {
		t.Fail("filter", "%s: %v", strict.Quote(c.Filter), err)
	}
	if err := directory.CheckFilter(c.GroupFilter, "{dn}", "{user}"); err != nil {
		t.Fail("group_filter", "%s: %v", strict.Quote(c.GroupFilter), err)
	}
	switch {
	case t.Has("group_filter") && !t.Has("group_base"):
		t.Fail("group_filter", "without group_base no group is searched for")
	case t.Has("group_base") && len(c.Groups) == 0:
		t.Fail("group_base", "no group gives a role: [[auth.ldap.groups]] is missing")
	}
}

func parseServers(t strict.Table) []directory.Server {
	list := t.List("servers")
	if len(list) == 0 || len(list) > maxServers {
		t.Fail("servers", "want 1 to %d servers, such as [\"ldaps://ldap.example.org\"]", maxServers)
		return nil
	}
	var servers []directory.Server
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			t.Fail("servers", "%s is not a string with a URL", strict.Show(v))
		}
		server, err := directory.ParseServer(s)
		if err != nil {
			// What stands before an @ may be a password.
			t.Fail("servers", "%s: %v", strict.Quote(s[strings.LastIndex(s, "@")+1:]), err)
		}
		servers = append(servers, server)
	}
	return servers
}

func parseLDAPGroups(t strict.Table, roles policy.RoleSet) []directory.Group {
	var groups []directory.Group
	for _, g := range t.Tables("groups", maxGroups) {
		g.Only("dn", "role")
		dn := g.Text("dn")
		if err := directory.CheckDN(dn); err != nil {
			g.Fail("dn", "%s: %v", strict.Quote(dn), err)
		}
		groups = append(groups, directory.Group{DN: dn, Role: namedRole(g, roles).Name})
	}
	return groups
}

// namedRole reads the key role, which has no default here.
func namedRole(t strict.Table, roles policy.RoleSet) policy.Role {
	if !t.Has("role") {
		t.Fail("", "role is missing")
	}
	return parseRole(t, roles, "role")
}

func textOr(t strict.Table, key, standard string) string {
	if !t.Has(key) {
		return standard
	}
	return t.Text(key)
}

// parseCertificate reads [auth.tls].
func parseCertificate(up strict.Table, c *Config) auth.CertificateConfig {
	if c.TLS == nil || c.TLS.ClientCA == "" {
		up.Fail("backend", "backend = \"tls\" needs [tls] with client_ca, whose certificates clients have")
	}
	t := up.Table("tls")
	t.Only(certificateKeys()...)
	cert := auth.CertificateConfig{SANs: auth.SANs(), CommonName: t.Boolean("common_name")}
	if t.Has("san") {
		cert.SANs = nil
		for _, v := range t.List("san") {
			s, _ := v.(string)
			kind := auth.SAN(s)
			if !slices.Contains(auth.SANs(), kind) || slices.Contains(cert.SANs, kind) {
				t.Fail("san", "%s is none of email, dns, uri, or stands there twice", strict.Show(v))
				break
			}
			cert.SANs = append(cert.SANs, kind)
		}
		if len(cert.SANs) == 0 && !cert.CommonName {
			t.Fail("san", "no kind of name is left that could name a user")
		}
	}
	if !t.Has("users") {
		return cert
	}
	users := t.Table("users")
	names := users.Keys()
	if len(names) > maxRoles {
		t.Fail("users", "more than %d users", maxRoles)
		return cert
	}
	cert.Users = make(map[string]string, len(names))
	for _, name := range names {
		cert.Users[name] = users.Text(name)
		if err := passwd.CheckName(cert.Users[name]); err != nil {
			users.Fail(name, "no user can have this name: %v", err)
		}
	}
	return cert
}

// parseLocal reads [auth.local].
func parseLocal(up strict.Table, backend string, c *Config) *Local {
	t := up.Table("local")
	switch {
	case !up.Has("local") && backend == BackendLocal:
		up.Fail("", "backend = \"local\" needs a section [auth.local] with users or groups")
	case !up.Has("local"):
		return nil
	case backend == BackendNone:
		up.Fail("local", "backend = \"none\" lets everybody in already")
	case backend == BackendProxy && c.Proxy.Trust.Unix:
		up.Fail("local", "every local user could be a proxy and take any name: list the proxy in from of [proxy] by its uid (\"uid:33\") instead of \"unix\"")
	}
	t.Only(localKeys()...)
	l := &Local{Users: map[string]policy.Role{}}
	users := t.Table("users")
	if len(users.Keys()) > maxRoles {
		t.Fail("users", "more than %d users", maxRoles)
		return l
	}
	for _, user := range users.Keys() {
		checkAccount(users, user, user)
		l.Users[user] = parseRole(users, c.Roles, user)
	}
	for _, g := range t.Tables("groups", maxGroups) {
		g.Only("group", "role")
		checkAccount(g, "group", g.Text("group"))
		l.Groups = append(l.Groups, LocalGroup{Group: g.Text("group"), Role: namedRole(g, c.Roles)})
	}
	if len(l.Users) == 0 && len(l.Groups) == 0 {
		t.Fail("", "neither users nor groups: nobody has a role")
	}
	return l
}

// checkAccount refuses what is neither the name of a user or group nor a number.
func checkAccount(t strict.Table, key, name string) {
	switch {
	case name == "" || len(name) > maxUserName || !only(name, "_.-") || name[0] == '-':
		t.Fail(key, "%s is neither a name nor a number", strict.Quote(name))
	case strings.Trim(name, "0123456789") == "":
		if n, err := strconv.ParseUint(name, 10, 32); err != nil || n == auth.OverflowID || n == 1<<32-1 {
			t.Fail(key, "%s is not a number that stands for somebody", strict.Quote(name))
		}
	}
}
