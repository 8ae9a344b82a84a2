// SPDX-License-Identifier: GPL-2.0-or-later

package ident

import (
	"encoding/binary"
	"net/netip"

	"nuconntrack/ipc"
)

// Ident is what tells a connection from all others, an ipc.Target as flat memory. The
// two directions follow each other: source and destination of orig, then of reply. What
// a kind of connection does not have is zero, so that == compares.
type Ident struct {
	Family, Proto uint8
	Kind          [2]ipc.PortKind
	ID            uint32
	Addr          [4][16]byte // IPv4 in the first four bytes
	Port          [4]uint16   // ICMP id, and type<<8 | code, as in ipc.Tuple
	Zone          [2]uint16
}

// Of is the ident of a target, which it does not check.
func Of(t ipc.Target) Ident {
	n := Ident{Family: t.Family, Proto: t.Protocol, ID: t.ID}
	for dir, u := range [2]ipc.Tuple{t.Orig, t.Reply} {
		n.Kind[dir], n.Zone[dir] = u.Kind, u.Zone
		n.Port[2*dir], n.Port[2*dir+1] = u.SrcPort, u.DstPort
		copy(n.Addr[2*dir][:], u.Src.AsSlice())
		copy(n.Addr[2*dir+1][:], u.Dst.AsSlice())
	}
	return n
}

// Target names the connection to the helper.
func (n *Ident) Target() ipc.Target {
	return ipc.Target{Family: n.Family, Protocol: n.Proto, ID: n.ID, Orig: n.tuple(0), Reply: n.tuple(1)}
}

func (n *Ident) tuple(dir int) ipc.Tuple {
	return ipc.Tuple{
		Src: n.netip(2 * dir), Dst: n.netip(2*dir + 1),
		Zone: n.Zone[dir], Kind: n.Kind[dir],
		SrcPort: n.Port[2*dir], DstPort: n.Port[2*dir+1],
	}
}

func (n *Ident) netip(place int) netip.Addr {
	if n.Family == ipc.FamilyIPv6 {
		return netip.AddrFrom16(n.Addr[place])
	}
	return netip.AddrFrom4([4]byte(n.Addr[place][:4]))
}

// The form byte of a packed ident.
const (
	formIPv6     = 1 << 0
	formKindBits = 3 // of orig from bit 1, of reply from bit 3
	formZones    = 1 << 5
)

// MaxPacked is the size of the largest packed ident: IPv6 with ports and zones.
const MaxPacked = 4 + 2 + 4*16 + 4*2 + 2*2

// Pack writes the ident behind b, each ident in one way only. The id stands first, so
// that packed idents order by it.
//
//	0 u32 id   4 u8 form   5 u8 protocol   then four addresses of 4 or 16 bytes,
//	two u16 of each direction that has ports or ICMP, and two u16 zones if any is not 0
func (n *Ident) Pack(b []byte) []byte {
	form := byte(n.Kind[0]&formKindBits)<<1 | byte(n.Kind[1]&formKindBits)<<3
	size := 4
	if n.Family == ipc.FamilyIPv6 {
		form, size = form|formIPv6, 16
	}
	if n.Zone != [2]uint16{} {
		form |= formZones
	}
	b = binary.BigEndian.AppendUint32(b, n.ID)
	b = append(b, form, n.Proto)
	for i := range n.Addr {
		b = append(b, n.Addr[i][:size]...)
	}
	for dir, kind := range n.Kind {
		if kind != ipc.NoPorts {
			b = binary.BigEndian.AppendUint16(b, n.Port[2*dir])
			b = binary.BigEndian.AppendUint16(b, n.Port[2*dir+1])
		}
	}
	if form&formZones != 0 {
		b = binary.BigEndian.AppendUint16(b, n.Zone[0])
		b = binary.BigEndian.AppendUint16(b, n.Zone[1])
	}
	return b
}

// unpack reads what pack wrote. It is false for what has another size; whether the
// values make sense is for ipc.Target.Check.
func unpack(b []byte) (n Ident, ok bool) {
	if len(b) < 6 {
		return n, false
	}
	form := b[4]
	n.ID, n.Proto, n.Family = binary.BigEndian.Uint32(b), b[5], ipc.FamilyIPv4
	n.Kind = [2]ipc.PortKind{ipc.PortKind(form >> 1 & formKindBits), ipc.PortKind(form >> 3 & formKindBits)}
	size := 4
	if form&formIPv6 != 0 {
		n.Family, size = ipc.FamilyIPv6, 16
	}
	want := 6 + 4*size
	for _, kind := range n.Kind {
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
	for i := range n.Addr {
		b = b[copy(n.Addr[i][:size], b):]
	}
	for dir, kind := range n.Kind {
		if kind != ipc.NoPorts {
			n.Port[2*dir], n.Port[2*dir+1] = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
			b = b[4:]
		}
	}
	if form&formZones != 0 {
		n.Zone = [2]uint16{binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])}
	}
	return n, true
}
