// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

// origin is what the kernel looks a packet's connection up by: the original direction.
// Another connection with the same one is a later one, whatever became of its replies.
type origin struct {
	family, proto uint8
	kind          ipc.PortKind
	zone          uint16
	addr          [2][16]byte
	port          [2]uint16
}

func originOf(n *ident.Ident) origin {
	return origin{
		family: n.Family, proto: n.Proto, kind: n.Kind[0], zone: n.Zone[0],
		addr: [2][16]byte(n.Addr[:2]), port: [2]uint16(n.Port[:2]),
	}
}

// WithOrigin finds, for each target, the row of a connection with the same original
// direction and zone, of those that may be seen: -1 where there is none. It looks at all
// rows once, however many targets there are.
func (s *Snapshot) WithOrigin(targets []ipc.Target, visible *Filter) []int32 {
	var ports [1 << 16 / 64]uint64 // of the wanted, so that most rows are left out at once
	wanted := make(map[origin]int32, len(targets))
	for _, t := range targets {
		n := ident.Of(t)
		wanted[originOf(&n)] = -1
		ports[n.Port[origSrc]/64] |= 1 << (n.Port[origSrc] % 64)
	}
	for row, port := range s.port[origSrc] {
		if ports[port/64]&(1<<(port%64)) == 0 {
			continue
		}
		n := s.ident(int32(row))
		if _, ok := wanted[originOf(&n)]; ok && visible.Match(s, int32(row)) {
			wanted[originOf(&n)] = int32(row)
		}
	}
	rows := make([]int32, len(targets))
	for i, t := range targets {
		n := ident.Of(t)
		rows[i] = wanted[originOf(&n)]
	}
	return rows
}
