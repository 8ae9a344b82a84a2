// SPDX-License-Identifier: GPL-2.0-or-later

package table

import "nuconntrack/ipc"

// origin is what the kernel looks a packet's connection up by: the original direction.
// Another connection with the same one is a later one, whatever became of its replies.
type origin struct {
	family, proto uint8
	kind          ipc.PortKind
	zone          uint16
	addr          [2][16]byte
	port          [2]uint16
}

func (n *ident) origin() origin {
	return origin{
		family: n.family, proto: n.proto, kind: n.kind[0], zone: n.zone[0],
		addr: [2][16]byte(n.addr[:2]), port: [2]uint16(n.port[:2]),
	}
}

// WithOrigin finds, for each target, the row of a connection with the same original
// direction and zone, of those that may be seen: -1 where there is none. It looks at all
// rows once, however many targets there are.
func (s *Snapshot) WithOrigin(targets []ipc.Target, visible *Filter) []int32 {
	var ports [1 << 16 / 64]uint64 // of the wanted, so that most rows are left out at once
	wanted := make(map[origin]int32, len(targets))
	for _, t := range targets {
		n := identOf(t)
		wanted[n.origin()] = -1
		ports[n.port[origSrc]/64] |= 1 << (n.port[origSrc] % 64)
	}
	for row, port := range s.port[origSrc] {
		if ports[port/64]&(1<<(port%64)) == 0 {
			continue
		}
		n := s.ident(int32(row))
		if _, ok := wanted[n.origin()]; ok && visible.Match(s, int32(row)) {
			wanted[n.origin()] = int32(row)
		}
	}
	rows := make([]int32, len(targets))
	for i, t := range targets {
		n := identOf(t)
		rows[i] = wanted[n.origin()]
	}
	return rows
}
