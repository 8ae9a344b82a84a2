// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"strconv"
	"time"

	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ident"
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
	t, err := ident.DecodeKey(s)
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

// find looks connections up. Ids are looked up in the table that the session viewed last, and
// those that it lacks in one whose reading began after the call: a client may know an id from
// elsewhere, or from a moment ago. Keys name what they name, if it is in the user's scope. The
// order is kept.
func (c *Call) find(ctx context.Context, refs []Ref) ([]found, error) {
	began := time.Now()
	holder, _, _ := c.remembered()
	last := c.s.tables.Last(holder)
	out := make([]found, len(refs))
	var ids []int
	for i, r := range refs {
		if r.exact {
			out[i] = c.findKey(last, r.target)
		} else {
			ids = append(ids, i)
		}
	}
	if last != nil {
		ids = c.findIDs(last, refs, ids, out)
	}
	if len(ids) > 0 {
		fresh, err := c.s.tables.Fresh(ctx, began)
		if err != nil {
			return nil, err
		}
		if last == nil {
			c.hold(fresh)
		}
		c.findIDs(fresh, refs, ids, out)
	}
	return out, c.confirm(ctx, began, out)
}

// findIDs looks the ids at these places up in a table, and returns the places of those that
// are not in it for this user.
func (c *Call) findIDs(snap *table.Snapshot, refs []Ref, at []int, out []found) (missing []int) {
	ids := make([]uint32, len(at))
	for i, place := range at {
		ids[i] = refs[place].id
	}
	rows := snap.FindIDs(ids)
	for i, place := range at {
		var there bool
		if out[place], there = c.findRow(snap, rows[ids[i]]); !there {
			missing = append(missing, place)
		}
	}
	return missing
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

// findRow says what an id names that all these rows of a table have, and whether any of them
// is there for the user.
func (c *Call) findRow(snap *table.Snapshot, rows []int32) (f found, there bool) {
	var seen []int32
	for _, row := range rows {
		// A twin that the user does not see does not make an id ambiguous.
		if c.role.visible.Match(snap, row) {
			seen = append(seen, row)
		}
	}
	switch len(seen) {
	case 0:
		return found{fault: noConnection()}, false
	case 1:
		return found{target: snap.Target(seen[0]), known: true}, true
	default:
		return found{fault: fault(CodeAmbiguous, "the id stands for %d connections, use the key", len(seen))}, true
	}
}
