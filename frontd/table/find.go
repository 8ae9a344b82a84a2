// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"

	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

// Target names the row's connection to the helper.
func (s *Snapshot) Target(row int32) ipc.Target {
	n := s.ident(row)
	return n.Target()
}

// Key is the row's key.
func (s *Snapshot) Key(row int32) string {
	n := s.ident(row)
	return n.Key()
}

// FindTarget looks for exactly this connection.
func (s *Snapshot) FindTarget(t ipc.Target) (int32, bool) {
	n := ident.Of(t)
	return s.find(s.byTarget.hash(&n), &n)
}

// FindIDs gives, for each of these ids of the kernel's, all rows that have it: nearly
// always one or none, but ids are 32-bit hashes, and a million connections hold about a
// hundred pairs. It looks at all rows once, however many ids there are.
func (s *Snapshot) FindIDs(ids []uint32) map[uint32][]int32 {
	rows := make(map[uint32][]int32, len(ids))
	if len(ids) == 0 {
		return rows
	}
	const mask = 1<<16 - 1
	var low [(mask + 1) / 64]uint64 // the low bits of the wanted, so that most rows are left out at once
	for _, id := range ids {
		rows[id] = nil
		low[(id&mask)/64] |= 1 << (id % 64)
	}
	for row, id := range s.id {
		if low[(id&mask)/64]&(1<<(id%64)) == 0 {
			continue
		}
		if of, wanted := rows[id]; wanted && s.has[row]&hasID != 0 {
			rows[id] = append(of, int32(row))
		}
	}
	return rows
}

// ident gives the row's ident.
func (c *columns) ident(row int32) ident.Ident {
	n := ident.Ident{Family: c.family[row], Proto: c.proto[row], ID: c.id[row]}
	n.Zone = [2]uint16{c.zone[0][row], c.zone[1][row]}
	n.Kind = [2]ipc.PortKind{kindOf(c.has[row], hasOrigPorts, hasOrigICMP), kindOf(c.has[row], hasReplPorts, hasReplICMP)}
	for i := range n.Addr {
		n.Port[i] = c.port[i][row]
		if a := c.addr[i][row]; n.Family == ipc.FamilyIPv6 {
			n.Addr[i] = c.addr6[a]
		} else {
			binary.BigEndian.PutUint32(n.Addr[i][:], a)
		}
	}
	return n
}

func kindOf(has, ports, icmp uint32) ipc.PortKind {
	switch {
	case has&ports != 0:
		return ipc.Ports
	case has&icmp != 0:
		return ipc.ICMP
	}
	return ipc.NoPorts
}
