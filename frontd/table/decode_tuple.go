// SPDX-License-Identifier: GPL-2.0-or-later

package table

import "nuconntrack/ipc"

// What a tuple's attributes gave.
const (
	tupleSrc = 1 << iota
	tupleDst
	tupleProto
	tupleSrcPort
	tupleDstPort
	tupleID
	tupleType
	tupleCode

	tupleNeeded = tupleSrc | tupleDst | tupleProto
	tuplePorts  = tupleSrcPort | tupleDstPort
	tupleICMP   = tupleID | tupleType | tupleCode
)

// tuple is what can only be said once all attributes of one direction are read.
type tuple struct {
	seen       uint16
	proto      uint8
	port       [2]uint16
	icmpID     [2]uint16 // of ICMP and of ICMPv6: a tuple's protocol says which counts
	icmpType   [2]uint8
	icmpCode   [2]uint8
	icmpFamily [2]uint16 // the tupleICMP bits of either
}

func (t *tuple) decode(b []byte, e *record, dir int) bool {
	for len(b) > 0 {
		typ, val, rest, ok := cutAttr(b)
		if !ok {
			return false
		}
		b = rest
		switch typ {
		case ctaTupleIP:
			ok = t.decodeIP(val, e, dir)
		case ctaTupleProto:
			ok = t.decodeProto(val)
		case ctaTupleZone:
			ok = be16(val, &e.Zone[dir])
			e.has |= hasOrigZone << dir
		}
		if !ok {
			return false
		}
	}
	return true
}

// decodeIP takes addresses of the message's own family only.
func (t *tuple) decodeIP(b []byte, e *record, dir int) bool {
	for len(b) > 0 {
		typ, val, rest, ok := cutAttr(b)
		if !ok {
			return false
		}
		b = rest
		place, size := 2*dir, 4
		switch typ {
		case ctaIPv4Src, ctaIPv6Src:
			t.seen |= tupleSrc
		case ctaIPv4Dst, ctaIPv6Dst:
			t.seen |= tupleDst
			place++
		default:
			continue
		}
		if typ >= ctaIPv6Src {
			size = 16
		}
		if len(val) != size || (size == 16) != (e.Family == ipc.FamilyIPv6) {
			return false
		}
		copy(e.Addr[place][:], val)
	}
	return true
}

func (t *tuple) decodeProto(b []byte) bool {
	for len(b) > 0 {
		typ, val, rest, ok := cutAttr(b)
		if !ok {
			return false
		}
		b = rest
		switch typ {
		case ctaProtoNum:
			if len(val) != 1 {
				return false
			}
			t.proto = val[0]
			t.seen |= tupleProto
		case ctaProtoSrcPort:
			ok = be16(val, &t.port[0])
			t.seen |= tupleSrcPort
		case ctaProtoDstPort:
			ok = be16(val, &t.port[1])
			t.seen |= tupleDstPort
		case ctaProtoICMPID, ctaProtoICMPType, ctaProtoICMPCode:
			ok = t.decodeICMP(typ-ctaProtoICMPID, val, 0)
		case ctaProtoICMPv6ID, ctaProtoICMPv6Type, ctaProtoICMPv6Code:
			ok = t.decodeICMP(typ-ctaProtoICMPv6ID, val, 1)
		}
		if !ok {
			return false
		}
	}
	return true
}

func (t *tuple) decodeICMP(which uint16, val []byte, version int) bool {
	t.icmpFamily[version] |= tupleID << which
	switch {
	case which == 0:
		return be16(val, &t.icmpID[version])
	case len(val) != 1:
		return false
	case which == 1:
		t.icmpType[version] = val[0]
	default:
		t.icmpCode[version] = val[0]
	}
	return true
}

// finish puts the tuple into e, as ipc.Tuple spells it. It is false when the helper
// could not find the connection by what is there.
func (t *tuple) finish(e *record, dir int) bool {
	if t.seen&tupleNeeded != tupleNeeded {
		return false
	}
	e.Proto = t.proto
	if t.proto == protoICMP || t.proto == protoICMPv6 {
		version := 0
		if t.proto == protoICMPv6 {
			version = 1
		}
		if t.icmpFamily[version] == 0 {
			return true
		}
		e.Kind[dir] = ipc.ICMP
		e.has |= hasOrigICMP << dir
		e.Port[2*dir] = t.icmpID[version]
		e.Port[2*dir+1] = uint16(t.icmpType[version])<<8 | uint16(t.icmpCode[version])
		return t.icmpFamily[version] == tupleICMP
	}
	if t.seen&tuplePorts == 0 {
		return true
	}
	e.Kind[dir] = ipc.Ports
	e.has |= hasOrigPorts << dir
	e.Port[2*dir], e.Port[2*dir+1] = t.port[0], t.port[1]
	return t.seen&tuplePorts == tuplePorts
}
