// SPDX-License-Identifier: GPL-2.0-or-later

package helpertest

import (
	"net/netip"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/netfilter"

	"nuconntrack/ipc"
)

// Port makes a connection of a protocol with ports, without NAT, in the default zone, from
// addresses with ports such as "192.0.2.1:1000".
func Port(protocol uint8, id uint32, src, dst string) Connection {
	from, to := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	t := ipc.Target{Family: ipc.FamilyIPv4, Protocol: protocol, ID: id}
	if from.Addr().Is6() {
		t.Family = ipc.FamilyIPv6
	}
	t.Orig = ipc.Tuple{Src: from.Addr(), Dst: to.Addr(), Kind: ipc.Ports, SrcPort: from.Port(), DstPort: to.Port()}
	t.Reply = ipc.Tuple{Src: to.Addr(), Dst: from.Addr(), Kind: ipc.Ports, SrcPort: to.Port(), DstPort: from.Port()}
	return Connection{Target: t, Timeout: 600, Status: 0xe, TCPState: 3}
}

// Message is the connection as the kernel dumps it; the numbers are those of
// nfnetlink_conntrack.h.
func (c Connection) Message() []byte {
	t := c.Target
	orig, reply := tuple(1, t.Protocol, t.Orig), tuple(2, t.Protocol, t.Reply)
	attrs := []netfilter.Attribute{
		number(3, c.Status), number(7, c.Timeout), number(8, c.Mark), number(12, t.ID),
	}
	if !c.Uncounted {
		attrs = append(attrs, counters(9, c.OrigBytes), counters(10, c.ReplyBytes))
	}
	if !c.Start.IsZero() {
		attrs = append(attrs, nest(20, netfilter.Attribute{Type: 1, Data: netfilter.Uint64Bytes(uint64(c.Start.UnixNano()))}))
	}
	if c.Helper != "" {
		attrs = append(attrs, nest(5, netfilter.Attribute{Type: 1, Data: append([]byte(c.Helper), 0)}))
	}
	zone := func(typ, v uint16) netfilter.Attribute {
		return netfilter.Attribute{Type: typ, Data: netfilter.Uint16Bytes(v)}
	}
	switch o, r := t.Orig.Zone, t.Reply.Zone; {
	case o == r && o != 0:
		attrs = append(attrs, zone(18, o))
	case o != 0:
		orig.Children = append(orig.Children, zone(3, o))
	case r != 0:
		reply.Children = append(reply.Children, zone(3, r))
	}
	if t.Protocol == 6 {
		attrs = append(attrs, nest(4, nest(1, netfilter.Attribute{Type: 1, Data: []byte{c.TCPState}})))
	}
	m, err := netfilter.MarshalNetlink(netfilter.Header{
		SubsystemID: netfilter.NFSubsysCTNetlink,
		Flags:       netlink.Multi,
		Family:      netfilter.ProtoFamily(t.Family),
	}, append([]netfilter.Attribute{orig, reply}, attrs...))
	if err != nil {
		panic(err)
	}
	m.Header.Length = uint32(16 + len(m.Data))
	b, err := m.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return b
}

func tuple(typ uint16, protocol uint8, t ipc.Tuple) netfilter.Attribute {
	src, dst := uint16(1), uint16(2)
	if t.Src.Is6() {
		src, dst = 3, 4
	}
	proto := []netfilter.Attribute{{Type: 1, Data: []byte{protocol}}}
	switch t.Kind {
	case ipc.Ports:
		proto = append(proto,
			netfilter.Attribute{Type: 2, Data: netfilter.Uint16Bytes(t.SrcPort)},
			netfilter.Attribute{Type: 3, Data: netfilter.Uint16Bytes(t.DstPort)})
	case ipc.ICMP: // not ICMPv6
		proto = append(proto,
			netfilter.Attribute{Type: 4, Data: netfilter.Uint16Bytes(t.SrcPort)},
			netfilter.Attribute{Type: 5, Data: []byte{t.ICMPType()}},
			netfilter.Attribute{Type: 6, Data: []byte{t.ICMPCode()}})
	}
	return nest(typ,
		nest(1, netfilter.Attribute{Type: src, Data: t.Src.AsSlice()}, netfilter.Attribute{Type: dst, Data: t.Dst.AsSlice()}),
		nest(2, proto...))
}

func counters(typ uint16, bytes uint64) netfilter.Attribute {
	return nest(typ,
		netfilter.Attribute{Type: 1, Data: netfilter.Uint64Bytes(bytes / 100)},
		netfilter.Attribute{Type: 2, Data: netfilter.Uint64Bytes(bytes)})
}

func number(typ uint16, v uint32) netfilter.Attribute {
	return netfilter.Attribute{Type: typ, Data: netfilter.Uint32Bytes(v)}
}

func nest(typ uint16, children ...netfilter.Attribute) netfilter.Attribute {
	return netfilter.Attribute{Type: typ, Nested: true, Children: children}
}
