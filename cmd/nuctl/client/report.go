// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MaxWatch is how long a server watches what it killed, at most.
const MaxWatch = 5 * time.Second

// The outcomes of a Report that callers tell apart.
const (
	OutcomeKilled    = "killed"
	OutcomeGone      = "gone"
	OutcomeReplaced  = "replaced"
	OutcomeProtected = "protected"
	OutcomeForbidden = "forbidden"
	OutcomeAmbiguous = "ambiguous"
	OutcomeUnknown   = "unknown"
	OutcomeReturned  = "returned"
	OutcomeFailed    = "failed"
)

// Report is what became of one connection that was to be killed.
type Report struct {
	ID      string `xmlrpc:"id"`
	Key     string `xmlrpc:"key"`
	Outcome string `xmlrpc:"outcome"`
	Detail  string `xmlrpc:"detail"`
}

// Ended says whether the connection is no more.
func (r Report) Ended() bool { return r.Outcome == OutcomeKilled || r.Outcome == OutcomeGone }

// KillOptions are how to kill.
type KillOptions struct {
	// Watch is how long what was killed is looked for again, in whole seconds and no
	// longer than MaxWatch; 0 does not look.
	Watch time.Duration
	// Force kills the connection that carries the call, too.
	Force bool
}

// arguments are what ends the parameters of what kills.
func (o KillOptions) arguments() []any {
	args := []any{int(min(o.Watch, MaxWatch) / time.Second)}
	if o.Force {
		args = append(args, map[string]any{"force": true})
	}
	return args
}

// KillReport is Kill with a report on each target, in their order.
func (s *Session) KillReport(ctx context.Context, targets []string, watch time.Duration) ([]Report, error) {
	return s.KillNamed(ctx, targets, KillOptions{Watch: watch})
}

// KillNamed is KillReport with options.
func (s *Session) KillNamed(ctx context.Context, targets []string, o KillOptions) ([]Report, error) {
	if len(targets) > MaxTargets {
		return nil, s.client.fail("kill_report", Unsent, errors.New("too many connections in one call"))
	}
	var reports []Report
	if err := s.call(ctx, &reports, "kill_report", append([]any{targets}, o.arguments()...)...); err != nil {
		return nil, err
	}
	if len(reports) != len(targets) {
		return nil, s.client.fail("kill_report", BadAnswer, fmt.Errorf("%d reports on %d connections", len(reports), len(targets)))
	}
	return reports, nil
}

// KillMatching kills exactly what matches in a snapshot, at most MaxMatching.
func (s *Session) KillMatching(ctx context.Context, filters map[string]any, snapshot string, o KillOptions) ([]Report, error) {
	var reports []Report
	err := s.call(ctx, &reports, "kill_matching", append([]any{filters, snapshot}, o.arguments()...)...)
	return reports, err
}

// Refresh lets the next page that names no snapshot show a table that is read from now on.
func (s *Session) Refresh(ctx context.Context) error { return s.call(ctx, nil, "refresh") }

// Identity is who the server takes us for.
type Identity struct {
	User string `xmlrpc:"user"`
	Role string `xmlrpc:"role"`
	// Methods are those that the role permits.
	Methods []string `xmlrpc:"methods"`
}

// Whoami asks for that.
func (s *Session) Whoami(ctx context.Context) (Identity, error) {
	var who Identity
	err := s.call(ctx, &who, "whoami")
	return who, err
}
