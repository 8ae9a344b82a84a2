// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
)

// Identity is what a Backend vouches for.
type Identity struct {
	// User is a name that passwd.CheckName accepts.
	User string
	// Role is the name of a role; "" is the role that the configuration gives by default.
	Role string
}

// Request is a login as it came.
type Request struct {
	// ID names the request in logs.
	ID string
	// Args are the arguments of the login, decoded: a string is a string, what else there
	// is depends on the client. How many there are is up to the client, too.
	Args []any
	// Client is where the login came from; the zero Addr on a Unix socket.
	Client netip.Addr
	// Unix says that it came over a Unix socket, Peer who is at its other end; nil where the
	// kernel does not tell.
	Unix bool
	Peer *Peer
	// Proxy is the proxy that handed the login on, if it was believed when it named Client
	// as the address of the client; the zero Addr where there was none.
	Proxy netip.Addr
	// Header is that of the HTTP request. Whoever sent it could write what he liked.
	Header http.Header
	// Certificate is the client's, verified against the CA of the configuration; nil without.
	Certificate *x509.Certificate
}

// A Peer is a process of this machine as it was when it connected to a Unix socket
// (SO_PEERCRED and SO_PEERGROUPS of unix(7)).
type Peer struct {
	UID uint32
	// Groups has the group that SO_PEERCRED names, and all others.
	Groups []uint32
}

// Credentials returns the user name and password of a login that takes exactly these. The
// error is ErrArguments. Both are as the client sent them, of any length.
func (r Request) Credentials() (user, password string, err error) {
	if len(r.Args) != 2 {
		return "", "", ErrArguments
	}
	user, userOK := r.Args[0].(string)
	password, passwordOK := r.Args[1].(string)
	if !userOK || !passwordOK {
		return "", "", ErrArguments
	}
	return user, password, nil
}

// A Backend logs users in. It is safe for concurrent use, and returns soon after ctx is
// done. Its errors are ErrDenied, ErrArguments, a *BusyError, a *DownError, or that of ctx;
// anything else is an internal error.
type Backend interface {
	Login(ctx context.Context, req Request) (Identity, error)
}

var (
	// ErrDenied means a wrong user or password (fault 1). Errors that wrap it say more
	// in their text, which is for the log and never for the client.
	ErrDenied = errors.New("authentication failed")
	// ErrArguments means that the arguments are not those that a login takes here
	// (fault -32602).
	ErrArguments = errors.New("login takes two strings: user name and password")
)

// Denied is ErrDenied with the reason for the log.
func Denied(reason string) error { return denied(reason) }

func denied(reason string) error { return fmt.Errorf("%w: %s", ErrDenied, reason) }

// BusyError means that there are too many logins (fault 10). Nothing is known about this
// one.
type BusyError struct {
	// Retry is after how many seconds trying again makes sense. At least 1.
	Retry int
	// Failed says that too many have failed, not that there are too many at once.
	Failed bool
}

func (e *BusyError) Error() string {
	if e.Failed {
		return fmt.Sprintf("too many failed logins, try again after %d seconds", e.Retry)
	}
	return fmt.Sprintf("too many logins at once, try again after %d seconds", e.Retry)
}

// DownError means that the backend cannot answer: fault 1 for the client, and a log line
// with this text.
type DownError struct {
	// Backend is its name in the configuration.
	Backend string
	Err     error
}

func (e *DownError) Error() string { return fmt.Sprintf("log in by %s: %v", e.Backend, e.Err) }

// Unwrap returns the cause.
func (e *DownError) Unwrap() error { return e.Err }
