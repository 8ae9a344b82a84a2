// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// tcp returns a connection without NAT in zone 0.
func tcp(src, dst string, srcPort, dstPort uint16) Connection {
	a, b := netip.MustParseAddr(src), netip.MustParseAddr(dst)
	return Connection{
		Protocol: 6,
		Orig:     Endpoints{Src: a, Dst: b, HasPorts: true, SrcPort: srcPort, DstPort: dstPort},
		Reply:    Endpoints{Src: b, Dst: a, HasPorts: true, SrcPort: dstPort, DstPort: srcPort},
	}
}

func allowAll(t testing.TB, more string) *Rules {
	t.Helper()
	return mustParse(t, "kill.allow = true\nchange.allow = true\n"+more)
}

func someConnections() []Connection {
	ssh := tcp("192.0.2.1", "198.51.100.1", 40000, 22)
	nat := ssh
	nat.Reply.Src = netip.MustParseAddr("10.0.0.1")
	zoned := tcp("2001:db8::1", "2001:db8::2", 1, 2)
	zoned.OrigZone = 7
	icmp := ssh
	icmp.Protocol, icmp.Orig.HasPorts, icmp.Reply.HasPorts = 1, false, false
	return []Connection{ssh, nat, zoned, icmp, tcp("::ffff:192.0.2.1", "::1", 443, 22), {}}
}

// place is one of the four ends of a connection.
type place struct {
	name string
	addr func(*Connection) *netip.Addr
	port func(*Connection) *uint16
}

func places() []place {
	return []place{
		{"original source", func(c *Connection) *netip.Addr { return &c.Orig.Src }, func(c *Connection) *uint16 { return &c.Orig.SrcPort }},
		{"original destination", func(c *Connection) *netip.Addr { return &c.Orig.Dst }, func(c *Connection) *uint16 { return &c.Orig.DstPort }},
		{"reply source", func(c *Connection) *netip.Addr { return &c.Reply.Src }, func(c *Connection) *uint16 { return &c.Reply.SrcPort }},
		{"reply destination", func(c *Connection) *netip.Addr { return &c.Reply.Dst }, func(c *Connection) *uint16 { return &c.Reply.DstPort }},
	}
}

// TestProtectMatrix puts one protected address at each end in turn, as NAT may
// do, and one protected port at each end, and compares every answer with the
// sentence of the specification worked out anew: protocol AND any of four
// addresses AND any of four ports.
func TestProtectMatrix(t *testing.T) {
	families := []struct{ name, listed, present, others string }{
		{"IPv4", "192.0.2.0/24", "192.0.2.7", "198.51.100.1"},
		{"IPv4 address", "192.0.2.7", "192.0.2.7", "192.0.2.8"},
		{"IPv4, host bits", "192.0.2.99/24", "192.0.2.7", "192.0.3.1"},
		{"IPv6", "2001:db8::/32", "2001:db8:1::7", "2001:db9::1"},
		{"IPv6 address", "2001:db8::7", "2001:db8::7", "2001:db8::8"},
		{"mapped rule, IPv4 connection", "::ffff:192.0.2.0/120", "192.0.2.7", "192.0.3.7"},
		{"IPv4 rule, mapped connection", "192.0.2.0/24", "::ffff:192.0.2.7", "::ffff:192.0.3.7"},
		{"mapped rule and connection", "::ffff:192.0.2.7", "::ffff:c000:207", "::ffff:c000:208"},
		{"all IPv4", "0.0.0.0/0", "::ffff:10.0.0.1", "2001:db8::1"},
		{"all mapped", "::ffff:0:0/96", "10.0.0.1", "::fffe:10.0.0.1"},
		{"IPv6 with an interface", "fe80::/64", "fe80::1%eth0", "fec0::1"},
	}
	lists := []struct {
		name                        string
		addresses, ports, protocols bool
	}{
		{"addresses", true, false, false}, {"ports", false, true, false}, {"protocols", false, false, true},
		{"addresses and ports", true, true, false}, {"all three", true, true, true},
	}
	ends := append(places(), place{name: "nowhere"})
	checked, refused := 0, 0
	for _, family := range families {
		for _, list := range lists {
			text := "[[protect]]\nname = \"m\"\n"
			if list.addresses {
				text += fmt.Sprintf("addresses = [%q]\n", family.listed)
			}
			if list.ports {
				text += "ports = [22, \"5000-5009\"]\n"
			}
			if list.protocols {
				text += "protocols = [\"tcp\"]\n"
			}
			rules := allowAll(t, text)
			for _, addressAt := range ends {
				for _, portAt := range ends {
					for _, protocol := range []uint8{6, 17, 1} {
						for _, port := range []uint16{22, 5004, 5009} {
							c := tcp(family.others, family.others, 1024, 5010)
							c.Protocol = protocol
							if addressAt.addr != nil {
								*addressAt.addr(&c) = netip.MustParseAddr(family.present)
							}
							if portAt.port != nil {
								*portAt.port(&c) = port
							}
							c.Orig.HasPorts, c.Reply.HasPorts = protocol != 1, protocol != 1
							want := (!list.addresses || addressAt.addr != nil) &&
								(!list.ports || portAt.port != nil && protocol != 1) &&
								(!list.protocols || protocol == 6)
							name := fmt.Sprintf("%s: rule on %s, address at %s, port %d at %s, protocol %d",
								family.name, list.name, addressAt.name, port, portAt.name, protocol)
							expectAll(t, name, rules, c, want, "m", OutcomeProtected)
							if want && list.addresses && !strings.Contains(rules.Kill(c).Detail, "("+addressAt.name+")") {
								t.Fatalf("%s: detail %q does not say where", name, rules.Kill(c).Detail)
							}
							checked++
							if want {
								refused++
							}
						}
					}
				}
			}
		}
	}
	if checked < 10_000 || refused < 3000 || refused > checked-3000 {
		t.Fatalf("the matrix has shrunk: %d cases, %d refused", checked, refused)
	}
}

// expectAll wants the same of kill, mark and timeout.
func expectAll(t *testing.T, name string, r *Rules, c Connection, refused bool, rule, outcome string) {
	t.Helper()
	for action, d := range map[string]Decision{
		"kill": r.Kill(c), "mark": r.ChangeMark(c, 0, 1, 0xff), "timeout": r.ChangeTimeout(c, 600),
	} {
		want := Decision{Allowed: true}
		if refused {
			want = Decision{Outcome: outcome, Rule: rule, Detail: d.Detail}
		}
		if d != want || refused != (d.Detail != "") {
			t.Fatalf("%s: %s: got %+v, want %+v", name, action, d, want)
		}
	}
}

func TestZonesMatrix(t *testing.T) {
	for _, text := range []string{"zones = [0, 7, 65535]", "[dump]\nzones = [65535, 0, 7]", "# all"} {
		rules := allowAll(t, text+"\n[[protect]]\nname = \"ssh\"\nports = [22]")
		for _, orig := range []uint16{0, 1, 7, 8, 65534, 65535} {
			for _, reply := range []uint16{0, 1, 7, 8, 65534, 65535} {
				in := func(z uint16) bool { return text == "# all" || z == 0 || z == 7 || z == 65535 }
				c := tcp("192.0.2.1", "192.0.2.2", 1024, 80)
				c.OrigZone, c.ReplyZone = orig, reply
				name := fmt.Sprintf("%s: zones %d and %d", text, orig, reply)
				expectAll(t, name, rules, c, !in(orig) || !in(reply), "zones", OutcomeForbidden)
				c.Orig.DstPort = 22
				expectAll(t, name+", protected too", rules, c, true, "ssh", OutcomeProtected)
			}
		}
	}
}

func TestNoPolicy(t *testing.T) {
	var null *Rules
	for name, r := range map[string]*Rules{"None": None(), "zero": {}, "nil": null} {
		for _, c := range someConnections() {
			expectAll(t, name, r, c, true, "no-policy", OutcomeForbidden)
		}
		if r.Limits() != defaultLimits() || r.String() == "" {
			t.Errorf("%s: limits %+v, text %q", name, r.Limits(), r.String())
		}
	}
}

func TestAllowIsSeparate(t *testing.T) {
	c := tcp("192.0.2.1", "192.0.2.2", 1024, 22)
	protect := "\n[[protect]]\nname = \"ssh\"\nports = [22]"
	kill, change := mustParse(t, "kill.allow = true"+protect), mustParse(t, "change.allow = true"+protect)
	for name, tt := range map[string]struct {
		got  Decision
		rule string
	}{
		"kill where only change is on":    {change.Kill(c), "kill.allow"},
		"mark where only kill is on":      {kill.ChangeMark(c, 0, 1, 1), "change.allow"},
		"timeout where only kill is on":   {kill.ChangeTimeout(c, 60), "change.allow"},
		"kill of a protected connection":  {kill.Kill(c), "ssh"},
		"bad timeout of a protected one":  {change.ChangeTimeout(c, 1), "ssh"},
		"the zero timeout of a protected": {change.ChangeTimeout(c, 0), "ssh"},
	} {
		if tt.got.Allowed || tt.got.Rule != tt.rule {
			t.Errorf("%s: %+v, want rule %s", name, tt.got, tt.rule)
		}
	}
}

func TestChangeMark(t *testing.T) {
	c := tcp("192.0.2.1", "192.0.2.2", 1024, 80)
	const all = 0xffffffff
	for _, tt := range []struct {
		name                    string
		policy, old, value, msk uint32
		allowed                 bool
	}{
		{"all bits", all, 0xa5a5a5a5, 0x12345678, all, true},
		{"to zero", all, 7, 0, all, true},
		{"inside", 0xff, 0, 0x10, 0xf0, true},
		{"inside, to zero", 0xff, 0xffff, 0, 0xff, true},
		{"nothing changes", 0xff, all, 0, 0, true},
		{"flip inside the policy", 0xff, 0, 0x0f, 0xf0, true},
		{"mask outside", 0xff, 0, 0x10, 0x1f0, false},
		{"mask outside, that would change nothing", 0xff, 0, 0x10, 0xfff0, false},
		{"plain value within", 0xff, 0, 0x10, all, true},
		{"plain value within, beside bits that stay", 0xff, 0xab00, 0xab10, all, true},
		{"plain value outside", 0xff, 0, 0x110, all, false},
		{"plain value that clears bits outside", 0xff, 0x100, 0x10, all, false},
		{"plain zero that clears bits outside", 0xff, 0x1ff, 0, all, false},
		{"value outside flips bits that no mask names", 0xff, 0, 0x100, 0xff, false},
		{"value outside and no mask", 0xff, 0, 0x80000000, 0, false},
		{"nothing permitted", 0, 0, 1, 1, false},
		{"nothing permitted, clear", 0, 0, 0, 1, false},
		{"nothing permitted, plain", 0, 0, 1, all, false},
		{"nothing permitted, plain, as it is", 0, 9, 9, all, true},
	} {
		r := allowAll(t, fmt.Sprintf("change.mark_mask = %d", tt.policy))
		d := r.ChangeMark(c, tt.old, tt.value, tt.msk)
		if d.Allowed != tt.allowed || !d.Allowed && (d.Rule != "change.mark_mask" || d.Outcome != OutcomeForbidden) {
			t.Errorf("%s: %+v", tt.name, d)
		}
		// The promise itself, with the kernel's formula, for what is sent and whatever
		// the mark is by then; and that what is asked for is what comes of it.
		value, mask := tt.value&r.MarkMask(), tt.msk&r.MarkMask()
		for _, old := range []uint32{tt.old, 0, all, 0xa5a5a5a5} {
			if changed := old ^ (old&^mask ^ value); d.Allowed && changed&^tt.policy != 0 {
				t.Errorf("%s: %#x would change bits %#x", tt.name, old, changed)
			}
		}
		if got, want := tt.old&^mask^value, tt.old&^tt.msk^tt.value; d.Allowed && got != want {
			t.Errorf("%s: the mark becomes %#x, want %#x", tt.name, got, want)
		}
	}
	if m := None().MarkMask(); m != 0 {
		t.Errorf("without a policy the mask is %#x", m)
	}
}

func TestChangeTimeout(t *testing.T) {
	c := tcp("192.0.2.1", "192.0.2.2", 1024, 80)
	r := allowAll(t, "change.timeout_min = 30\nchange.timeout_max = 60")
	for seconds, rule := range map[uint32]string{
		0: "change.timeout_min", 1: "change.timeout_min", 29: "change.timeout_min", 30: "", 60: "",
		61: "change.timeout_max", 2147483: "change.timeout_max", 1<<32 - 1: "change.timeout_max",
	} {
		if d := r.ChangeTimeout(c, seconds); d.Rule != rule || d.Allowed != (rule == "") {
			t.Errorf("%d s: %+v, want rule %q", seconds, d, rule)
		}
	}
}

func TestProtectOddCases(t *testing.T) {
	rule := func(lists string) *Rules { return allowAll(t, "[[protect]]\nname = \"r\"\n"+lists) }
	noPorts := tcp("192.0.2.1", "192.0.2.2", 22, 22)
	noPorts.Orig.HasPorts, noPorts.Reply.HasPorts = false, false
	half := noPorts
	half.Reply.HasPorts = true
	gre := tcp("192.0.2.1", "192.0.2.2", 0, 22)
	gre.Protocol = 47
	sctp := tcp("192.0.2.1", "192.0.2.2", 1, 22)
	sctp.Protocol = 132
	unread := noPorts
	unread.Reply.Dst = netip.Addr{}
	dnat := tcp("198.51.100.9", "203.0.113.1", 40000, 2222)
	dnat.Reply = Endpoints{Src: netip.MustParseAddr("10.0.0.5"), Dst: dnat.Orig.Src, HasPorts: true, SrcPort: 22, DstPort: 40000}
	v4, v6 := tcp("198.51.100.1", "198.51.100.2", 1, 2), tcp("2001:db8::1", "2001:db8::2", 1, 2)
	mapped := tcp("::ffff:198.51.100.1", "::ffff:198.51.100.2", 1, 2)
	for _, tt := range []struct {
		name  string
		rules *Rules
		c     Connection
		want  bool
	}{
		{"port 0 is not the absence of ports", rule("ports = [0]"), noPorts, false},
		{"every port, but no ports", rule(`ports = ["0-65535"]`), noPorts, false},
		{"left-over numbers without ports", rule("ports = [22]"), noPorts, false},
		{"ports in one direction only", rule("ports = [22]"), half, true},
		{"port 0 of a protocol with ports", rule("ports = [0]"), gre, true},
		{"GRE key", rule("ports = [22]\nprotocols = [\"gre\"]"), gre, true},
		{"other protocol, same port", rule("ports = [22]\nprotocols = [\"tcp\", \"udp\"]"), sctp, false},
		{"protocol by number", rule("protocols = [132]"), sctp, true},
		{"protocol by name", rule("protocols = [\"SCTP\"]"), sctp, true},
		{"address that could not be read", rule(`addresses = ["10.0.0.1"]`), unread, true},
		{"address that could not be read, other protocol", rule("addresses = [\"10.0.0.1\"]\nprotocols = [\"udp\"]"), unread, false},
		{"behind DNAT: address and port of the server", rule("addresses = [\"10.0.0.5\"]\nports = [22]"), dnat, true},
		{"behind DNAT: outer address and inner port", rule("addresses = [\"203.0.113.1\"]\nports = [22]"), dnat, true},
		{"behind DNAT: other server", rule("addresses = [\"10.0.0.6\"]\nports = [22]"), dnat, false},
		{"::/0 lists IPv6", rule(`addresses = ["::/0"]`), v6, true},
		{"::/0 lists mapped", rule(`addresses = ["::/0"]`), mapped, true},
		{"::/0 lists IPv4", rule(`addresses = ["::/0"]`), v4, true},
		{"::/80 lists IPv4", rule(`addresses = ["::/80"]`), v4, true},
		{"prefix around the mapped block", rule(`addresses = ["::ffff:0:0/90"]`), v4, true},
		{"::/96 is not the mapped block", rule(`addresses = ["::/96"]`), v4, false},
		{"2000::/3 is IPv6 only", rule(`addresses = ["2000::/3"]`), v4, false},
		{"2000::/3 is not mapped", rule(`addresses = ["2000::/3"]`), mapped, false},
		{"0.0.0.0/0 is not IPv6", rule(`addresses = ["0.0.0.0/0"]`), v6, false},
		{"overlapping networks", rule(`addresses = ["198.51.100.0/24", "198.51.100.0/30", "198.0.0.0/8"]`), v4, true},
		{"between networks", rule(`addresses = ["198.51.99.0/24", "198.51.101.0/24"]`), v4, false},
		{"second of several rules", allowAll(t, "[[protect]]\nname = \"q\"\nports = [9]\n[[protect]]\nname = \"r\"\nports = [2]"), v4, true},
		{"the nothing connection", rule("ports = [22]"), Connection{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			expectAll(t, tt.name, tt.rules, tt.c, tt.want, "r", OutcomeProtected)
		})
	}
}

// TestManyRules compares the search in sorted lists with a plain one.
func TestManyRules(t *testing.T) {
	var list []string
	var prefixes []netip.Prefix
	for i := range 500 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i * 7), byte(i * 13), byte(i)}), 14+i*11%19)
		list, prefixes = append(list, fmt.Sprintf("%q", p)), append(prefixes, p)
	}
	r := allowAll(t, "[[protect]]\nname = \"r\"\naddresses = ["+strings.Join(list, ",")+"]")
	hits := 0
	for i := range 5000 {
		a := netip.AddrFrom4([4]byte{10, byte(i * 31), byte(i * 17), byte(i * 3)})
		want := false
		for _, p := range prefixes {
			want = want || p.Contains(a)
		}
		if want {
			hits++
		}
		c := tcp("192.0.2.1", a.String(), 1, 2)
		if d := r.Kill(c); d.Allowed == want {
			t.Fatalf("%v: %+v, want protected %t", a, d, want)
		}
	}
	if hits < 100 || hits > 4900 {
		t.Fatalf("%d of 5000 hit: the comparison says nothing", hits)
	}
}

func TestRulesAreSafeForConcurrentUse(t *testing.T) {
	r := mustParse(t, sample)
	want := r.String()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, c := range someConnections() {
				r.Kill(c)
				r.ChangeMark(c, 0, 1, 1)
				r.ChangeTimeout(c, 60)
			}
			if r.String() != want {
				t.Error("the rules changed while used")
			}
		})
	}
	wg.Wait()
}
