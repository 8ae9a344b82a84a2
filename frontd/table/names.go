// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"slices"
	"strconv"
	"strings"
)

// ProtocolName is the name of an IP protocol as the field proto has it.
func ProtocolName(number uint8) string { return protocolName(number) }

// protocolName is the name of an IP protocol, as conntrack and /etc/protocols have it in
// lower case, or its number in decimal.
func protocolName(number uint8) string {
	switch number {
	case 1:
		return "icmp"
	case 2:
		return "igmp"
	case 4:
		return "ipip"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 33:
		return "dccp"
	case 41:
		return "ipv6"
	case 47:
		return "gre"
	case 50:
		return "esp"
	case 51:
		return "ah"
	case 58:
		return "icmpv6"
	case 89:
		return "ospf"
	case 103:
		return "pim"
	case 112:
		return "vrrp"
	case 115:
		return "l2tp"
	case 132:
		return "sctp"
	case 136:
		return "udplite"
	}
	return strconv.Itoa(int(number))
}

// protocolNumber is the number of a named protocol, in any case.
func protocolNumber(name string) (uint64, bool) {
	name = strings.ToLower(name)
	switch name {
	case "ipv6-icmp", "icmp6":
		return 58, true
	case "ipencap":
		return 4, true
	case "udp-lite":
		return 136, true
	}
	for n := range 256 {
		if protocolName(uint8(n)) == name {
			return uint64(n), true
		}
	}
	return 0, false
}

// familyNumber is the number of a named address family, as ipc has it.
func familyNumber(name string) (uint64, bool) {
	switch strings.ToLower(name) {
	case "ipv4":
		return 2, true
	case "ipv6":
		return 10, true
	}
	return 0, false
}

// tcpStates are the states of TCP by number: enum tcp_conntrack in
// include/uapi/linux/netfilter/nf_conntrack_tcp.h, the last one by its living name.
var tcpStates = []string{"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT",
	"LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2"}

// sctpStates are the states of SCTP by number: enum sctp_conntrack in
// include/uapi/linux/netfilter/nf_conntrack_sctp.h.
var sctpStates = []string{"NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT",
	"SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED"}

// dccpStates are the states of DCCP by number: enum ct_dccp_states in
// include/linux/netfilter/nf_conntrack_dccp.h of the kernels that track it.
var dccpStates = []string{"NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING",
	"TIMEWAIT", "IGNORE", "INVALID"}

// livingStateName gives the name in use for a state's obsolete one, in upper case.
func livingStateName(name string) string {
	name = strings.ToUpper(name)
	if name == "LISTEN" {
		return "SYN_SENT2"
	}
	return name
}

// tcpStateNumber is the number of a named TCP state, in any case.
func tcpStateNumber(name string) (uint64, bool) {
	i := slices.Index(tcpStates, livingStateName(name))
	return uint64(max(i, 0)), i >= 0
}

// stateNames are the names of all states of all protocols, in the order in which the
// field state sorts; a name stands for the same state of whichever protocol has it.
func stateNames() []string {
	all := slices.Concat(tcpStates, sctpStates, dccpStates)
	slices.Sort(all)
	return slices.Compact(all)
}

// stateRank is the place of a named state, in any case, in stateNames.
func stateRank(name string) (uint64, bool) {
	i, found := slices.BinarySearch(stateNames(), livingStateName(name))
	return uint64(i), found
}

// noRank stands for a state whose number has no name.
const noRank = 0xff

// stateRanks gives, for one protocol's states by number, their places in stateNames.
func stateRanks(names, states []string) (ranks [256]uint8) {
	for i := range ranks {
		ranks[i] = noRank
	}
	for i, name := range states {
		rank, _ := slices.BinarySearch(names, name)
		ranks[i] = uint8(rank)
	}
	return ranks
}

// protocolRanks gives, by protocol number, the place at which the field proto sorts:
// names in alphabetical order, then the numbers that have none.
func protocolRanks() (ranks [256]uint8) {
	type protocol struct {
		name   string
		number int
	}
	var named, others []protocol
	for n := range 256 {
		p := protocol{protocolName(uint8(n)), n}
		if p.name == strconv.Itoa(n) {
			others = append(others, p)
		} else {
			named = append(named, p)
		}
	}
	slices.SortFunc(named, func(a, b protocol) int { return strings.Compare(a.name, b.name) })
	for rank, p := range append(named, others...) {
		ranks[p.number] = uint8(rank)
	}
	return ranks
}
