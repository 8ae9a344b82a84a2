// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/auth/directory"
	"nuconntrack/frontd/listen"
	"nuconntrack/frontd/table"
	"nuconntrack/policy"
)

// The backends that a Config can name.
const (
	BackendNone  = "none"
	BackendFile  = "file"
	BackendLDAP  = "ldap"
	BackendProxy = "proxy"
	BackendTLS   = "tls"
	BackendLocal = "local"
)

// SelfUser as User means to stay who one is.
const SelfUser = "self"

//go:embed frontd.toml
var reference string

// Reference returns a configuration file with every key, what it means, its bounds and its
// default.
func Reference() string { return reference }

// A Config is a configuration that was found valid. The tags of its fields are the keys.
type Config struct {
	// Listen are the addresses to listen on where systemd passes no socket; at least one.
	// Whoever opens a socket, systemd's too, asks CheckListener about it.
	Listen []listen.Address
	// Privd is the absolute path of the helper's socket.
	Privd string
	// User is whom to become when started as root: a name, a uid or SelfUser. UserGiven tells
	// one that stands in the file from the default.
	User      string
	UserGiven bool
	// Hosts are the names, in lower case, that a request's Host may have besides localhost
	// and IP literals.
	Hosts []string
	// AllowPlaintext accepts listeners without TLS that others than this machine can reach.
	AllowPlaintext bool
	// ReadOnly refuses every method that acts, to everybody.
	ReadOnly bool
	// Multicall switches system.multicall on.
	Multicall bool
	// Web serves the page for browsers.
	Web bool

	// Marks says what the marks of connections mean.
	Marks Marks
	// Hide has the networks and expressions whose connections are left out everywhere, as
	// table.HideFilter reads them.
	Hide []string

	// Roles are all roles that there are, those of the file included.
	Roles policy.RoleSet

	Log     Log
	Metrics Metrics

	View        View
	Sessions    Sessions
	Connections Connections
	// TLS is nil where no listener speaks TLS.
	TLS   *TLS
	Proxy Proxy
	Auth  Auth
}

// Log says how the daemon logs.
type Log struct {
	Level  slog.Level
	Format string // "text" or "json"
}

// Marks says what the marks of connections mean.
type Marks struct {
	// UIDMask are the bits that hold a user's id; 0: none do.
	UIDMask uint32
	// UsersFile has the users' names, as Path reads it; "": the users of this machine.
	UsersFile string
	// Classes are the traffic classes; the first that fits counts.
	Classes []table.Class
}

// Metrics says where who monitors the daemon may ask.
type Metrics struct {
	// Listen are the addresses, where systemd passes no socket; none: nowhere.
	Listen []listen.Address
}

// TLS says what listeners speak that are neither Unix sockets nor plain. Files are named as
// Path reads them.
type TLS struct {
	Cert, Key string
	// ClientCA has the authorities of client certificates; if it is not empty, every client
	// must have one.
	ClientCA string
	// MinVersion is tls.VersionTLS12 or tls.VersionTLS13.
	MinVersion uint16
}

// Proxy says which proxies are believed, and in what.
type Proxy struct {
	Trust auth.Trust
	// UserHeader has the user's name; only with BackendProxy.
	UserHeader string
	// ClientHeader has the client's address; "": that of the connection counts.
	ClientHeader string
}

// View has what bounds the reading of tables.
type View struct {
	MaxPage      int           // rows
	MaxAge       time.Duration // of the table that a view accepts
	MaxSnapshots int           // tables held
}

// Sessions has what bounds sessions.
type Sessions struct {
	Timeout    time.Duration // after the last call
	WebTimeout time.Duration // the same for sessions of the page
	Lifetime   time.Duration // in any case
	Max        int           // in all
	MaxPerUser int
}

// Connections has what bounds connections and what comes over them.
type Connections struct {
	Max           int // in all
	MaxPerAddress int
	MaxBody       int64         // bytes of a request's body
	Header        time.Duration // from the first byte of a request to the end of its header
	Body          time.Duration // for the body
	Write         time.Duration // for the answer
	Idle          time.Duration // between two requests
}

// Auth says who gets in.
type Auth struct {
	// Backend is one of those above.
	Backend string
	// File is the password file, as Path reads it; empty without BackendFile.
	File string
	// LegacySHA accepts SHA-1 hashes in it.
	LegacySHA bool
	// Role is the role of users that Roles does not have. One without a name lets nobody in.
	Role policy.Role
	// Roles are the roles of users by name; empty with BackendNone, which proves no name.
	Roles map[string]policy.Role
	// LDAP is for BackendLDAP. Its files are named as Path reads them.
	LDAP directory.Config
	// Certificate is for BackendTLS.
	Certificate auth.CertificateConfig
	// Local is nil where users of this machine are nobody special.
	Local *Local
}

// Local has the roles of users of this machine.
type Local struct {
	// Users are roles by user: the name, or a uid in decimal.
	Users map[string]policy.Role
	// Groups are roles of members, the first that fits counts.
	Groups []LocalGroup
}

// A LocalGroup is the role of the members of a group.
type LocalGroup struct {
	Group string // name, or a gid in decimal
	Role  policy.Role
}

// RoleOf returns the role of a user.
func (a Auth) RoleOf(user string) policy.Role {
	if role, ok := a.Roles[user]; ok {
		return role
	}
	return a.Role
}

var (
	// ErrNoAuthentication refuses a listener that others could reach without a password.
	ErrNoAuthentication = errors.New(`backend "none" lets everybody in: it is accepted on loopback and Unix sockets only`)
	// ErrPlaintext refuses a listener on which others could read passwords.
	ErrPlaintext = errors.New("beyond loopback passwords and sessions would cross the network in plain text: " +
		"write [tls] with a certificate, listen on loopback or a Unix socket behind a proxy that speaks TLS, " +
		"or accept it with allow_plaintext = true")
)

// SpeaksTLS reports whether a socket with this address speaks TLS. plain is what its address
// or its name says about that.
func (c *Config) SpeaksTLS(addr net.Addr, plain bool) bool {
	_, tcp := addr.(*net.TCPAddr)
	return c.TLS != nil && tcp && !plain
}

// CheckListener says why not to serve on a socket with this address, plain or not. The error is
// ErrNoAuthentication or ErrPlaintext.
func (c *Config) CheckListener(addr net.Addr, plain bool) error {
	switch {
	case listen.Local(addr):
		return nil
	case c.Auth.Backend == BackendNone:
		return ErrNoAuthentication
	case !c.SpeaksTLS(addr, plain) && !c.AllowPlaintext:
		return ErrPlaintext
	}
	return nil
}

// ListenerWarning returns what the administrator should be told of a socket that CheckListener
// accepts, or "".
func (c *Config) ListenerWarning(addr net.Addr, plain bool) string {
	if listen.Local(addr) || c.SpeaksTLS(addr, plain) {
		return ""
	}
	return fmt.Sprintf("no TLS on %s: passwords and sessions cross the network in plain text", addr)
}

// MetricsWarning is the same for a socket on which metrics are served.
func (c *Config) MetricsWarning(addr net.Addr) string {
	if listen.Local(addr) {
		return ""
	}
	return fmt.Sprintf("metrics on %s: who can reach it can read them, without password or TLS", addr)
}

// HostAllowed reports whether Hosts has the name, which must be without a port.
func (c *Config) HostAllowed(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, h := range c.Hosts {
		if h == name {
			return true
		}
	}
	return false
}
