// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"slices"
	"time"

	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/table"
	"nuconntrack/ipc"
	"nuconntrack/policy"
)

// role is a role made ready for tables. The zero value permits nothing.
type role struct {
	policy.Role
	scope   *table.Filter // what exists for its users; nil: everything
	visible *table.Filter // what they see of it; nil: everything
}

func rolesOf(set policy.RoleSet, hidden *table.Filter) map[string]role {
	roles := make(map[string]role)
	for _, r := range set.All() {
		scope := table.ScopeFilter(r.Scope())
		roles[r.Name] = role{r, scope, table.Except(scope, hidden)}
	}
	return roles
}

// confirm makes what does not exist for a user with a scope a connection not found, before
// the helper, which knows no roles, is asked about it: the helper would tell him of a
// made-up key whether somebody else's connection has those addresses.
//
// Addresses and zones never change in a connection's life, so one that the session has seen
// needs no second look. A mark may have changed since: with marks in the scope everything
// is looked up in a table whose reading began after the call. What has left the scope and
// what is gone are then one and the same.
func (c *Call) confirm(ctx context.Context, began time.Time, all []found) error {
	scope := c.role.Scope()
	if scope.Whole() {
		return nil
	}
	doubtful := func(f found) bool { return f.fault == nil && (!f.known || scope.Marks() != nil) }
	if !slices.ContainsFunc(all, doubtful) {
		return nil
	}
	snap, err := c.s.tables.Fresh(ctx, began)
	if err != nil {
		return err
	}
	for i, f := range all {
		if !doubtful(f) {
			continue
		}
		if row, there := snap.FindTarget(f.target); !there || !c.role.scope.Match(snap, row) {
			all[i] = found{fault: noConnection()}
		}
	}
	return nil
}

// hideNewOwners makes gone what was replaced by a connection that does not exist for the
// user.
func (c *Call) hideNewOwners(ctx context.Context, targets []found, fates []fate) {
	var at []int
	var replaced []ipc.Target
	for i, f := range fates {
		if f.outcome == OutcomeReplaced {
			at, replaced = append(at, i), append(replaced, targets[i].target)
		}
	}
	for i, seen := range c.seesNewOwners(ctx, replaced) {
		if !seen {
			fates[at[i]] = fateOf(ipc.Result{Outcome: ipc.Gone}, targets[at[i]])
		}
	}
}

// seesNewOwners says for each of these connections whether the user may know who has its
// addresses now: replies of the new one may go elsewhere, and its mark may be another. If
// that cannot be found out, he may not.
func (c *Call) seesNewOwners(ctx context.Context, replaced []ipc.Target) []bool {
	seen := make([]bool, len(replaced))
	if len(replaced) == 0 {
		return seen
	}
	if c.role.Scope().Whole() {
		for i := range seen {
			seen[i] = true
		}
		return seen
	}
	snap, err := c.s.tables.Fresh(ctx, time.Now())
	if err != nil {
		return seen
	}
	for i, row := range snap.WithOrigin(replaced, c.role.scope) {
		seen[i] = row >= 0
	}
	return seen
}

// permitBits refuses a change of mark bits that the role may not change, whatever the
// connection: so nobody finds out about one by it.
func (c *Call) permitBits(change ipc.Change) error {
	mask := c.role.MarkMask()
	if change.Field != ipc.FieldMark || change.Mask&^mask == 0 {
		return nil
	}
	return because(CodePermission, reason.RoleBits.Of(c.role.Name, c.User(), mask))
}
