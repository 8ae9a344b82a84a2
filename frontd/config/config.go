// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	_ "embed"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"nuconntrack/frontd/listen"
	"nuconntrack/policy"
)

// The backends that a Config can name.
const (
	BackendNone = "none"
	BackendFile = "file"
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

	// Roles are all roles that there are, those of the file included.
	Roles policy.RoleSet

	View        View
	Sessions    Sessions
	Connections Connections
	Auth        Auth
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
	// Backend is BackendNone or BackendFile.
	Backend string
	// File is the absolute path of the password file; empty without BackendFile.
	File string
	// Role is the role of users that Roles does not have.
	Role policy.Role
	// Roles are the roles of users by name; empty with BackendNone, which proves no name.
	Roles map[string]policy.Role
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
		"listen on loopback or a Unix socket behind a proxy that speaks TLS, or accept it with allow_plaintext = true")
)

// CheckListener says why not to serve on a socket with this address. The error is
// ErrNoAuthentication or ErrPlaintext.
func (c *Config) CheckListener(addr net.Addr) error {
	switch {
	case listen.Local(addr):
		return nil
	case c.Auth.Backend == BackendNone:
		return ErrNoAuthentication
	case !c.AllowPlaintext:
		return ErrPlaintext
	}
	return nil
}

// ListenerWarning returns what the administrator should be told of a socket that CheckListener
// accepts, or "".
func (c *Config) ListenerWarning(addr net.Addr) string {
	if listen.Local(addr) {
		return ""
	}
	return fmt.Sprintf("no TLS on %s: passwords and sessions cross the network in plain text", addr)
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
