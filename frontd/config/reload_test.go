// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"slices"
	"testing"
)

func TestFollow(t *testing.T) {
	const ldap = "\n[auth]\nbackend = \"ldap\"\n[auth.ldap]\nservers = [\"ldaps://a\"]\nuser_dn = \"uid={user},dc=x\"\n"
	class := func(name string) string { return "[[class]]\nname = \"" + name + "\"\nmark = 1\n" }
	for name, test := range map[string]struct {
		from, to         string
		changed, waiting []string
	}{
		"nothing":                 {authSection, authSection, nil, nil},
		"written otherwise":       {"max_age = 1" + authSection, "max_age = \"1s\"" + authSection, nil, nil},
		"limits":                  {authSection, "max_page = 1\nmax_sessions = 9\nmax_connections = 7" + authSection, []string{"max_connections", "max_connections_per_address", "max_page", "max_sessions", "max_sessions_per_user"}, nil},
		"hosts":                   {"hosts = [\"a\"]" + authSection, "hosts = [\"b\"]" + authSection, []string{"hosts"}, nil},
		"a role":                  {authSection, authSection + "[auth.roles]\nann = \"viewer\"\n", []string{"auth.roles.ann"}, nil},
		"a made role":             {authSection + "[roles.r]\nbase = \"viewer\"", authSection + "[roles.r]\nbase = \"operator\"", []string{"roles.r.base", "roles.r.mark_mask"}, nil},
		"sockets":                 {authSection, "listen = [\"127.0.0.1:1\"]\nprivd = \"/x\"\nmax_page = 1" + authSection, []string{"max_page"}, []string{"listen", "privd"}},
		"plaintext":               {"allow_plaintext = true" + authSection, authSection, nil, []string{"allow_plaintext"}},
		"clocks":                  {authSection, "header_timeout = 1\nidle_timeout = 1\nbody_timeout = 1" + authSection, []string{"body_timeout"}, []string{"header_timeout", "idle_timeout"}},
		"certificates":            {authSection, authSection + "[tls]\ncert = \"/a\"\nkey = \"/b\"\n", nil, []string{"tls.cert", "tls.key", "tls.min_version"}},
		"user":                    {authSection, "user = \"ann\"" + authSection, nil, []string{"user"}},
		"password file":           {authSection, "\n[auth]\nbackend = \"file\"\nfile = \"/q\"\nrole = \"viewer\"", nil, []string{"auth.file", "auth.role"}},
		"another backend":         {authSection, ldap, nil, []string{"auth.backend", "auth.file", "auth.ldap.name_attribute", "auth.ldap.servers", "auth.ldap.timeout", "auth.ldap.user_dn", "auth.legacy_sha", "auth.role"}},
		"hidden by users to come": {authSection, "uid_mask = 255\nhide = [\"not authenticated\"]" + authSection, nil, []string{"hide", "uid_mask"}},
		"hidden by users to come, and classes": {"hide = [\"class b\"]" + authSection + class("b"), "uid_mask = 255\nhide = [\"not authenticated\"]" + authSection + class("c"),
			nil, []string{"class", "hide", "uid_mask"}},
		"hidden by users that go":     {"uid_mask = 255\nhide = [\"user ann\"]" + authSection, authSection, []string{"hide"}, []string{"uid_mask"}},
		"hidden beside users to come": {authSection, "uid_mask = 255\nhide = [\"::1\"]" + authSection, []string{"hide"}, []string{"uid_mask"}},
		"directory's rest":            {ldap, ldap + "name_attribute = \"cn\"", []string{"auth.ldap.name_attribute"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := mustParse(t, test.from), mustParse(t, test.to)
			before := from.String()
			now, changed, waiting := from.Follow(to)
			if !slices.Equal(changed, test.changed) || !slices.Equal(waiting, test.waiting) {
				t.Errorf("changed %q, waiting %q", changed, waiting)
			}
			if from.String() != before {
				t.Error("the former configuration was changed")
			}
			// What waits is as it was, all else as it is to be.
			if left := differences(now, to); !slices.Equal(left, test.waiting) {
				t.Errorf("not as wanted: %q", left)
			}
			if done := differences(from, now); !slices.Equal(done, test.changed) {
				t.Errorf("differs from before: %q", done)
			}
		})
	}
}

func TestWays(t *testing.T) {
	a := mustParse(t, authSection)
	for name, test := range map[string]struct {
		text string
		same bool
	}{
		"limits":        {"max_page = 1" + authSection, true},
		"roles of ours": {authSection + "role = \"viewer\"\n[auth.roles]\nann = \"admin\"", true},
		"another file":  {"\n[auth]\nbackend = \"file\"\nfile = \"/q\"\n", false},
		"a proxy":       {authSection + "[proxy]\nclient_header = \"X-Forwarded-For\"\n", false},
		"local users":   {authSection + "[auth.local.users]\nroot = \"admin\"\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			if same := a.Ways() == mustParse(t, test.text).Ways(); same != test.same {
				t.Errorf("the same ways: %t", same)
			}
		})
	}
}
