// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"
	"hash/maphash"
	"testing"
	"time"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/ipc"
)

// msg is a netlink message under construction.
type msg []byte

const nested = 0x8000

// attr is one attribute, padded as the kernel pads it.
func attr(typ uint16, val ...byte) msg {
	b := binary.NativeEndian.AppendUint16(nil, uint16(attrHeaderSize+len(val)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, val...)
	for len(b)%nlAlign != 0 {
		b = append(b, 0)
	}
	return b
}

func attr16(typ, v uint16) msg        { return attr(typ, binary.BigEndian.AppendUint16(nil, v)...) }
func attr32(typ uint16, v uint32) msg { return attr(typ, binary.BigEndian.AppendUint32(nil, v)...) }
func attr64(typ uint16, v uint64) msg { return attr(typ, binary.BigEndian.AppendUint64(nil, v)...) }
func attrText(typ uint16, s string) msg {
	return attr(typ, append([]byte(s), 0)...)
}

func nest(typ uint16, parts ...msg) msg { return attr(typ|nested, cat(parts...)...) }

func cat(parts ...msg) msg {
	var b msg
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// packet is a whole message around attributes.
func packet(family uint8, parts ...msg) msg {
	return rawPacket(nlTypeNew, append(msg{family, 0, 0, 0}, cat(parts...)...))
}

func rawPacket(typ uint16, body msg) msg {
	b := binary.NativeEndian.AppendUint32(nil, uint32(nlHeaderSize+len(body)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, 2) // NLM_F_MULTI
	b = append(b, 1, 0, 0, 0, 2, 0, 0, 0)
	return append(b, body...)
}

// tupleAttr writes a tuple as ctnetlink_dump_tuples does, with its zone if it has one.
func tupleAttr(typ uint16, proto uint8, u ipc.Tuple, zone bool) msg {
	src, dst := uint16(ctaIPv4Src), uint16(ctaIPv4Dst)
	if u.Src.Is6() {
		src, dst = ctaIPv6Src, ctaIPv6Dst
	}
	l4 := attr(ctaProtoNum, proto)
	switch {
	case u.Kind == ipc.Ports:
		l4 = cat(l4, attr16(ctaProtoSrcPort, u.SrcPort), attr16(ctaProtoDstPort, u.DstPort))
	case u.Kind == ipc.ICMP:
		first := uint16(ctaProtoICMPID)
		if proto == protoICMPv6 {
			first = ctaProtoICMPv6ID
		}
		l4 = cat(l4, attr16(first, u.SrcPort), attr(first+1, u.ICMPType()), attr(first+2, u.ICMPCode()))
	}
	parts := []msg{
		nest(ctaTupleIP, attr(src, u.Src.AsSlice()...), attr(dst, u.Dst.AsSlice()...)),
		nest(ctaTupleProto, l4),
	}
	if zone {
		parts = append(parts, attr16(ctaTupleZone, u.Zone))
	}
	return nest(typ, parts...)
}

// tuples writes both tuples, and the zones in the way that the kernel would.
func tuples(t ipc.Target) msg {
	o, r := t.Orig.Zone, t.Reply.Zone
	both := o != 0 && o == r
	b := cat(tupleAttr(ctaTupleOrig, t.Protocol, t.Orig, o != 0 && !both),
		tupleAttr(ctaTupleReply, t.Protocol, t.Reply, r != 0 && !both))
	if both {
		b = cat(b, attr16(ctaZone, o))
	}
	return b
}

// conn writes a message of the connection with its id and what else is given.
func conn(t ipc.Target, parts ...msg) msg {
	return packet(t.Family, append([]msg{tuples(t), attr32(ctaID, t.ID)}, parts...)...)
}

func counters(packets, bytes, replPackets, replBytes uint64) msg {
	return cat(
		nest(ctaCountersOrig, attr64(ctaCountersPackets, packets), attr64(ctaCountersBytes, bytes)),
		nest(ctaCountersReply, attr64(ctaCountersPackets, replPackets), attr64(ctaCountersBytes, replBytes)))
}

func started(t time.Time) msg {
	return nest(ctaTimestamp, attr64(ctaTimestampStart, uint64(t.UnixNano())))
}

func target(proto uint8, src, dst string, n int) ipc.Target {
	return helpertest.Target(proto, src, dst, n)
}

// build makes a snapshot of these messages.
func build(tb testing.TB, data ...msg) *Snapshot {
	tb.Helper()
	b := newBuilder(time.Now(), uint32(len(data)), nil, maphash.MakeSeed())
	if err := b.add(cat(data...), 0); err != nil {
		tb.Fatal(err)
	}
	return b.finish("test", ipc.DumpEnd{}, 0)
}
