// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"strconv"
	"time"

	"nuconntrack/frontd/table"
	"nuconntrack/ipc"
)

// Ref names a connection as a client does: by its key, which is exact, or by its id.
type Ref struct {
	id     uint32
	target ipc.Target
	exact  bool
	text   string
}

// RefID names a connection by the kernel's id.
func RefID(id uint32) Ref { return Ref{id: id, text: strconv.FormatUint(uint64(id), 10)} }

// RefText names a connection by a key or by an id in decimal.
func RefText(s string) (Ref, error) {
	if id, err := strconv.ParseUint(s, 10, 32); err == nil {
		return RefID(uint32(id)), nil
	}
	t, err := table.DecodeKey(s)
	if err != nil {
		return Ref{}, BadParam("%q is neither a connection's id (0 to 4294967295) nor a key", cut(s))
	}
	return Ref{target: t, exact: true, text: s}, nil
}

// found is a Ref that was looked up: the connection it names, or why it names none or is left
// alone.
type found struct {
	target ipc.Target
	known  bool // the session's table has it, and it exists for the user
	fault  *Fault
}

// noConnection is the fault for what is not there and for what is not there for this user:
// the two must not be told apart by it.
func noConnection() *Fault { return fault(CodeNoConnection, "no such connection") }

// find looks connections up. Ids are looked up in the table that the session viewed last,
// else in a fresh one; keys name what they name, if it is in the user's scope. The order is
// kept.
func (c *Call) find(ctx context.Context, refs []Ref) ([]found, error) {
	began := time.Now()
	holder, _, _ := c.remembered()
	snap := c.s.tables.Last(holder)
	var ids []uint32
	for _, r := range refs {
		if !r.exact {
			ids = append(ids, r.id)
		}
	}
	var rows map[uint32][]int32
	if len(ids) > 0 {
		if snap == nil {
			var err error
			if snap, err = c.look(ctx, ""); err != nil {
				return nil, err
			}
		}
		rows = snap.FindIDs(ids)
	}
	out := make([]found, len(refs))
	for i, r := range refs {
		if r.exact {
			out[i] = c.findKey(snap, r.target)
		} else {
			out[i] = c.findRow(snap, rows[r.id])
		}
	}
	return out, c.confirm(ctx, began, out)
}

// findKey says what a key names. A table is not needed for that, but tells whether the
// session has seen it.
func (c *Call) findKey(snap *table.Snapshot, target ipc.Target) found {
	if !c.role.Scope().Covers(table.ConnectionOf(target)) {
		return found{fault: noConnection()}
	}
	f := found{target: target}
	if snap != nil {
		row, there := snap.FindTarget(target)
		f.known = there && c.role.scope.Match(snap, row)
	}
	return f
}

// findRow says what an id names that all these rows of a table have.
func (c *Call) findRow(snap *table.Snapshot, rows []int32) found {
	var seen []int32
	for _, row := range rows {
		// A twin that the user does not see does not make an id ambiguous.
		if c.role.visible.Match(snap, row) {
			seen = append(seen, row)
		}
	}
	switch len(seen) {
	case 0:
		return found{fault: noConnection()}
	case 1:
		return found{target: snap.Target(seen[0]), known: true}
	default:
		return found{fault: fault(CodeAmbiguous, "the id stands for %d connections, use the key", len(seen))}
	}
}
