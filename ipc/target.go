// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Address families as the kernel numbers them (include/linux/socket.h).
const (
	FamilyIPv4 = 2
	FamilyIPv6 = 10
)

// Protocol numbers whose tuples hold an ICMP id, type and code instead of ports.
const (
	protoICMP   = 1
	protoICMPv6 = 58
)

// PortKind says what the protocol part of a tuple holds.
type PortKind uint8

// What a tuple may hold behind its addresses.
const (
	// NoPorts: the protocol has none that the kernel tells.
	NoPorts PortKind = 0
	// Ports: source and destination port; for GRE its keys.
	Ports PortKind = 1
	// ICMP: id, type and code of ICMP or ICMPv6.
	ICMP PortKind = 2
)

// Tuple is one direction of a connection, without the protocol. Comparable with ==.
type Tuple struct {
	Src, Dst netip.Addr
	Zone     uint16 // conntrack zone of this direction, 0 is the default zone
	Kind     PortKind
	// SrcPort and DstPort; for ICMP the id, and type<<8 | code. Zero with NoPorts.
	SrcPort, DstPort uint16
}

// ICMPType gives the type of an ICMP or ICMPv6 tuple.
func (t Tuple) ICMPType() uint8 { return uint8(t.DstPort >> 8) }

// ICMPCode gives the code of an ICMP or ICMPv6 tuple.
func (t Tuple) ICMPCode() uint8 { return uint8(t.DstPort) }

// Target names one connection exactly: by both tuples with their zones, and the
// kernel's id, which alone is a 32-bit hash and not unique. Comparable with ==.
type Target struct {
	Family      uint8 // FamilyIPv4 or FamilyIPv6
	Protocol    uint8 // IP protocol number
	ID          uint32
	Orig, Reply Tuple
}

// Check says whether the target can be put on the wire.
func (t Target) Check() error {
	if t.Family != FamilyIPv4 && t.Family != FamilyIPv6 {
		return malformed("address family %d", t.Family)
	}
	for _, u := range [2]Tuple{t.Orig, t.Reply} {
		if err := t.checkTuple(u); err != nil {
			return err
		}
	}
	if t.Orig.Kind != t.Reply.Kind && t.Orig.Kind != NoPorts && t.Reply.Kind != NoPorts {
		return malformed("the two directions differ in what they hold")
	}
	return nil
}

func (t Target) checkTuple(u Tuple) error {
	for _, a := range [2]netip.Addr{u.Src, u.Dst} {
		if !a.IsValid() || a.Is4() != (t.Family == FamilyIPv4) || a.Zone() != "" {
			return malformed("address %s is not of family %d", a, t.Family)
		}
	}
	isICMP := t.Protocol == protoICMP || t.Protocol == protoICMPv6
	switch {
	case u.Kind > ICMP:
		return malformed("tuple flags %d", u.Kind)
	case u.Kind == ICMP && !isICMP, u.Kind == Ports && isICMP:
		return malformed("tuple flags %d with protocol %d", u.Kind, t.Protocol)
	case u.Kind == NoPorts && (u.SrcPort != 0 || u.DstPort != 0):
		return malformed("ports in a tuple without ports")
	}
	return nil
}

func appendTarget(b []byte, t Target) []byte {
	b = append(b, t.Family, t.Protocol, 0, 0)
	b = binary.BigEndian.AppendUint32(b, t.ID)
	b = appendTuple(b, t.Orig)
	return appendTuple(b, t.Reply)
}

func appendTuple(b []byte, t Tuple) []byte {
	b = append(b, byte(t.Kind), 0)
	b = binary.BigEndian.AppendUint16(b, t.Zone)
	b = binary.BigEndian.AppendUint16(b, t.SrcPort)
	b = binary.BigEndian.AppendUint16(b, t.DstPort)
	for _, a := range [2]netip.Addr{t.Src, t.Dst} {
		var raw [16]byte
		copy(raw[:], a.AsSlice())
		b = append(b, raw[:]...)
	}
	return b
}

// decodeTarget reads targetSize bytes.
func decodeTarget(b []byte) (Target, error) {
	if !zero(b[2:4]) {
		return Target{}, malformed("reserved bytes of the target are not zero")
	}
	t := Target{Family: b[0], Protocol: b[1], ID: binary.BigEndian.Uint32(b[4:])}
	if t.Family != FamilyIPv4 && t.Family != FamilyIPv6 {
		return Target{}, malformed("address family %d", t.Family)
	}
	var err error
	if t.Orig, err = decodeTuple(b[8:8+tupleSize], t.Family); err != nil {
		return Target{}, fmt.Errorf("orig tuple: %w", err)
	}
	if t.Reply, err = decodeTuple(b[8+tupleSize:targetSize], t.Family); err != nil {
		return Target{}, fmt.Errorf("reply tuple: %w", err)
	}
	return t, t.Check()
}

func decodeTuple(b []byte, family uint8) (Tuple, error) {
	if b[1] != 0 {
		return Tuple{}, malformed("reserved byte of the tuple is not zero")
	}
	t := Tuple{
		Kind:    PortKind(b[0]),
		Zone:    binary.BigEndian.Uint16(b[2:]),
		SrcPort: binary.BigEndian.Uint16(b[4:]),
		DstPort: binary.BigEndian.Uint16(b[6:]),
	}
	var err error
	if t.Src, err = decodeAddr(b[8:24], family); err != nil {
		return Tuple{}, err
	}
	t.Dst, err = decodeAddr(b[24:40], family)
	return t, err
}

func decodeAddr(b []byte, family uint8) (netip.Addr, error) {
	if family == FamilyIPv6 {
		return netip.AddrFrom16([16]byte(b)), nil
	}
	if !zero(b[4:]) {
		return netip.Addr{}, malformed("an IPv4 address longer than four bytes")
	}
	return netip.AddrFrom4([4]byte(b[:4])), nil
}
