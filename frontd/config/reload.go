// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"nuconntrack/policy/strict"
)

// fixed returns the keys that hold from the start to the end, with all below them: sockets are
// opened, files and ports named to the sandbox, and clocks set at the start.
func fixed() []string {
	return []string{"listen", "privd", "user", "uid_mask", "users_file", "allow_plaintext", "header_timeout", "idle_timeout", "log_format",
		"metrics.listen", "tls",
		"auth.backend", "auth.file", "auth.ldap.servers", "auth.ldap.ca", "auth.ldap.bind_password_file"}
}

// Follow returns the configuration that holds when next is to take the place of c in a daemon
// that runs: next, but for what needs a restart, which stays as it is in c. changed and waiting
// are the keys that differ and hold now, or after a restart.
//
// Who gets in, [auth] and [proxy], changes as a whole or not at all: half of an old way and half
// of a new one could let in people nobody meant. hide and [[class]] wait together where what is to
// be hidden asks for users, and the marks have none before a restart: every connection would be
// one without a user.
func (c *Config) Follow(next *Config) (now *Config, changed, waiting []string) {
	all := differences(c, next)
	way := func(key string) bool { return below(key, "auth") || below(key, "proxy") }
	stays := func(key string) bool {
		return slices.ContainsFunc(fixed(), func(f string) bool { return below(key, f) })
	}
	waysStay := slices.ContainsFunc(all, func(key string) bool { return way(key) && stays(key) })
	merged := *next
	merged.Marks.UIDMask, merged.Marks.UsersFile = c.Marks.UIDMask, c.Marks.UsersFile
	hideStays := merged.Marks.checkHide(next.Hide) != nil
	for _, key := range all {
		if stays(key) || waysStay && way(key) || hideStays && (key == "hide" || key == "class") {
			waiting = append(waiting, key)
		} else {
			changed = append(changed, key)
		}
	}
	merged.Listen, merged.Privd, merged.User, merged.UserGiven = c.Listen, c.Privd, c.User, c.UserGiven
	merged.Log.Format, merged.Metrics = c.Log.Format, c.Metrics
	merged.AllowPlaintext, merged.TLS = c.AllowPlaintext, c.TLS
	if hideStays {
		merged.Marks.Classes, merged.Hide = c.Marks.Classes, c.Hide
	}
	merged.Connections.Header, merged.Connections.Idle = c.Connections.Header, c.Connections.Idle
	if waysStay {
		merged.Auth, merged.Proxy = c.Auth, c.Proxy
	}
	return &merged, changed, waiting
}

func below(key, section string) bool {
	return key == section || strings.HasPrefix(key, section+".")
}

// differences returns the keys whose values differ, sorted.
func differences(a, b *Config) []string {
	before, after := map[string]any{}, map[string]any{}
	flatten(before, "", strict.Read([]byte(a.String()), "former configuration"))
	flatten(after, "", strict.Read([]byte(b.String()), "configuration"))
	keys := map[string]bool{}
	for _, m := range []map[string]any{before, after} {
		for key := range m {
			if !reflect.DeepEqual(before[key], after[key]) {
				keys[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// flatten puts every value that is no table into all, by its dotted key.
func flatten(all map[string]any, prefix string, t strict.Table) {
	for _, key := range t.Keys() {
		name := prefix + key
		if _, table := t.Value(key).(map[string]any); table {
			flatten(all, name+".", t.Table(key))
		} else {
			all[name] = t.Value(key)
		}
	}
}

// Ways names the ways in as a whole: two configurations under which the same logins succeed, as
// the same users, and get the same role where it is not [auth] that names it, have the same.
func (c *Config) Ways() string {
	var b strings.Builder
	a := c.Auth
	fmt.Fprintln(&b, a.Backend, quote(a.File))
	c.Proxy.print(&b)
	switch a.Backend {
	case BackendLDAP:
		printLDAP(&b, a.LDAP)
		// Users named here are not asked for their groups.
		for _, user := range slices.Sorted(maps.Keys(a.Roles)) {
			fmt.Fprintln(&b, quote(user), quote(a.Roles[user].Name))
		}
	case BackendTLS:
		printCertificate(&b, a.Certificate)
	}
	a.Local.print(&b)
	return b.String()
}
