// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"

	"nuconntrack/ipc"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

// usualRequest is what the longest request takes, one by IPv6 with a zone, in bytes.
const usualRequest = 128

// A request is a message to the kernel. Only the functions of this file make one, and
// nothing else is ever sent.
type request struct {
	seq   uint32
	bytes []byte
}

// encodeGet asks for the connection that has this original tuple.
func encodeGet(t ipc.Target, seq uint32) (request, error) {
	attrs, err := lookUp(t)
	if err != nil {
		return request{}, err
	}
	return encode(ctGet, netlink.Request, t.Family, seq, attrs)
}

// encodeDelete deletes by tuple and id. Without a tuple the kernel would flush the
// table, id or not; without an id it would delete whichever has the tuple by then.
func encodeDelete(e Entry, seq uint32) (request, error) {
	attrs, err := lookUp(e.target)
	if err != nil {
		return request{}, err
	}
	attrs = append(attrs, number(ctaID, e.target.ID))
	return encode(ctDelete, netlink.Request|netlink.Acknowledge, e.target.Family, seq, attrs)
}

// encodeMark sets the bits in mask to those of value. The kernel computes
// (old & ^mask) ^ value, so that a bit of value outside of mask would be toggled.
func encodeMark(e Entry, value, mask, seq uint32) (request, error) {
	if value&^mask != 0 {
		return request{}, refused("mark %#x has bits outside its mask %#x", value, mask)
	}
	return encodeUpdate(e, seq, number(ctaMark, value), number(ctaMarkMask, mask))
}

// encodeTimeout sets the timeout and fixes it. A timeout of 0 would be a kill. The
// status has to repeat what the kernel holds, else it answers EBUSY, having changed the
// timeout all the same.
func encodeTimeout(e Entry, seconds, seq uint32) (request, error) {
	if seconds < 1 || seconds > ipc.MaxTimeout {
		return request{}, refused("timeout of %d seconds", seconds)
	}
	return encodeUpdate(e, seq, number(ctaTimeout, seconds), number(ctaStatus, e.status|ipsFixedTimeout))
}

// encodeUpdate never has NLM_F_CREATE: a connection that is gone stays gone.
func encodeUpdate(e Entry, seq uint32, change ...netfilter.Attribute) (request, error) {
	attrs, err := lookUp(e.target)
	if err != nil {
		return request{}, err
	}
	attrs = append(attrs, change...)
	return encode(ctNew, netlink.Request|netlink.Acknowledge, e.target.Family, seq, attrs)
}

// encodeDump asks for the whole table, both families: the kernel's own filters are not
// used, some are wrong for IPv6.
func encodeDump(seq uint32) (request, error) {
	return encode(ctGet, netlink.Request|netlink.Dump, unix.AF_UNSPEC, seq, nil)
}

// encodeStats asks for the counters of every CPU.
func encodeStats(seq uint32) (request, error) {
	return encode(ctGetStatsCPU, netlink.Request|netlink.Dump, unix.AF_UNSPEC, seq, nil)
}

// encode writes what netfilter.MarshalNetlink would, for a fraction of its memory: a kill
// takes two messages, and a call has ten thousand kills.
func encode(msg uint8, flags netlink.HeaderFlags, family uint8, seq uint32, attrs []netfilter.Attribute) (request, error) {
	b := make([]byte, headerSize+nfGenSize, usualRequest)
	b[headerSize] = family
	b, err := appendAttributes(b, attrs)
	if err != nil {
		return request{}, fmt.Errorf("encode message: %w", err)
	}
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], messageType(msg))
	binary.NativeEndian.PutUint16(b[6:], uint16(flags))
	binary.NativeEndian.PutUint32(b[8:], seq)
	return request{seq: seq, bytes: b}, nil
}

// appendAttributes writes attributes, each with its length, without padding, and its type
// before it (struct nlattr, linux/netlink.h).
func appendAttributes(b []byte, attrs []netfilter.Attribute) ([]byte, error) {
	for _, a := range attrs {
		at, typ := len(b), a.Type
		b = append(b, 0, 0, 0, 0)
		if a.Nested {
			typ |= unix.NLA_F_NESTED
			var err error
			if b, err = appendAttributes(b, a.Children); err != nil {
				return nil, err
			}
		} else {
			b = append(b, a.Data...)
		}
		size := len(b) - at
		if size > math.MaxUint16 {
			return nil, refused("attribute of %d bytes", size)
		}
		binary.NativeEndian.PutUint16(b[at:], uint16(size))
		binary.NativeEndian.PutUint16(b[at+2:], typ)
		for len(b)%unix.NLA_ALIGNTO != 0 {
			b = append(b, 0)
		}
	}
	return b, nil
}

// lookUp gives the attributes by which the kernel finds a connection: the original
// tuple and its zone. The zone of both directions stands outside the tuple, that of the
// original direction alone inside it. A zone of the reply direction alone must not be
// sent: the original tuple is then in the default zone.
func lookUp(t ipc.Target) ([]netfilter.Attribute, error) {
	if err := t.Check(); err != nil {
		return nil, refused("%v", err)
	}
	tuple := netfilter.Attribute{Type: ctaTupleOrig, Nested: true, Children: []netfilter.Attribute{
		addresses(t.Orig.Src, t.Orig.Dst), protocol(t.Protocol, t.Orig),
	}}
	switch orig, reply := t.Orig.Zone, t.Reply.Zone; {
	case orig == 0:
		return []netfilter.Attribute{tuple}, nil
	case orig == reply:
		return []netfilter.Attribute{tuple, zone(ctaZone, orig)}, nil
	case reply == 0:
		tuple.Children = append(tuple.Children, zone(ctaTupleZone, orig))
		return []netfilter.Attribute{tuple}, nil
	default:
		return nil, refused("zones %d and %d: the kernel has one, of one direction or of both", orig, reply)
	}
}

func addresses(src, dst netip.Addr) netfilter.Attribute {
	from, to := uint16(ctaIPv4Src), uint16(ctaIPv4Dst)
	if src.Is6() {
		from, to = ctaIPv6Src, ctaIPv6Dst
	}
	return netfilter.Attribute{Type: ctaTupleIP, Nested: true, Children: []netfilter.Attribute{
		{Type: from, Data: src.AsSlice()}, {Type: to, Data: dst.AsSlice()},
	}}
}

// protocol says of the layer above what the kernel said of it. GRE's keys are ports to it.
func protocol(number uint8, t ipc.Tuple) netfilter.Attribute {
	a := netfilter.Attribute{Type: ctaTupleProto, Nested: true, Children: []netfilter.Attribute{
		{Type: ctaProtoNum, Data: []byte{number}},
	}}
	switch t.Kind {
	case ipc.Ports:
		a.Children = append(a.Children,
			netfilter.Attribute{Type: ctaProtoSrcPort, Data: netfilter.Uint16Bytes(t.SrcPort)},
			netfilter.Attribute{Type: ctaProtoDstPort, Data: netfilter.Uint16Bytes(t.DstPort)})
	case ipc.ICMP:
		id, typ, code := uint16(ctaProtoICMPID), uint16(ctaProtoICMPType), uint16(ctaProtoICMPCode)
		if number == unix.IPPROTO_ICMPV6 {
			id, typ, code = ctaProtoICMPv6ID, ctaProtoICMPv6Type, ctaProtoICMPv6Code
		}
		a.Children = append(a.Children,
			netfilter.Attribute{Type: id, Data: netfilter.Uint16Bytes(t.SrcPort)},
			netfilter.Attribute{Type: typ, Data: []byte{t.ICMPType()}},
			netfilter.Attribute{Type: code, Data: []byte{t.ICMPCode()}})
	}
	return a
}

func number(typ uint16, v uint32) netfilter.Attribute {
	return netfilter.Attribute{Type: typ, Data: netfilter.Uint32Bytes(v)}
}

func zone(typ, v uint16) netfilter.Attribute {
	return netfilter.Attribute{Type: typ, Data: netfilter.Uint16Bytes(v)}
}
