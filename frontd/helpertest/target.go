// SPDX-License-Identifier: GPL-2.0-or-later

package helpertest

import (
	"net/netip"

	"nuconntrack/ipc"
)

// Target is a connection between two addresses, its ids and ports counting from n.
func Target(proto uint8, src, dst string, n int) ipc.Target {
	t := ipc.Target{Family: ipc.FamilyIPv4, Protocol: proto, ID: uint32(n)*2654435761 + 7}
	t.Orig = ipc.Tuple{Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst)}
	if t.Orig.Src.Is6() {
		t.Family = ipc.FamilyIPv6
	}
	t.Reply = ipc.Tuple{Src: t.Orig.Dst, Dst: t.Orig.Src}
	switch proto {
	case 1, 58:
		t.Orig.Kind, t.Reply.Kind = ipc.ICMP, ipc.ICMP
		t.Orig.SrcPort, t.Orig.DstPort = uint16(n), 8<<8
		t.Reply.SrcPort, t.Reply.DstPort = uint16(n), 0
	case 6, 17, 47, 132:
		t.Orig.Kind, t.Reply.Kind = ipc.Ports, ipc.Ports
		t.Orig.SrcPort, t.Orig.DstPort = uint16(n), 443
		t.Reply.SrcPort, t.Reply.DstPort = 443, uint16(n)
	}
	return t
}

// Targets are of every shape that a connection can have, by a name for the shape.
func Targets() map[string]ipc.Target {
	nat := Target(6, "192.0.2.1", "198.51.100.7", 4242)
	nat.Reply.Dst, nat.Reply.DstPort = netip.MustParseAddr("203.0.113.5"), 61001
	both := Target(17, "10.0.0.1", "10.0.0.2", 53)
	both.Orig.Zone, both.Reply.Zone = 7, 7
	orig := both
	orig.Reply.Zone = 0
	repl := both
	repl.Orig.Zone, repl.Reply.Zone = 0, 65535
	halfICMP := Target(1, "10.0.0.1", "10.0.0.2", 9)
	halfICMP.Reply.Kind, halfICMP.Reply.SrcPort = ipc.NoPorts, 0
	odd4 := Target(58, "10.0.0.1", "10.0.0.2", 9)
	ports0 := Target(6, "0.0.0.0", "255.255.255.255", 0)
	ports0.ID, ports0.Orig.DstPort, ports0.Reply.SrcPort = 0, 0, 0
	return map[string]ipc.Target{
		"tcp": Target(6, "192.0.2.1", "192.0.2.2", 1025), "udp6": Target(17, "2001:db8::1", "2001:db8::2", 53),
		"icmp": Target(1, "192.0.2.1", "192.0.2.2", 77), "icmp6": Target(58, "::1", "fe80::1", 65535),
		"mapped": Target(6, "::ffff:192.0.2.1", "::ffff:192.0.2.2", 22), "gre": Target(47, "192.0.2.1", "192.0.2.2", 5),
		"no ports": Target(99, "192.0.2.1", "192.0.2.2", 5), "no ports, IPv6": Target(99, "2001:db8::1", "2001:db8::2", 5),
		"nat": nat, "zone of both": both, "zone of orig": orig, "zone of reply": repl,
		"one direction of ICMP": halfICMP, "ICMPv6 over IPv4": odd4, "all zero": ports0,
	}
}
