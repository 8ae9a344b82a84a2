// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"time"

	"nuconntrack/frontd/listen"
	"nuconntrack/frontd/session"
)

// What holds where the file says nothing.
const (
	defaultListen = "127.0.0.1:8580"
	defaultPrivd  = "/run/nuconntrack-privd/privd.sock"
	defaultUser   = "nuconntrack"
	defaultRole   = "admin" // with backends whose users the administrator makes one by one

	defaultUserHeader    = "X-Remote-User"
	defaultFilter        = "(uid={user})"
	defaultNameAttribute = "uid"
	defaultGroupFilter   = "(|(member={dn})(uniqueMember={dn})(memberUid={user}))"
)

// Bounds of lists and names.
const (
	maxListen   = 64
	maxHosts    = 1000
	maxHostName = 253 // RFC 1035, section 2.3.4, without the final dot
	maxRoles    = 10_000
	maxUserName = 32 // useradd(8)
	maxProxies  = 1000
	maxServers  = 16
	maxGroups   = 1000
	maxHeader   = 100 // bytes in the name of a header
)

// A number is a key whose value is an integer.
type number struct {
	key                   string
	standard, least, most int64
	set                   func(*Config, int64)
	get                   func(*Config) int64
}

// numbers returns the keys whose values are integers, in the order of the reference.
func numbers() []number {
	count := func(key string, standard, least, most int64, at func(*Config) *int) number {
		return number{
			key, standard, least, most,
			func(c *Config, n int64) { *at(c) = int(n) },
			func(c *Config) int64 { return int64(*at(c)) },
		}
	}
	return []number{
		count("max_page", 5000, 1, 100_000, func(c *Config) *int { return &c.View.MaxPage }),
		count("max_snapshots", 4, 1, 64, func(c *Config) *int { return &c.View.MaxSnapshots }),
		count("max_sessions", session.DefaultMax, 1, 100_000, func(c *Config) *int { return &c.Sessions.Max }),
		count("max_sessions_per_user", session.DefaultPerUser, 1, 100_000, func(c *Config) *int { return &c.Sessions.MaxPerUser }),
		count("max_connections", listen.DefaultTotal, 1, 100_000, func(c *Config) *int { return &c.Connections.Max }),
		count("max_connections_per_address", listen.DefaultPerAddress, 1, 100_000, func(c *Config) *int { return &c.Connections.MaxPerAddress }),
		{
			"max_body", 4 << 20, 8 << 10, 64 << 20,
			func(c *Config, n int64) { c.Connections.MaxBody = n },
			func(c *Config) int64 { return c.Connections.MaxBody },
		},
	}
}

// A span is a key whose value is a duration.
type span struct {
	key                   string
	standard, least, most time.Duration
	at                    func(*Config) *time.Duration
}

// spans returns the keys whose values are durations, in the order of the reference.
func spans() []span {
	const tick, day = 100 * time.Millisecond, 24 * time.Hour
	return []span{
		{"max_age", time.Second, 0, 5 * time.Minute, func(c *Config) *time.Duration { return &c.View.MaxAge }},
		{"session_timeout", session.DefaultTimeout, tick, day, func(c *Config) *time.Duration { return &c.Sessions.Timeout }},
		{"web_session_timeout", 15 * time.Minute, tick, day, func(c *Config) *time.Duration { return &c.Sessions.WebTimeout }},
		{"session_lifetime", session.DefaultLifetime, tick, 366 * day, func(c *Config) *time.Duration { return &c.Sessions.Lifetime }},
		{"header_timeout", 10 * time.Second, tick, 5 * time.Minute, func(c *Config) *time.Duration { return &c.Connections.Header }},
		{"body_timeout", 30 * time.Second, tick, time.Hour, func(c *Config) *time.Duration { return &c.Connections.Body }},
		{"write_timeout", time.Minute, tick, time.Hour, func(c *Config) *time.Duration { return &c.Connections.Write }},
		{"idle_timeout", time.Minute, tick, time.Hour, func(c *Config) *time.Duration { return &c.Connections.Idle }},
	}
}

// A toggle is a key that is true or false.
type toggle struct {
	key      string
	standard bool
	at       func(*Config) *bool
}

// toggles returns the keys that are true or false.
func toggles() []toggle {
	return []toggle{
		{"allow_plaintext", false, func(c *Config) *bool { return &c.AllowPlaintext }},
		{"read_only", false, func(c *Config) *bool { return &c.ReadOnly }},
		{"multicall", false, func(c *Config) *bool { return &c.Multicall }},
		{"web", true, func(c *Config) *bool { return &c.Web }},
	}
}

// logLevels returns the names of levels, with which a log grows.
func logLevels() []string { return []string{"debug", "info", "warn", "error"} }

func logFormats() []string { return []string{"text", "json"} }

// rootKeys returns the names of all keys at the top of the file.
func rootKeys() []string {
	keys := []string{"listen", "privd", "user", "hosts", "uid_mask", "users_file", "hide", "class",
		"auth", "roles", "tls", "proxy", "log_level", "log_format", "metrics"}
	for _, k := range toggles() {
		keys = append(keys, k.key)
	}
	for _, k := range spans() {
		keys = append(keys, k.key)
	}
	for _, k := range numbers() {
		keys = append(keys, k.key)
	}
	return keys
}

// The names of all keys in the sections.

func authKeys() []string {
	return []string{"backend", "file", "legacy_sha", "role", "roles", "ldap", "tls", "local"}
}

func ldapKeys() []string {
	return []string{"servers", "server_name", "ca", "timeout", "user_dn", "bind_dn", "bind_password_file", "base", "filter",
		"name_attribute", "groups", "group_base", "group_filter"}
}

func certificateKeys() []string { return []string{"san", "common_name", "users"} }
func classKeys() []string       { return []string{"name", "mark"} }
func metricsKeys() []string     { return []string{"listen"} }
func localKeys() []string       { return []string{"users", "groups"} }
func tlsKeys() []string         { return []string{"cert", "key", "client_ca", "min_version"} }
func proxyKeys() []string       { return []string{"from", "user_header", "client_header"} }
