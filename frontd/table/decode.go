// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"
	"fmt"

	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

// record is one connection as its message gave it. Used again for every message.
type record struct {
	ident.Ident
	has                        uint32
	state                      uint8
	status, timeout, mark, use uint32
	counter                    [4]uint64
	start                      uint64
	helper, secctx, labels     uint16 // indexes in the names
}

// A FramingError says that what was relayed is not a run of whole netlink messages, so
// that nothing behind can be trusted and the reading is lost.
type FramingError struct {
	Length, Left int // what the message claims, and what there is
}

func (e *FramingError) Error() string {
	return fmt.Sprintf("netlink message of %d bytes where %d are left", e.Length, e.Left)
}

// cutMessage takes the first message off b. Its error is a *FramingError.
func cutMessage(b []byte) (typ uint16, body, rest []byte, err error) {
	if len(b) < nlHeaderSize {
		return 0, nil, nil, &FramingError{Length: nlHeaderSize, Left: len(b)}
	}
	n := int64(binary.NativeEndian.Uint32(b))
	if n < nlHeaderSize || n > int64(len(b)) {
		return 0, nil, nil, &FramingError{Length: int(n), Left: len(b)}
	}
	next := min((n+nlAlign-1)&^(nlAlign-1), int64(len(b)))
	return binary.NativeEndian.Uint16(b[4:]), b[nlHeaderSize:n], b[next:], nil
}

// decoder reads connections out of messages, without allocating but for a name or a set
// of labels that is new.
type decoder struct {
	names interner
}

// decode reads the body of an IPCTNL_MSG_CT_NEW message into e. It is false when the
// message is not a connection that could be named to the helper, or when an attribute is
// not as the kernel's headers define it. Attributes that it does not know do not matter.
func (d *decoder) decode(body []byte, e *record) bool {
	if len(body) < nfHeaderSize {
		return false
	}
	*e = record{}
	e.Family = body[0]
	if e.Family != ipc.FamilyIPv4 && e.Family != ipc.FamilyIPv6 {
		return false
	}
	var t [2]tuple
	for b := body[nfHeaderSize:]; len(b) > 0; {
		typ, val, rest, ok := cutAttr(b)
		if !ok {
			return false
		}
		b = rest
		switch typ {
		case ctaTupleOrig:
			ok = t[0].decode(val, e, 0)
		case ctaTupleReply:
			ok = t[1].decode(val, e, 1)
		case ctaStatus:
			ok = be32(val, &e.status)
			e.has |= hasStatus
		case ctaTimeout:
			ok = be32(val, &e.timeout)
			e.has |= hasTimeout
		case ctaMark:
			ok = be32(val, &e.mark)
			e.has |= hasMark
		case ctaID:
			ok = be32(val, &e.ID)
			e.has |= hasID
		case ctaUse:
			ok = be32(val, &e.use)
			e.has |= hasUse
		default:
			ok = d.decodeMore(typ, val, e)
		}
		if !ok {
			return false
		}
	}
	return t[0].finish(e, 0) && t[1].finish(e, 1) && t[0].proto == t[1].proto
}

// decodeMore reads what only some connections have.
func (d *decoder) decodeMore(typ uint16, val []byte, e *record) bool {
	switch typ {
	case ctaProtoinfo:
		return e.decodeProtoinfo(val)
	case ctaCountersOrig:
		return e.decodeCounters(val, origPackets, hasOrigCounters)
	case ctaCountersReply:
		return e.decodeCounters(val, replPackets, hasReplCounters)
	case ctaZone:
		e.has |= hasZone
		ok := be16(val, &e.Zone[0])
		e.Zone[1] = e.Zone[0]
		return ok
	case ctaTimestamp:
		start, found, ok := findAttr(val, ctaTimestampStart)
		if !found {
			return ok
		}
		e.has |= hasStart
		return be64(start, &e.start)
	case ctaHelp:
		return d.decodeName(val, ctaHelpName, &e.helper, hasHelper, e)
	case ctaSecctx:
		return d.decodeName(val, ctaSecctxName, &e.secctx, hasSecctx, e)
	case ctaLabels:
		return d.decodeLabels(val, e)
	}
	return true
}

// findAttr looks for one attribute among the nested ones; ok is false when they overrun.
func findAttr(b []byte, want uint16) (val []byte, found, ok bool) {
	for len(b) > 0 {
		typ, v, rest, ok := cutAttr(b)
		if !ok {
			return nil, false, false
		}
		if typ == want {
			val, found = v, true
		}
		b = rest
	}
	return val, found, true
}

// decodeProtoinfo reads the state; the kernel sends one of the three protocols.
func (e *record) decodeProtoinfo(b []byte) bool {
	for len(b) > 0 {
		typ, val, rest, ok := cutAttr(b)
		if !ok {
			return false
		}
		b = rest
		var bit uint32
		switch typ {
		case ctaProtoinfoTCP:
			bit = hasTCPState
		case ctaProtoinfoDCCP:
			bit = hasDCCPState
		case ctaProtoinfoSCTP:
			bit = hasSCTPState
		default:
			continue
		}
		state, found, ok := findAttr(val, ctaProtoinfoState)
		if !ok || found && len(state) != 1 {
			return false
		}
		if found {
			e.has = e.has&^(hasTCPState|hasDCCPState|hasSCTPState) | bit
			e.state = state[0]
		}
	}
	return true
}

// decodeCounters reads packets and bytes of one direction; one without the other would
// be half the truth, and is left out.
func (e *record) decodeCounters(b []byte, place int, bit uint32) bool {
	var seen int
	for len(b) > 0 {
		typ, val, rest, ok := cutAttr(b)
		if !ok {
			return false
		}
		b = rest
		switch typ {
		case ctaCountersPackets, ctaCounters32Packets:
			ok = be64(val, &e.counter[place])
			seen |= 1
		case ctaCountersBytes, ctaCounters32Bytes:
			ok = be64(val, &e.counter[place+1])
			seen |= 2
		}
		if !ok {
			return false
		}
	}
	if seen == 3 {
		e.has |= bit
	}
	return true
}
