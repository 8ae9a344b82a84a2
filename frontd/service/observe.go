// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"errors"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/session"
	"nuconntrack/frontd/table"
	"nuconntrack/ipc"
)

// Observer is told of what was done, for those who count it. It must not block.
type Observer interface {
	// Login is told how a login ended, one of LoginResults.
	Login(result string)
	// Acted is told what became of n connections: action is one of Actions, outcome one of
	// Outcomes.
	Acted(action, outcome string, n int)
	// Read is told of each reading of the table, as store.Config has it.
	Read(*table.Snapshot, error)
}

// How a login can end.
const (
	LoginDone      = "ok"
	LoginDenied    = "denied"    // wrong user or password, or nothing gives the user a role
	LoginBusy      = "busy"      // too many logins at once, or too many that failed
	LoginFull      = "full"      // too many sessions
	LoginDown      = "down"      // what knows the users cannot answer
	LoginArguments = "arguments" // not those that a login takes
	LoginError     = "error"     // anything else, a client that left among it
)

// LoginResults are all ends of a login.
func LoginResults() []string {
	return []string{LoginDone, LoginDenied, LoginBusy, LoginFull, LoginDown, LoginArguments, LoginError}
}

// What can be done to connections.
const (
	ActionKill    = "kill"
	ActionMark    = "change_mark"
	ActionTimeout = "change_timeout"
)

// Actions are all that can be done to connections.
func Actions() []string { return []string{ActionKill, ActionMark, ActionTimeout} }

// Outcomes are all that can become of a connection, as an Observer is told.
func Outcomes() []string {
	all := []string{OutcomeAmbiguous, OutcomeUnknown}
	for o := ipc.Killed; o <= ipc.Unaudited; o++ {
		all = append(all, o.String())
	}
	return all
}

// nobody is the Observer where there is none.
type nobody struct{}

func (nobody) Login(string)                {}
func (nobody) Acted(string, string, int)   {}
func (nobody) Read(*table.Snapshot, error) {}

// loginResult says how a login ended by the error of a backend or of the sessions.
func loginResult(err error) string {
	var busy *auth.BusyError
	var limit *session.LimitError
	var down *auth.DownError
	switch {
	case errors.Is(err, auth.ErrArguments):
		return LoginArguments
	case errors.As(err, &busy):
		return LoginBusy
	case errors.As(err, &limit):
		return LoginFull
	case errors.As(err, &down):
		return LoginDown
	case errors.Is(err, auth.ErrDenied):
		return LoginDenied
	}
	return LoginError
}

// acted counts what became of connections, and logs it in one line for the call.
func (c *Call) acted(action string, outcomes map[string]int) {
	total := 0
	args := []any{"request", c.Request(), "user", c.User(), "client", c.Addr}
	for _, o := range Outcomes() {
		if n := outcomes[o]; n > 0 {
			c.s.observer.Acted(action, o, n)
			args = append(args, o, n)
			total += n
		}
	}
	if total > 0 {
		c.s.log.Info(action, args...)
	}
}
