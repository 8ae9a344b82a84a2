// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"time"

	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/frontd/table/ranking"
)

const (
	// MaxWatch is how long KillReport and KillMatching may watch what they killed.
	MaxWatch = 5 * time.Second
	// MaxMatching is how many connections KillMatching kills at most: as many as can be named
	// in one call, and as the helper's default policy lets through at once.
	MaxMatching = 20_000
)

// What became of a connection, as a Report says it.
const (
	OutcomeKilled    = "killed"
	OutcomeGone      = "gone"      // the kernel has no such connection any more
	OutcomeReplaced  = "replaced"  // another connection has the addresses now
	OutcomeProtected = "protected" // a protect rule of the helper's policy covers it
	OutcomeForbidden = "forbidden" // another rule of the policy refuses it, or the call came in on it
	OutcomeAmbiguous = "ambiguous" // the id stands for several
	OutcomeUnknown   = "unknown"   // no such connection, or none that this user may see
	OutcomeReturned  = "returned"  // killed, and there again while it was watched
	OutcomeFailed    = "failed"    // for the reason in Detail
)

// Report is what became of one connection that was to be killed.
type Report struct {
	ID      uint32
	Key     string // "" if it was named by an id that names no single connection
	Outcome string
	Detail  string // for people; "" where the outcome says it all
	Fault   *Fault // why it was not done; nil where it is gone
}

// KillReport is Kill with a report on each connection, in the order of refs, also on those
// named twice.
func (c *Call) KillReport(ctx context.Context, refs []Ref, o KillOptions) ([]Report, error) {
	acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTime)
	defer cancel()
	targets, err := c.find(acting, refs)
	if err != nil {
		return nil, c.failed("kill_report", err)
	}
	reports := make([]Report, len(refs))
	for i, r := range refs {
		if reports[i].ID = r.id; r.exact {
			reports[i].ID, reports[i].Key = r.target.ID, r.text
		} else if targets[i].fault == nil {
			reports[i].Key = ident.EncodeKey(targets[i].target)
		}
	}
	return reports, c.report(ctx, acting, targets, reports, o)
}

// KillMatching kills exactly the connections that match in a snapshot, which has to be held
// still, of those that the user may see. The reports are in the order of the snapshot.
func (c *Call) KillMatching(ctx context.Context, filters map[string]table.Operand, snapshot string, o KillOptions) ([]Report, error) {
	began := time.Now()
	filter, err := c.set.filter(filters)
	if err != nil {
		return nil, c.failed("kill_matching", err)
	}
	snap, held := c.s.tables.Held(snapshot)
	if !held {
		return nil, notHeld(snapshot)
	}
	rows, total := ranking.Matching(snap, filter, c.role.visible, MaxMatching)
	if total > MaxMatching {
		return nil, wrongParam("filters", reason.ManyMatch.Of(total, MaxMatching))
	}
	acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTime)
	defer cancel()
	targets := make([]found, len(rows))
	reports := make([]Report, len(rows))
	for i, row := range rows {
		targets[i] = found{target: snap.Target(row), known: true}
		reports[i] = Report{ID: targets[i].target.ID, Key: snap.Key(row)}
	}
	if err := c.confirm(acting, began, targets); err != nil {
		return nil, c.failed("kill_matching", err)
	}
	return reports, c.report(ctx, acting, targets, reports, o)
}

// report kills and watches, and fills in what became of each. The helper being away is an
// error if nothing came of any, for certain.
func (c *Call) report(ctx, acting context.Context, targets []found, reports []Report, o KillOptions) error {
	fates := c.killAll(acting, targets, o)
	var away *Fault
	reached := false
	for i, f := range fates {
		reports[i].Outcome = f.outcome
		switch {
		case f.fault != nil:
			reports[i].Detail, reports[i].Fault = f.fault.Text, f.fault
		case f.outcome == OutcomeGone:
			reports[i].Detail = "it was gone already"
		}
		if f.fault != nil && f.fault.Code == CodeHelper && f.fault.Reason.Kind != reason.Unanswered {
			away = f.fault
		} else if targets[i].fault == nil {
			reached = true
		}
	}
	if away != nil && !reached {
		return away
	}
	c.watch(ctx, targets, reports, o.Watch)
	return nil
}
