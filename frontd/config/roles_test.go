// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// TestConfiguredRoles: users may have roles of the file, wherever it defines them, and the
// configuration that is printed means the same.
func TestConfiguredRoles(t *testing.T) {
	c := mustParse(t, `
[auth]
backend = "file"
file = "/etc/nuconntrack/passwd"
role = "guest"
[auth.roles]
ann = "customer.7"
bob = "admin"
[roles.guest]
methods = ["view"]
[roles."customer.7"]
base = "operator"
networks = ["10.7.1.1/16", "2001:db8::1"]
zones = [7, 0, 7]
marks = ["0x20/0xf0", 1]
mark_mask = 0
`)
	for user, role := range map[string]string{"ann": "customer.7", "bob": "admin", "zoe": "guest"} {
		if got := c.Auth.RoleOf(user).Name; got != role {
			t.Errorf("%s is %q, want %q", user, got, role)
		}
	}
	ann := c.Auth.RoleOf("ann")
	if s := ann.Scope(); !reflect.DeepEqual(s.Networks(), []netip.Prefix{netip.MustParsePrefix("10.7.0.0/16"), netip.MustParsePrefix("2001:db8::1/128")}) ||
		!reflect.DeepEqual(s.Zones(), []uint16{0, 7}) || len(s.Marks()) != 2 || ann.MarkMask() != 0 || ann.May("stats") {
		t.Errorf("ann may %+v", ann)
	}
	if text := c.String(); !reflect.DeepEqual(mustParse(t, text), c) {
		t.Errorf("printed and read back\n%s\nbefore\n%s", mustParse(t, text), text)
	}
}

func TestRolesMistakes(t *testing.T) {
	const begin = "[auth]\nbackend = \"file\"\nfile = \"/x\"\n"
	tests := map[string]struct {
		text string
		line int
		says string
	}{
		"a built-in role made anew":        {begin + "[roles.admin]\nbase = \"viewer\"", 4, "exist by themselves"},
		"a role without methods":           {begin + "[roles.r]\nzones = [1]", 4, "base"},
		"an unknown key":                   {begin + "[roles.r]\nbase = \"viewer\"\nscope = 1", 6, "unknown key"},
		"stats with a scope":               {begin + "[roles.r]\nmethods = [\"stats\"]\nzones = [1]", 5, "whole"},
		"a user with a role that is not":   {begin + "[auth.roles]\nann = \"s\"\n[roles.r]\nbase = \"viewer\"", 5, "viewer, operator, admin, r"},
		"a default that is not there":      {begin + "role = \"s\"\n[roles.r]\nbase = \"viewer\"", 4, "not a role"},
		"marks that could be set by users": {begin + "[roles.r]\nbase = \"operator\"\nmarks = [\"1/1\"]\nmark_mask = 1", 7, "another"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(test.text), "f.toml", Override{})
			var e *Error
			if !errors.As(err, &e) || e.Line != test.line || !strings.Contains(e.Reason, test.says) {
				t.Errorf("error %v, want line %d with %q", err, test.line, test.says)
			}
		})
	}
}
