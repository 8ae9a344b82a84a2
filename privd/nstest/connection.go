// SPDX-License-Identifier: GPL-2.0-or-later

package nstest

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"nuconntrack/ipc"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

const defaultTimeout = 600 // seconds

// Echo requests and replies.
const (
	icmpRequest, icmpReply     = 8 << 8, 0 << 8
	icmpv6Request, icmpv6Reply = 128 << 8, 129 << 8
)

// A Connection is one to create.
type Connection struct {
	Target  ipc.Target // without id
	Timeout uint32     // seconds; 0 stands for 600
	Status  uint32     // IPS_ bits; IPS_CONFIRMED is added
	Mark    uint32
	Labels  uint64 // the first 64 of them as bits; anything but 0 wants Label before
}

// labelsSize is the size of a connection's labels, bytes (NF_CT_LABELS_MAX_SIZE).
const labelsSize = 16

// Target makes the target of a connection without NAT, in the default zone, from
// addresses with ports such as "192.0.2.1:1000". The ports of a protocol without any
// are not used; with ICMP and ICMPv6, for an echo request, the source port is the id.
func Target(protocol uint8, src, dst string) ipc.Target {
	from, to := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	t := ipc.Target{Family: ipc.FamilyIPv4, Protocol: protocol}
	if from.Addr().Is6() {
		t.Family = ipc.FamilyIPv6
	}
	t.Orig = ipc.Tuple{Src: from.Addr(), Dst: to.Addr()}
	t.Reply = ipc.Tuple{Src: to.Addr(), Dst: from.Addr()}
	switch protocol {
	case unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_UDPLITE, unix.IPPROTO_SCTP, unix.IPPROTO_GRE:
		t.Orig.Kind, t.Orig.SrcPort, t.Orig.DstPort = ipc.Ports, from.Port(), to.Port()
		t.Reply.Kind, t.Reply.SrcPort, t.Reply.DstPort = ipc.Ports, to.Port(), from.Port()
	case unix.IPPROTO_ICMP:
		t.Orig.Kind, t.Orig.SrcPort, t.Orig.DstPort = ipc.ICMP, from.Port(), icmpRequest
		t.Reply.Kind, t.Reply.SrcPort, t.Reply.DstPort = ipc.ICMP, from.Port(), icmpReply
	case unix.IPPROTO_ICMPV6:
		t.Orig.Kind, t.Orig.SrcPort, t.Orig.DstPort = ipc.ICMP, from.Port(), icmpv6Request
		t.Reply.Kind, t.Reply.SrcPort, t.Reply.DstPort = ipc.ICMP, from.Port(), icmpv6Reply
	}
	return t
}

// Create puts connections into the kernel's table through ctnetlink. It fails the test
// when one is there already.
func Create(t testing.TB, connections ...Connection) {
	t.Helper()
	c, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		t.Fatalf("open netlink socket: %v", err)
	}
	defer c.Close()
	for _, conn := range connections {
		m, err := netfilter.MarshalNetlink(netfilter.Header{
			SubsystemID: netfilter.NFSubsysCTNetlink, // message type 0 is IPCTNL_MSG_CT_NEW
			Flags:       netlink.Request | netlink.Acknowledge | netlink.Create | netlink.Excl,
			Family:      netfilter.ProtoFamily(conn.Target.Family),
		}, conn.attributes())
		if err != nil {
			t.Fatalf("encode connection: %v", err)
		}
		if _, err := c.Execute(m); err != nil {
			t.Fatalf("create connection %+v: %v", conn.Target, err)
		}
	}
}

// List lists the kernel's table with ti-mo/conntrack.
func List(t testing.TB) []conntrack.Flow {
	t.Helper()
	c, err := conntrack.Dial(nil)
	if err != nil {
		t.Fatalf("open conntrack: %v", err)
	}
	defer c.Close()
	flows, err := c.Dump(nil)
	if err != nil {
		t.Fatalf("list connections: %v", err)
	}
	return flows
}

// attributes gives the numbers of enum ctattr_type of nfnetlink_conntrack.h.
func (c Connection) attributes() []netfilter.Attribute {
	const (
		tupleOrig, tupleReply, status, protoinfo, timeout, mark, zone, labels = 1, 2, 3, 4, 7, 8, 18, 22
		confirmed                                                             = 8 // IPS_CONFIRMED
		established                                                           = 3 // TCP_CONNTRACK_ESTABLISHED
	)
	t := c.Target
	orig, reply := tuple(tupleOrig, t.Protocol, t.Orig), tuple(tupleReply, t.Protocol, t.Reply)
	var attrs []netfilter.Attribute
	switch {
	case t.Orig.Zone == t.Reply.Zone:
		attrs = append(attrs, netfilter.Attribute{Type: zone, Data: netfilter.Uint16Bytes(t.Orig.Zone)})
	case t.Orig.Zone != 0:
		orig.Children = append(orig.Children, tupleZone(t.Orig.Zone))
	default:
		reply.Children = append(reply.Children, tupleZone(t.Reply.Zone))
	}
	seconds := c.Timeout
	if seconds == 0 {
		seconds = defaultTimeout
	}
	attrs = append(attrs, orig, reply,
		netfilter.Attribute{Type: timeout, Data: netfilter.Uint32Bytes(seconds)},
		netfilter.Attribute{Type: status, Data: netfilter.Uint32Bytes(c.Status | confirmed)},
		netfilter.Attribute{Type: mark, Data: netfilter.Uint32Bytes(c.Mark)})
	if c.Labels != 0 {
		bits := binary.NativeEndian.AppendUint64(nil, c.Labels)
		attrs = append(attrs, netfilter.Attribute{Type: labels, Data: append(bits, make([]byte, labelsSize-len(bits))...)})
	}
	if t.Protocol == unix.IPPROTO_TCP {
		attrs = append(attrs, nest(protoinfo, nest(1, netfilter.Attribute{Type: 1, Data: []byte{established}})))
	}
	return attrs
}

// tuple gives the numbers of enum ctattr_tuple, ctattr_ip and ctattr_l4proto.
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
	case ipc.ICMP:
		first := uint16(4)
		if protocol == unix.IPPROTO_ICMPV6 {
			first = 7
		}
		proto = append(proto,
			netfilter.Attribute{Type: first, Data: netfilter.Uint16Bytes(t.SrcPort)},
			netfilter.Attribute{Type: first + 1, Data: []byte{t.ICMPType()}},
			netfilter.Attribute{Type: first + 2, Data: []byte{t.ICMPCode()}})
	}
	return nest(typ,
		nest(1, netfilter.Attribute{Type: src, Data: t.Src.AsSlice()}, netfilter.Attribute{Type: dst, Data: t.Dst.AsSlice()}),
		nest(2, proto...))
}

func tupleZone(v uint16) netfilter.Attribute {
	return netfilter.Attribute{Type: 3, Data: netfilter.Uint16Bytes(v)}
}

func nest(typ uint16, children ...netfilter.Attribute) netfilter.Attribute {
	return netfilter.Attribute{Type: typ, Nested: true, Children: children}
}
