// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// String returns the configuration as understood, every default filled in, in the form of a
// configuration file: Parse reads it back to the same. It has no secrets.
func (c *Config) String() string {
	var b strings.Builder
	addresses := make([]string, len(c.Listen))
	for i, a := range c.Listen {
		addresses[i] = a.String()
	}
	fmt.Fprintf(&b, "listen = %s\n", list(addresses))
	fmt.Fprintf(&b, "privd = %s\n", quote(c.Privd))
	if c.UserGiven {
		fmt.Fprintf(&b, "user = %s\n", quote(c.User))
	} else {
		fmt.Fprintf(&b, "# user: %s, if started as root\n", c.User)
	}
	fmt.Fprintf(&b, "hosts = %s\n", list(c.Hosts))
	for _, k := range toggles() {
		fmt.Fprintf(&b, "%s = %t\n", k.key, *k.at(c))
	}
	for _, k := range spans() {
		fmt.Fprintf(&b, "%s = %q\n", k.key, short(*k.at(c)))
	}
	for _, k := range numbers() {
		fmt.Fprintf(&b, "%s = %d\n", k.key, k.get(c))
	}
	fmt.Fprintf(&b, "\n[auth]\nbackend = %s\n", quote(c.Auth.Backend))
	if c.Auth.File != "" {
		fmt.Fprintf(&b, "file = %s\n", quote(c.Auth.File))
	}
	fmt.Fprintf(&b, "role = %s\n", quote(c.Auth.Role.Name))
	if len(c.Auth.Roles) > 0 {
		b.WriteString("\n[auth.roles]\n")
	}
	for _, user := range slices.Sorted(maps.Keys(c.Auth.Roles)) {
		fmt.Fprintf(&b, "%s = %s\n", quote(user), quote(c.Auth.Roles[user].Name))
	}
	b.WriteString(c.Roles.String())
	return b.String()
}

func list(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// quote writes a basic string of TOML. What steers a terminal is written as an escape.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r > ' ' && r < 0x7f || r == ' ':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
