// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"net/netip"
	"testing"

	"nuconntrack/privd/nstest"

	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"
)

// Protocols that the kernel has no name for here, or no tracking.
const (
	protoTest = 253 // RFC 3692, for experiments
	protoDCCP = 33
	protoESP  = 50
)

// made is a connection of a kind that is made by ctnetlink, for want of sockets or peers.
type made struct {
	name       string
	connection nstest.Connection
	filter     filters
	want       row
}

func madeConnections() []made {
	plain := func(protocol uint8, src, dst string) nstest.Connection {
		return nstest.Connection{Target: nstest.Target(protocol, src, dst)}
	}
	zoned := func(orig, reply uint16, src string) nstest.Connection {
		c := plain(unix.IPPROTO_TCP, src, "198.51.100.1:80")
		c.Target.Orig.Zone, c.Target.Reply.Zone = orig, reply
		return c
	}
	translated := plain(unix.IPPROTO_TCP, "10.0.0.1:1000", "198.51.100.1:80")
	translated.Target.Reply.Dst = netip.MustParseAddr("203.0.113.1")
	translated.Target.Reply.DstPort = 61000
	translated.Mark = 0x80000001
	return []made{
		{"UDPlite", plain(unix.IPPROTO_UDPLITE, "192.0.2.1:1000", "198.51.100.1:80"),
			filters{"proto": "udplite"}, row{"orig_l4proto": 136, "orig_port_src": 1000, "orig_port_dst": 80, "tcp_state": nil}},
		{"SCTP", plain(unix.IPPROTO_SCTP, "192.0.2.1:1000", "198.51.100.1:80"),
			filters{"proto": "sctp", "orig_src": "192.0.2.0/24"}, row{"orig_l4proto": 132, "repl_port_src": 80, "repl_port_dst": 1000, "tcp_state": nil}},
		{"GRE", plain(unix.IPPROTO_GRE, "192.0.2.1:1000", "198.51.100.1:80"),
			filters{"proto": "gre"}, row{"orig_l4proto": 47, "orig_port_src": 1000, "orig_port_dst": 80}},
		{"a protocol for experiments", plain(protoTest, "192.0.2.1:0", "198.51.100.1:0"),
			filters{"proto": "253", "orig_l3proto": "ipv4"}, row{"orig_l4proto": 253, "orig_port_src": nil, "icmp_type": nil, "state": nil}},
		{"ESP", plain(protoESP, "192.0.2.1:0", "198.51.100.1:0"),
			filters{"proto": "esp"}, row{"orig_l4proto": 50, "orig_ipv4_dst": "198.51.100.1", "orig_port_dst": nil}},
		{"DCCP", plain(protoDCCP, "192.0.2.1:0", "198.51.100.1:0"),
			filters{"proto": "DCCP"}, row{"orig_l4proto": 33}},
		{"ICMP", plain(unix.IPPROTO_ICMP, "192.0.2.1:77", "198.51.100.1:0"),
			filters{"icmp_id": 77}, row{"orig_l4proto": 1, "icmp_type": 8, "orig_port_src": nil}},
		{"TCP over IPv6", plain(unix.IPPROTO_TCP, "[2001:db8::1]:1000", "[2001:db8::2]:80"),
			filters{"orig_src": "2001:db8::/64", "proto": "tcp"}, row{"orig_l3proto": 10, "orig_ipv6_src": "2001:db8::1",
				"orig_ipv6_dst": "2001:db8::2", "repl_ipv6_src": "2001:db8::2", "orig_ipv4_src": nil, "state": "ESTABLISHED"}},
		{"SCTP over IPv6", plain(unix.IPPROTO_SCTP, "[2001:db8::1]:1000", "[2001:db8::2]:80"),
			filters{"orig_src": "2001:db8::1", "proto": "sctp"}, row{"orig_l4proto": 132, "orig_port_dst": 80}},
		{"a protocol for experiments over IPv6", plain(protoTest, "[2001:db8::1]:0", "[2001:db8::2]:0"),
			filters{"orig_src": "2001:db8::1", "proto": "253"}, row{"orig_l4proto": 253, "orig_port_dst": nil}},
		{"ICMPv6", plain(unix.IPPROTO_ICMPV6, "[2001:db8::1]:78", "[2001:db8::2]:0"),
			filters{"icmp_id": 78}, row{"orig_l4proto": 58, "icmp_type": 128, "icmp_code": 0}},
		{"zone of both directions", zoned(5, 5, "192.0.2.5:5"),
			filters{"zone": 5}, row{"zone": 5, "orig_zone": nil, "repl_zone": nil}},
		{"zone of the original direction", zoned(6, 0, "192.0.2.6:6"),
			filters{"orig_zone": 6}, row{"zone": nil, "orig_zone": 6, "repl_zone": nil}},
		{"zone of the reply direction", zoned(0, 7, "192.0.2.7:7"),
			filters{"repl_zone": 7}, row{"zone": nil, "orig_zone": nil, "repl_zone": 7}},
		{"the same tuples in another zone", zoned(8, 8, "192.0.2.5:5"),
			filters{"zone": 8}, row{"zone": 8, "orig_ipv4_src": "192.0.2.5"}},
		{"answers that go to another address", translated,
			filters{"repl_dst": "203.0.113.1"}, row{"orig_ipv4_src": "10.0.0.1", "repl_ipv4_dst": "203.0.113.1",
				"repl_port_dst": 61000, "mark": "2147483649"}},
	}
}

// TestMadeConnectionsAreListedAndKilled has every kind in one table: a kill that took
// more than its own would show.
func TestMadeConnectionsAreListedAndKilled(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		tests := madeConnections()
		for _, test := range tests {
			nstest.Create(t, test.connection)
		}
		s := newWorld(t, everything).login(t)
		if all := s.rows(t, nil); len(all) != len(tests) {
			t.Errorf("%d connections are listed, want %d", len(all), len(tests))
		}
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				r := s.one(t, test.filter)
				r.has(t, test.want)
				before := kernelTable(t)
				// A change has to find it too.
				s.ok(t, "change", "mark", r.key(t), "4026531841/0xffffffff")
				if got := kernelTable(t)[r.number(t, "id")].mark; got != 4026531841 {
					t.Errorf("mark is %d", got)
				}
				s.ok(t, "kill", list(r.key(t)))
				wantTable(t, before, r.number(t, "id"))
			})
		}
		if left := kernelTable(t); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	})
}

// TestChildOfAnExpectation kills the data connection that a control connection announced,
// and leaves that alone.
func TestChildOfAnExpectation(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		const expected = 1 << 0 // IPS_EXPECTED
		flow := func(srcPort, dstPort uint16) conntrack.Flow {
			f := conntrack.NewFlow(unix.IPPROTO_TCP, conntrack.StatusConfirmed|conntrack.StatusAssured,
				netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1"), srcPort, dstPort, 600, 0)
			f.ProtoInfo.TCP = &conntrack.ProtoInfoTCP{State: 3}
			return f
		}
		master := flow(1000, 21)
		child := flow(1001, 20)
		child.TupleMaster = master.TupleOrig
		c, err := conntrack.Dial(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, f := range []conntrack.Flow{master, child} {
			if err := c.Create(f); err != nil {
				t.Fatal(err)
			}
		}
		s := newWorld(t, everything).login(t)
		r := s.one(t, filters{"orig_port_dst": 20})
		if status, _ := r["status"].(int); status&expected == 0 {
			t.Errorf("status %v has no IPS_EXPECTED", r["status"])
		}
		before := kernelTable(t)
		s.ok(t, "change", "timeout", r.key(t), 1000)
		s.ok(t, "kill", list(r.key(t)))
		wantTable(t, before, r.number(t, "id"))
	})
}
