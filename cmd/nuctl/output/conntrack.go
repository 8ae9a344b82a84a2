// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"math"
	"net/netip"
	"strings"

	"nuconntrack/cmd/nuctl/connection"
)

// Protocol numbers that the formats of conntrack treat apart (IANA, Protocol Numbers).
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoDCCP    = 33
	protoGRE     = 47
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

// Status bits (enum ip_conntrack_status of linux/netfilter/nf_conntrack_common.h).
const (
	statusSeenReply = 1 << 1
	statusAssured   = 1 << 2
	statusOffload   = 1 << 14
	statusHWOffload = 1 << 15
)

// conntrackFields are what the formats of conntrack are made of.
func conntrackFields() []string {
	return strings.Fields(`id orig_l3proto orig_l4proto
		orig_src orig_dst repl_src repl_dst
		orig_port_src orig_port_dst repl_port_src repl_port_dst icmp_type icmp_code icmp_id
		state status timeout mark zone orig_zone repl_zone use
		orig_counter_packets orig_counter_bytes repl_counter_packets repl_counter_bytes
		age helper secctx`)
}

// conntrackName is the name of a protocol as conntrack prints it; it calls all but eight
// unknown.
func conntrackName(protocol uint64) string {
	switch protocol {
	case protoICMP:
		return "icmp"
	case protoTCP:
		return "tcp"
	case protoUDP:
		return "udp"
	case protoDCCP:
		return "dccp"
	case protoGRE:
		return "gre"
	case protoICMPv6:
		return "icmpv6"
	case protoSCTP:
		return "sctp"
	case protoUDPLite:
		return "udplite"
	}
	return "unknown"
}

// address reads an address of a row strictly, false if the row lacks it or holds none.
func address(row connection.Row, name string) (netip.Addr, bool) {
	text, ok := row.Text(name)
	if !ok {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(text)
	return addr, err == nil && addr.Zone() == ""
}

// within reads a number up to a limit, false if the row lacks it or holds none.
func within(row connection.Row, name string, limit uint64) (uint64, bool) {
	n, ok := row.Number(name)
	return n, ok && n <= limit
}

// port reads a port or the key of a GRE tunnel.
func port(row connection.Row, name string) (uint64, bool) { return within(row, name, math.MaxUint16) }

// answerType is the type of the ICMP message that answers one of this type; false for
// those that ask nothing. The kernel tracks no others (invmap of
// nf_conntrack_proto_icmp.c and nf_conntrack_proto_icmpv6.c).
func answerType(protocol, kind uint64) (uint64, bool) {
	pairs := [][2]uint64{{8, 0}, {13, 14}, {15, 16}, {17, 18}}
	if protocol == protoICMPv6 {
		pairs = [][2]uint64{{128, 129}, {139, 140}}
	}
	for _, pair := range pairs {
		switch kind {
		case pair[0]:
			return pair[1], true
		case pair[1]:
			return pair[0], true
		}
	}
	return 0, false
}
