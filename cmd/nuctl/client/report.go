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
	OutcomeKilled   = "killed"
	OutcomeGone     = "gone"
	OutcomeReturned = "returned"
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

// KillReport is Kill with a report on each target, in their order. What was killed is
// watched for so long, in whole seconds and no longer than MaxWatch.
func (s *Session) KillReport(ctx context.Context, targets []string, watch time.Duration) ([]Report, error) {
	if len(targets) > MaxTargets {
		return nil, s.client.fail("kill_report", Unsent, errors.New("too many connections in one call"))
	}
	var reports []Report
	seconds := int(min(watch, MaxWatch) / time.Second)
	if err := s.call(ctx, &reports, "kill_report", targets, seconds); err != nil {
		return nil, err
	}
	if len(reports) != len(targets) {
		return nil, s.client.fail("kill_report", BadAnswer, fmt.Errorf("%d reports on %d connections", len(reports), len(targets)))
	}
	return reports, nil
}

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
