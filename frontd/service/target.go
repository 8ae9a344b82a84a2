// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"strconv"

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

// found is a Ref that was looked up: the connection it names, or why it names none.
type found struct {
	target ipc.Target
	known  bool // the session's table has it
	fault  *Fault
}

// find looks connections up. Keys need no table; ids are looked up in the table that the
// session viewed last, else in a fresh one. The order is kept.
func (c *Call) find(ctx context.Context, refs []Ref) ([]found, error) {
	holder, _, _ := c.remembered()
	snap := c.s.tables.Last(holder)
	out := make([]found, len(refs))
	for i, r := range refs {
		if !r.exact && snap == nil {
			var err error
			if snap, err = c.look(ctx, ""); err != nil {
				return nil, err
			}
		}
		out[i] = r.in(snap)
	}
	return out, nil
}

func (r Ref) in(snap *table.Snapshot) found {
	if r.exact {
		f := found{target: r.target}
		if snap != nil {
			_, f.known = snap.FindTarget(r.target)
		}
		return f
	}
	switch rows := snap.FindID(r.id); len(rows) {
	case 0:
		return found{fault: fault(CodeNoConnection, "no such connection")}
	case 1:
		return found{target: snap.Target(rows[0]), known: true}
	default:
		return found{fault: fault(CodeAmbiguous, "the id stands for %d connections, use the key", len(rows))}
	}
}
