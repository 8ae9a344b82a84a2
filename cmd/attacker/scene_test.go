// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"
)

// rules permit what frontd may do, at a pace to be filled in. No timeout that they let
// through ends during a test.
const rules = `
zones = [0]

[kill]
allow = true
rate  = %d
burst = %d

[change]
allow       = true
mark_mask   = "0x0000ffff"
timeout_min = 86400
timeout_max = 432000

[dump]
duty = %g

[[protect]]
name      = "management"
addresses = ["192.0.2.0/24", "2001:db8:1::/48"]
ports     = [22]
protocols = ["tcp"]

[[protect]]
name      = "resolver"
addresses = ["203.0.113.53"]
`

const (
	markMask     = 0xffff
	minTimeout   = 86400
	firstTimeout = 432_000 // of every connection, seconds
	fixedTimeout = 1 << 10 // IPS_FIXED_TIMEOUT
	assured      = 1 << 2  // IPS_ASSURED
	seenReply    = 1 << 1  // IPS_SEEN_REPLY
)

// A class says what may become of a connection.
type class int

const (
	protected class = iota // by a rule: nothing
	foreign                // in a zone that is not permitted: nothing
	bystander              // may be killed and changed, and nobody ever asks for it
	victim                 // may be killed and changed
	reserve                // as a bystander, until an honest client asks
	classes
)

func (c class) String() string {
	return [...]string{"protected", "foreign", "bystander", "victim", "reserve"}[c]
}

// connection is one that was there before the attack.
type connection struct {
	target ipc.Target
	bytes  [targetSize]byte // the target as it stands in a request
	name   string           // as the audit spells it
	class  class
	before state
	// Whether a packet was sent that names exactly this connection.
	askedKill, askedMark, askedTimeout atomic.Bool
}

// state is what must not change by itself.
type state struct{ mark, status, timeout uint32 }

// scene is the kernel's table before the attack.
type scene struct {
	all     []*connection
	of      [classes][]*connection
	byBytes map[[targetSize]byte]*connection
	made    time.Time
}

// newScene fills the kernel's table.
func newScene(t testing.TB, rng *rand.Rand, victims int) *scene {
	t.Helper()
	s := &scene{byBytes: make(map[[targetSize]byte]*connection)}
	kinds := make(map[ipc.Target]class)
	var create []nstest.Connection
	add := func(c class, target ipc.Target) {
		if _, twice := kinds[target]; twice {
			t.Fatalf("%+v is in the scene twice", target)
		}
		kinds[target] = c
		create = append(create, nstest.Connection{Target: target, Timeout: firstTimeout,
			Status: assured | seenReply, Mark: rng.Uint32()})
	}
	for i := range 100 {
		for c, targets := range untouchable(i) {
			for _, target := range targets {
				add(c, target)
			}
		}
	}
	for i := range 1000 {
		add(bystander, plain(1, i))
	}
	for i := range 20 {
		add(reserve, plain(2, i))
	}
	for i := range victims {
		add(victim, plain(3+i/50_000, i%50_000))
	}
	nstest.Create(t, create...)
	s.made = time.Now()
	for target, state := range table(t) {
		without := target
		without.ID = 0
		c, ok := kinds[without]
		if !ok {
			t.Fatalf("%+v is in the table, and was not made", target)
		}
		conn := &connection{target: target, name: nameOf(target), class: c, before: state}
		conn.bytes = [targetSize]byte(request(t, ipc.Request{Op: ipc.OpKill, Target: target})[headerSize:])
		s.all = append(s.all, conn)
		s.byBytes[conn.bytes] = conn
		s.of[c] = append(s.of[c], conn)
	}
	if len(s.all) != len(create) {
		t.Fatalf("%d connections in the table, %d were made", len(s.all), len(create))
	}
	return s
}

// plain is a connection that no rule is about: TCP and UDP over IPv4 and IPv6, and ICMP.
func plain(net, i int) ipc.Target {
	port := 10_000 + i
	v4 := fmt.Sprintf("10.%d.0.1:%d", net, port)
	v6 := fmt.Sprintf("[fd00:%d::1]:%d", net, port)
	switch i % 5 {
	case 0:
		return nstest.Target(unix.IPPROTO_UDP, v4, "198.51.100.1:53")
	case 1:
		return nstest.Target(unix.IPPROTO_TCP, v6, "[fd00:ffff::1]:443")
	case 2:
		return nstest.Target(unix.IPPROTO_ICMP, v4, "198.51.100.1:0")
	}
	return nstest.Target(unix.IPPROTO_TCP, v4, "198.51.100.1:443")
}

// untouchable are connections that a rule is about, each kind of them.
func untouchable(i int) map[class][]ipc.Target {
	from := fmt.Sprintf("10.0.0.1:%d", 20_000+i)
	// By their reply tuple alone, behind destination NAT.
	nat := nstest.Target(unix.IPPROTO_TCP, from, "198.51.100.9:2222")
	nat.Reply.Src, nat.Reply.SrcPort = netip.MustParseAddr("192.0.2.9"), 22
	resolved := nstest.Target(unix.IPPROTO_UDP, from, "198.51.100.9:5353")
	resolved.Reply.Src, resolved.Reply.SrcPort = netip.MustParseAddr("203.0.113.53"), 5353
	zoned := nstest.Target(unix.IPPROTO_TCP, from, "198.51.100.9:443")
	zoned.Orig.Zone, zoned.Reply.Zone = 7, 7
	oneWay := nstest.Target(unix.IPPROTO_TCP, from, "198.51.100.9:444")
	oneWay.Orig.Zone = 8
	return map[class][]ipc.Target{
		protected: {
			nstest.Target(unix.IPPROTO_TCP, from, "192.0.2.1:22"),
			nstest.Target(unix.IPPROTO_TCP, fmt.Sprintf("[2001:db8:1::1]:%d", 20_000+i), "[fd00:ffff::1]:22"),
			nstest.Target(unix.IPPROTO_UDP, from, "203.0.113.53:53"),
			nstest.Target(unix.IPPROTO_ICMP, from, "203.0.113.53:0"),
			nat, resolved,
		},
		foreign: {zoned, oneWay},
	}
}

// table reads the kernel's table.
func table(t testing.TB) map[ipc.Target]state {
	t.Helper()
	all := make(map[ipc.Target]state)
	for _, f := range nstest.List(t) {
		target := ipc.Target{Family: ipc.FamilyIPv4, Protocol: f.TupleOrig.Proto.Protocol, ID: f.ID,
			Orig: tuple(f.TupleOrig, f.Zone), Reply: tuple(f.TupleReply, f.Zone)}
		if f.TupleOrig.IP.SourceAddress.Is6() {
			target.Family = ipc.FamilyIPv6
		}
		if _, twice := all[target]; twice {
			t.Fatalf("%+v is in the table twice", target)
		}
		all[target] = state{f.Mark, uint32(f.Status), f.Timeout}
	}
	return all
}

func tuple(c conntrack.Tuple, both uint16) ipc.Tuple {
	t := ipc.Tuple{Src: c.IP.SourceAddress, Dst: c.IP.DestinationAddress, Zone: c.Zone + both, Kind: ipc.Ports,
		SrcPort: c.Proto.SourcePort, DstPort: c.Proto.DestinationPort}
	if c.Proto.ICMPv4 {
		t.Kind, t.SrcPort = ipc.ICMP, c.Proto.ICMPID
		t.DstPort = uint16(c.Proto.ICMPType)<<8 | uint16(c.Proto.ICMPCode)
	}
	return t
}

// nameOf is how the audit spells a connection.
func nameOf(t ipc.Target) string {
	side := func(u ipc.Tuple) string {
		ports := fmt.Sprintf("sport=%d dport=%d", u.SrcPort, u.DstPort)
		if t.Protocol == unix.IPPROTO_ICMP {
			ports = fmt.Sprintf("type=%d code=%d id=%d", u.DstPort>>8, u.DstPort&0xff, u.SrcPort)
		}
		protocol := map[uint8]string{unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp", unix.IPPROTO_ICMP: "icmp"}[t.Protocol]
		return fmt.Sprintf("%s src=%s dst=%s %s", protocol, u.Src, u.Dst, ports)
	}
	zone := fmt.Sprint(t.Orig.Zone)
	if t.Orig.Zone != t.Reply.Zone {
		zone = fmt.Sprintf("orig=%d repl=%d", t.Orig.Zone, t.Reply.Zone)
	}
	return fmt.Sprintf("%d | %s | %s | %s", t.ID, side(t.Orig), side(t.Reply), zone)
}
