// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"net"
	"net/http"

	"nuconntrack/cmd/nuctl/client"
)

// What is said where nobody knows whether it was done.
const (
	maybeKilled  = "the server's answer is missing: connections may have been killed all the same, 'nuctl list' shows what is left"
	maybeChanged = "the server's answer is missing: the connection may have been changed all the same, 'nuctl list' shows it"
)

// lostError is that of a call that may have been done, since the answer to it is lost, or of
// work that is half done; its text says so to the user.
type lostError struct {
	err  error
	text string
}

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// lost marks the error of a call that changes something, if the server may have had it.
func lost(err error, text string) error {
	var call *client.Error
	var op *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
	case !errors.As(err, &call), errors.As(err, &op) && op.Op == "dial":
		return err
	case call.Kind == client.Faulted, call.Kind == client.Unsent, call.Kind == client.Status && call.Code < http.StatusInternalServerError:
		return err
	}
	return &lostError{err, text}
}
