// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import "strconv"

// protocolNumber returns the IANA number of a protocol name in lower case. The
// names are those of the IANA registry and of /etc/protocols that people use in
// firewall rules; any other protocol is written as its number.
func protocolNumber(name string) (uint8, bool) {
	switch name {
	case "icmp":
		return 1, true
	case "igmp":
		return 2, true
	case "ipip", "ipencap":
		return 4, true
	case "tcp":
		return 6, true
	case "udp":
		return 17, true
	case "dccp":
		return 33, true
	case "ipv6":
		return 41, true
	case "rsvp":
		return 46, true
	case "gre":
		return 47, true
	case "esp":
		return 50, true
	case "ah":
		return 51, true
	case "icmpv6", "ipv6-icmp":
		return 58, true
	case "eigrp":
		return 88, true
	case "ospf", "ospfigp":
		return 89, true
	case "pim":
		return 103, true
	case "ipcomp":
		return 108, true
	case "vrrp":
		return 112, true
	case "l2tp":
		return 115, true
	case "sctp":
		return 132, true
	case "udplite":
		return 136, true
	}
	return 0, false
}

// protocolName returns the usual name of a protocol, or its number.
func protocolName(number uint8) string {
	for _, name := range []string{
		"icmp", "igmp", "ipip", "tcp", "udp", "dccp", "ipv6", "rsvp", "gre", "esp", "ah", "icmpv6",
		"eigrp", "ospf", "pim", "ipcomp", "vrrp", "l2tp", "sctp", "udplite",
	} {
		if n, _ := protocolNumber(name); n == number {
			return name
		}
	}
	return strconv.Itoa(int(number))
}
