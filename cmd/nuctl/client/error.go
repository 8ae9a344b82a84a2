// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"fmt"
)

// Kind says what failed in a call.
type Kind int

// The kinds of failures.
const (
	// Unreachable: nobody there, or the connection broke. Err says how.
	Unreachable Kind = iota + 1
	// Timeout: no answer in time.
	Timeout
	// Status: the HTTP status in Code instead of 200.
	Status
	// BadAnswer: an answer that is not what a front daemon sends, or beyond a limit.
	BadAnswer
	// Faulted: the server answered with the fault in Code; Text explains.
	Faulted
	// Unsent: the call could not be made from what it was given.
	Unsent
)

// The server's faults that callers tell apart.
const (
	FaultAuthentication = 1
	FaultSession        = 2
	FaultPermission     = 3
	FaultUnknown        = 4
	FaultAmbiguous      = 5
	FaultPolicy         = 6
	FaultReplaced       = 7
	FaultKernel         = 8
	FaultHelper         = 9
	FaultBusy           = 10
	FaultFixed          = 11
	FaultSnapshot       = 12
	FaultMethod         = -32601
	FaultParameters     = -32602
)

// Error is the only error of calls, but for those of the context that ended them.
type Error struct {
	Kind   Kind
	Method string
	// Server is the address, with its port.
	Server string
	// Code is the HTTP status or the fault's code, by Kind.
	Code int
	// Basic says that with status 401 a user and password are asked for.
	Basic bool
	// Text is the fault's, as it came from the network; empty with other kinds.
	Text string
	// Err is the cause; nil for faults.
	Err error
}

// Error may contain text from the network.
func (e *Error) Error() string {
	switch e.Kind {
	case Faulted:
		return fmt.Sprintf("call %s: fault %d: %s", e.Method, e.Code, e.Text)
	case Status:
		return fmt.Sprintf("call %s at %s: HTTP status %d", e.Method, e.Server, e.Code)
	default:
		return fmt.Sprintf("call %s at %s: %v", e.Method, e.Server, e.Err)
	}
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
