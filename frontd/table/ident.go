// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"
	"net/netip"

	"nuconntrack/ipc"
)

// ident is what tells a connection from all others, an ipc.Target as flat memory. The
// two directions follow each other: source and destination of orig, then of reply. What
// a kind of connection does not have is zero, so that == compares.
type ident struct {
	family, proto uint8
	kind          [2]ipc.PortKind
	id            uint32
	addr          [4][16]byte // IPv4 in the first four bytes
	port          [4]uint16   // ICMP id, and type<<8 | code, as in ipc.Tuple
	zone          [2]uint16
}

func identOf(t ipc.Target) ident {
	n := ident{family: t.Family, proto: t.Protocol, id: t.ID}
	for dir, u := range [2]ipc.Tuple{t.Orig, t.Reply} {
		n.kind[dir], n.zone[dir] = u.Kind, u.Zone
		n.port[2*dir], n.port[2*dir+1] = u.SrcPort, u.DstPort
		copy(n.addr[2*dir][:], u.Src.AsSlice())
		copy(n.addr[2*dir+1][:], u.Dst.AsSlice())
	}
	return n
}

func (n *ident) target() ipc.Target {
	return ipc.Target{Family: n.family, Protocol: n.proto, ID: n.id, Orig: n.tuple(0), Reply: n.tuple(1)}
}

func (n *ident) tuple(dir int) ipc.Tuple {
	return ipc.Tuple{
		Src: n.netip(2 * dir), Dst: n.netip(2*dir + 1),
		Zone: n.zone[dir], Kind: n.kind[dir],
		SrcPort: n.port[2*dir], DstPort: n.port[2*dir+1],
	}
}

func (n *ident) netip(place int) netip.Addr {
	if n.family == ipc.FamilyIPv6 {
		return netip.AddrFrom16(n.addr[place])
	}
	return netip.AddrFrom4([4]byte(n.addr[place][:4]))
}

// The form byte of a packed ident.
const (
	formIPv6     = 1 << 0
	formKindBits = 3 // of orig from bit 1, of reply from bit 3
	formZones    = 1 << 5
)

// maxPacked is the size of the largest packed ident: IPv6 with ports and zones.
const maxPacked = 4 + 2 + 4*16 + 4*2 + 2*2

// pack writes the ident behind b, each ident in one way only. The id stands first, so
// that packed idents order by it.
//
//	0 u32 id   4 u8 form   5 u8 protocol   then four addresses of 4 or 16 bytes,
//	two u16 of each direction that has ports or ICMP, and two u16 zones if any is not 0
func (n *ident) pack(b []byte) []byte {
	form := byte(n.kind[0]&formKindBits)<<1 | byte(n.kind[1]&formKindBits)<<3
	size := 4
	if n.family == ipc.FamilyIPv6 {
		form, size = form|formIPv6, 16
	}
	if n.zone != [2]uint16{} {
		form |= formZones
	}
	b = binary.BigEndian.AppendUint32(b, n.id)
	b = append(b, form, n.proto)
	for i := range n.addr {
		b = append(b, n.addr[i][:size]...)
	}
	for dir, kind := range n.kind {
		if kind != ipc.NoPorts {
			b = binary.BigEndian.AppendUint16(b, n.port[2*dir])
			b = binary.BigEndian.AppendUint16(b, n.port[2*dir+1])
		}
	}
	if form&formZones != 0 {
		b = binary.BigEndian.AppendUint16(b, n.zone[0])
		b = binary.BigEndian.AppendUint16(b, n.zone[1])
	}
	return b
}

// unpack reads what pack wrote. It is false for what has another size; whether the
// values make sense is for ipc.Target.Check.
func unpack(b []byte) (n ident, ok bool) {
	if len(b) < 6 {
		return n, false
	}
	form := b[4]
	n.id, n.proto, n.family = binary.BigEndian.Uint32(b), b[5], ipc.FamilyIPv4
	n.kind = [2]ipc.PortKind{ipc.PortKind(form >> 1 & formKindBits), ipc.PortKind(form >> 3 & formKindBits)}
	size := 4
	if form&formIPv6 != 0 {
		n.family, size = ipc.FamilyIPv6, 16
	}
	want := 6 + 4*size
	for _, kind := range n.kind {
		if kind != ipc.NoPorts {
			want += 4
		}
	}
	if form&formZones != 0 {
		want += 4
	}
	if len(b) != want {
		return n, false
	}
	b = b[6:]
	for i := range n.addr {
		b = b[copy(n.addr[i][:size], b):]
	}
	for dir, kind := range n.kind {
		if kind != ipc.NoPorts {
			n.port[2*dir], n.port[2*dir+1] = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
			b = b[4:]
		}
	}
	if form&formZones != 0 {
		n.zone = [2]uint16{binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])}
	}
	return n, true
}

// ident gives the row's.
func (c *columns) ident(row int32) ident {
	n := ident{family: c.family[row], proto: c.proto[row], id: c.id[row]}
	n.zone = [2]uint16{c.zone[0][row], c.zone[1][row]}
	n.kind = [2]ipc.PortKind{kindOf(c.has[row], hasOrigPorts, hasOrigICMP), kindOf(c.has[row], hasReplPorts, hasReplICMP)}
	for i := range n.addr {
		n.port[i] = c.port[i][row]
		if a := c.addr[i][row]; n.family == ipc.FamilyIPv6 {
			n.addr[i] = c.addr6[a]
		} else {
			binary.BigEndian.PutUint32(n.addr[i][:], a)
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
