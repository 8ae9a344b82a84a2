// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"
)

func dial(t *testing.T) *Conn {
	t.Helper()
	c, err := Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func get(t *testing.T, c *Conn, target ipc.Target) Entry {
	t.Helper()
	e, err := c.Get(target)
	if err != nil {
		t.Fatalf("get %+v: %v", target, err)
	}
	return e
}

// withZones gives each direction its zone.
func withZones(t ipc.Target, orig, reply uint16) ipc.Target {
	t.Orig.Zone, t.Reply.Zone = orig, reply
	return t
}

// connections are of every kind, zone and family that the kernel takes from ctnetlink.
// Those in a zone of one direction share the default zone in the other one.
func connections() map[string]ipc.Target {
	const v4, v4b, v6, v6b = "192.0.2.1:1000", "198.51.100.2:80", "[2001:db8::1]:1000", "[2001:db8::2]:80"
	tcp, tcp6 := nstest.Target(unix.IPPROTO_TCP, v4, v4b), nstest.Target(unix.IPPROTO_TCP, v6, v6b)
	nat := tcp
	nat.Orig.SrcPort = 2000
	nat.Reply = ipc.Tuple{Src: netip.MustParseAddr("10.0.0.9"), Dst: netip.MustParseAddr("203.0.113.7"),
		Kind: ipc.Ports, SrcPort: 8080, DstPort: 61000}
	all := map[string]ipc.Target{
		"TCP": tcp, "TCP6": tcp6, "NAT": nat,
		"zone of both directions":        withZones(tcp, 7, 7),
		"zone of the original direction": withZones(nstest.Target(unix.IPPROTO_TCP, "192.0.2.4:1", v4b), 8, 0),
		"zone of the reply direction":    withZones(nstest.Target(unix.IPPROTO_TCP, "192.0.2.3:1", v4b), 0, 9),
		"IPv6 zone of one direction":     withZones(nstest.Target(unix.IPPROTO_TCP, "[2001:db8::4]:1", v6b), 65535, 0),
		"ICMP zone of both directions":   withZones(nstest.Target(unix.IPPROTO_ICMP, v4, v4b), 7, 7),
	}
	for name, protocol := range map[string]uint8{
		"UDP": unix.IPPROTO_UDP, "UDPlite": unix.IPPROTO_UDPLITE, "SCTP": unix.IPPROTO_SCTP, "GRE": unix.IPPROTO_GRE,
		"protocol 253": 253, "protocol 0": 0, "protocol 255": 255, "ESP": unix.IPPROTO_ESP,
	} {
		all[name] = nstest.Target(protocol, v4, v4b)
		all[name+" over IPv6"] = nstest.Target(protocol, v6, v6b)
	}
	all["ICMP"] = nstest.Target(unix.IPPROTO_ICMP, v4, v4b)
	all["ICMPv6"] = nstest.Target(unix.IPPROTO_ICMPV6, v6, v6b)
	return all
}

func TestEveryKindOfConnection(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		all := connections()
		for _, target := range all {
			nstest.Create(t, nstest.Connection{Target: target, Mark: 0xa5})
		}
		c := dial(t)
		left := len(all)
		for name, target := range all {
			t.Run(name, func(t *testing.T) {
				e := get(t, c, target)
				flow := listed(t, e)
				sameAsFlow(t, e, flow, get(t, c, target))
				target.ID = flow.ID
				if e.Target() != target {
					t.Fatalf("got %+v\nwant %+v", e.Target(), target)
				}
				changeAndDelete(t, c, e)
				left--
			})
			if n := len(nstest.List(t)); n != left {
				t.Fatalf("%d connections left, want %d", n, left)
			}
		}
	})
}

// changeAndDelete goes through everything that can be done to one connection.
func changeAndDelete(t *testing.T, c *Conn, e Entry) {
	t.Helper()
	for _, m := range []struct{ value, mask, want uint32 }{
		{0x50, 0xf0, 0x55}, {0, 0, 0x55}, {0, 0xff, 0}, {1 << 31, 1 << 31, 1 << 31}, {7, 0xffffffff, 7}, {0, 0xffffffff, 0},
	} {
		if err := c.SetMark(e, m.value, m.mask); err != nil {
			t.Fatalf("mark %#x/%#x: %v", m.value, m.mask, err)
		}
		if got := get(t, c, e.Target()).Mark(); got != m.want || listed(t, e).Mark != m.want {
			t.Fatalf("mark %#x/%#x gave %#x, want %#x", m.value, m.mask, got, m.want)
		}
	}
	if e = get(t, c, e.Target()); e.FixedTimeout() {
		t.Fatal("the timeout is fixed before it was")
	}
	if err := c.FixTimeout(e, 5000); err != nil {
		t.Fatalf("fix timeout: %v", err)
	}
	fixed := get(t, c, e.Target())
	if s, known := fixed.Timeout(); !known || s < 4900 || s > 5000 || !fixed.FixedTimeout() || fixed.Status() != e.Status()|ipsFixedTimeout {
		t.Fatalf("timeout %d, status %#x, was %#x", s, fixed.Status(), e.Status())
	}
	if err := c.FixTimeout(fixed, 100); !errors.Is(err, unix.EPERM) {
		t.Fatalf("second fixing: %v, want EPERM", err)
	}
	if s, _ := get(t, c, e.Target()).Timeout(); s < 4900 {
		t.Fatalf("timeout %d after a change that was refused", s)
	}
	if err := c.SetMark(fixed, 9, 9); err != nil || get(t, c, e.Target()).Mark() != 9 {
		t.Fatalf("mark of a connection with a fixed timeout: %v", err)
	}
	other := e
	other.target.ID++
	if err := c.Delete(other); !errors.Is(err, ErrNotFound) {
		t.Fatalf("delete with another id: %v", err)
	}
	if err := c.Delete(e); err != nil {
		t.Fatalf("delete: %v", err)
	}
	if _, err := c.Get(e.Target()); !errors.Is(err, ErrNotFound) {
		t.Fatalf("get of a deleted connection: %v", err)
	}
	// What is gone stays gone.
	for _, err := range []error{c.Delete(e), c.SetMark(e, 1, 1), c.FixTimeout(e, 10)} {
		if !errors.Is(err, ErrNotFound) {
			t.Fatalf("change of a deleted connection: %v", err)
		}
	}
}

// listed finds the connection's row in the other reader's list, where it must be once.
func listed(t *testing.T, e Entry) conntrack.Flow {
	t.Helper()
	var found []conntrack.Flow
	for _, f := range nstest.List(t) {
		if f.ID == e.Target().ID {
			found = append(found, f)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d connections with id %d", len(found), e.Target().ID)
	}
	return found[0]
}

// sameAsFlow compares with what ti-mo/conntrack makes of the same connection, which it was
// asked for between e and later.
func sameAsFlow(t *testing.T, e Entry, f conntrack.Flow, later Entry) {
	t.Helper()
	target := e.Target()
	for i, u := range [2]ipc.Tuple{target.Orig, target.Reply} {
		v := [2]conntrack.Tuple{f.TupleOrig, f.TupleReply}[i]
		if u.Src != v.IP.SourceAddress || u.Dst != v.IP.DestinationAddress || target.Protocol != v.Proto.Protocol {
			t.Errorf("tuple %d is %+v, the other reader says %+v", i, u, v)
		}
		if zone := max(f.Zone, v.Zone); u.Zone != zone {
			t.Errorf("tuple %d in zone %d, the other reader says %d", i, u.Zone, zone)
		}
		ports := u.SrcPort == v.Proto.SourcePort && u.DstPort == v.Proto.DestinationPort
		icmp := u.SrcPort == v.Proto.ICMPID && u.ICMPType() == v.Proto.ICMPType && u.ICMPCode() == v.Proto.ICMPCode
		if u.Kind == ipc.ICMP && !icmp || u.Kind != ipc.ICMP && !ports {
			t.Errorf("tuple %d is %+v, the other reader says %+v", i, u, v.Proto)
		}
	}
	if e.Status() != uint32(f.Status) || e.Mark() != f.Mark {
		t.Errorf("status %#x, mark %#x, the other reader says %#x, %#x", e.Status(), e.Mark(), uint32(f.Status), f.Mark)
	}
	most, known := e.Timeout()
	least, still := later.Timeout()
	if !known || !still || f.Timeout > most || f.Timeout < least {
		t.Errorf("timeout %d and then %d, the other reader says %d", most, least, f.Timeout)
	}
}

func TestZonesAreApart(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		plain := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")
		nstest.Create(t, nstest.Connection{Target: withZones(plain, 7, 7)}, nstest.Connection{Target: withZones(plain, 8, 0)})
		for _, z := range [][2]uint16{{0, 0}, {9, 9}, {9, 0}, {0, 7}} {
			if e, err := c.Get(withZones(plain, z[0], z[1])); !errors.Is(err, ErrNotFound) {
				t.Errorf("zones %v: found %+v, %v", z, e, err)
			}
		}
		// The original direction alone decides where the kernel looks.
		if e := get(t, c, withZones(plain, 7, 0)); e.Target().Reply.Zone != 7 {
			t.Errorf("zones %d and %d, want 7 and 7", e.Target().Orig.Zone, e.Target().Reply.Zone)
		}
		if _, err := c.Get(withZones(plain, 7, 8)); !errors.Is(err, ErrRefused) {
			t.Errorf("two zones: %v", err)
		}
		if err := c.Delete(get(t, c, withZones(plain, 7, 7))); err != nil {
			t.Fatal(err)
		}
		if e := get(t, c, withZones(plain, 8, 0)); e.Target().Reply.Zone != 0 {
			t.Errorf("the connection of zone 8 is %+v", e.Target())
		}
	})
}

func TestReplacedConnectionHasAnotherID(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		c := dial(t)
		target := nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80")
		nstest.Create(t, nstest.Connection{Target: target})
		old := get(t, c, target)
		if err := c.Delete(old); err != nil {
			t.Fatal(err)
		}
		// The id hashes the connection's place in memory, which is used again at once:
		// another connection has to take it.
		var e Entry
		for port := range 100 {
			nstest.Create(t, nstest.Connection{Target: target, Mark: 3})
			if e = get(t, c, old.Target()); e.Target() != old.Target() {
				break
			}
			if err := c.Delete(e); err != nil {
				t.Fatal(err)
			}
			filler := nstest.Target(unix.IPPROTO_TCP, "192.0.2.9:1", "192.0.2.8:1")
			filler.Orig.SrcPort, filler.Reply.DstPort = uint16(port), uint16(port)
			nstest.Create(t, nstest.Connection{Target: filler})
		}
		if e.Target() == old.Target() || e.Mark() != 3 {
			t.Fatalf("the later connection looks like the first: %+v", e)
		}
		if err := c.Delete(old); !errors.Is(err, ErrNotFound) {
			t.Errorf("delete of the first: %v", err)
		}
		get(t, c, target)
	})
}

// udpPair is a tracked UDP connection over the loopback interface, not replied to yet,
// and a function that replies.
func udpPair(t *testing.T, to, listen string) (ipc.Target, func()) {
	t.Helper()
	server, err := net.ListenPacket("udp", listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	client, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if _, err := client.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 16)
	_, peer, err := server.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	return nstest.Target(unix.IPPROTO_UDP, client.LocalAddr().String(), to), func() {
		t.Helper()
		if _, err := server.WriteTo([]byte("pong"), peer); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Read(buf); err != nil {
			t.Fatal(err)
		}
	}
}

// The kernel refuses a stale status with EBUSY, having changed the timeout all the same.
func TestStaleStatusIsPartial(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		nstest.Track(t)
		c := dial(t)
		target, reply := udpPair(t, "127.0.0.1:4000", "127.0.0.1:4000")
		stale := get(t, c, target)
		reply()
		now := get(t, c, target)
		if now.Status() == stale.Status() {
			t.Fatalf("status %#x did not change with a reply", now.Status())
		}
		if err := c.FixTimeout(stale, 7000); !errors.Is(err, unix.EBUSY) {
			t.Fatalf("stale status: %v, want EBUSY", err)
		}
		after := get(t, c, target)
		if s, _ := after.Timeout(); s < 6900 || after.FixedTimeout() || after.Status() != now.Status() {
			t.Errorf("timeout %d, status %#x: not changed halfway", s, after.Status())
		}
		if err := c.FixTimeout(after, 8000); err != nil {
			t.Errorf("fresh status: %v", err)
		}
		reply() // traffic renews a timeout that is not fixed
		if s, _ := get(t, c, target).Timeout(); s < 7900 {
			t.Errorf("timeout %d after traffic, it is not fixed", s)
		}
	})
}

func TestRedirectedTraffic(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		nstest.Track(t)
		nstest.Redirect(t, unix.IPPROTO_UDP, 53, 5353)
		c := dial(t)
		target, reply := udpPair(t, "127.0.0.1:53", "127.0.0.1:5353")
		reply()
		e := get(t, c, target)
		sameAsFlow(t, e, listed(t, e), get(t, c, target))
		if e.Target().Reply.SrcPort != 5353 || e.Target().Orig.DstPort != 53 {
			t.Fatalf("not redirected: %+v", e.Target())
		}
		// The reply's tuple finds the same connection: the caller has to compare.
		byReply := e.Target()
		byReply.Orig, byReply.Reply = byReply.Reply, byReply.Orig
		if found := get(t, c, byReply); found.Target() != e.Target() || found.Target() == byReply {
			t.Errorf("by its reply tuple: %+v", found.Target())
		}
		if err := c.Delete(e); err != nil {
			t.Error(err)
		}
	})
}
