// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// strictPolicy uses every key.
const strictPolicy = `zones = [0, 5]

[kill]
allow = true
rate = 1000
burst = 20000

[change]
allow = true
mark_mask = "0x0000ffff"
timeout_min = 30
timeout_max = 3600

[dump]
duty = 0.9

[[protect]]
name = "management"
addresses = ["192.0.2.0/28", "2001:db8:1::/64"]
ports = [22]
protocols = ["tcp"]

[[protect]]
name = "routing"
protocols = ["ospf"]

[[protect]]
name = "neighbours"
addresses = ["203.0.113.7"]
`

// protectedConnections are connections that strictPolicy refuses to touch, by the rule
// that has to be named.
func protectedConnections() map[string]nstest.Connection {
	tcp := func(src, dst string) nstest.Connection {
		return nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, src, dst)}
	}
	inZones := func(orig, reply uint16) nstest.Connection {
		c := tcp("198.51.100.1:1", "198.51.100.2:80")
		c.Target.Orig.Zone, c.Target.Reply.Zone = orig, reply
		return c
	}
	// Both look harmless from one side: 198.51.100.3:8022 → 198.51.100.4, answered by
	// 192.0.2.1:22; and 10.0.0.1 → 198.51.100.5, answered to 203.0.113.7.
	dnat := tcp("198.51.100.3:1000", "198.51.100.4:8022")
	dnat.Target.Reply = ipc.Tuple{Kind: ipc.Ports, Src: netip.MustParseAddr("192.0.2.1"), SrcPort: 22,
		Dst: dnat.Target.Orig.Src, DstPort: dnat.Target.Orig.SrcPort}
	snat := tcp("10.0.0.1:1000", "198.51.100.5:443")
	snat.Target.Reply.Dst = netip.MustParseAddr("203.0.113.7")
	return map[string]nstest.Connection{
		"management, to the port":          tcp("198.51.100.9:1000", "192.0.2.1:22"),
		"management, from the port":        tcp("192.0.2.15:22", "198.51.100.9:1000"),
		"management, over IPv6":            tcp("[2001:db8:2::1]:1000", "[2001:db8:1::1]:22"),
		"management, behind NAT":           dnat,
		"routing, a protocol":              {Target: nstest.Target(89, "198.51.100.9:0", "198.51.100.8:0")},
		"neighbours, an address":           tcp("203.0.113.7:1000", "198.51.100.9:80"),
		"neighbours, through NAT":          snat,
		"zones, of both directions":        inZones(6, 6),
		"zones, of the original direction": inZones(7, 0),
		"zones, of the reply direction":    inZones(0, 8),
	}
}

func TestPolicyProtects(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		s := newWorld(t, strictPolicy).login(t)
		keys := make(map[string]string)
		for name, c := range protectedConnections() {
			known := kernelTable(t)
			nstest.Create(t, c)
			for _, r := range s.rows(t, nil) {
				if _, old := known[r.number(t, "id")]; !old {
					keys[name] = r.key(t)
				}
			}
		}
		before := kernelTable(t)
		for name, key := range keys {
			t.Run(name, func(t *testing.T) {
				rule, _, _ := strings.Cut(name, ",")
				s.want(t, 6, rule, "kill", list(key))
				s.want(t, 6, rule, "change", "mark", key, 1)
				s.want(t, 6, rule, "change", "timeout", key, 100)
			})
		}
		wantTable(t, before)
		// The nearest to each that the rules do not name.
		harmless := []nstest.Connection{
			{Target: nstest.Target(unix.IPPROTO_TCP, "198.51.100.9:1001", "192.0.2.1:23")},
			{Target: nstest.Target(unix.IPPROTO_TCP, "198.51.100.9:1001", "192.0.2.16:22")},
			{Target: nstest.Target(unix.IPPROTO_UDP, "198.51.100.9:1001", "192.0.2.1:22")},
			{Target: nstest.Target(unix.IPPROTO_TCP, "[2001:db8:2::1]:1001", "[2001:db8:3::1]:22")},
		}
		zoned := nstest.Target(unix.IPPROTO_TCP, "198.51.100.9:1002", "198.51.100.8:80")
		zoned.Orig.Zone = 5
		nstest.Create(t, append(harmless, nstest.Connection{Target: zoned})...)
		var all []any
		for _, r := range s.rows(t, nil) {
			if _, old := before[r.number(t, "id")]; !old {
				all = append(all, r.key(t))
			}
		}
		if len(all) != 5 {
			t.Errorf("%d connections are new", len(all))
		}
		s.ok(t, "kill", all)
		wantTable(t, before)
	})
}

// TestPolicyProtectsThroughRealNAT: the client asked for port 8022, and the kernel sent
// it to the protected port 22.
func TestPolicyProtectsThroughRealNAT(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Redirect(t, unix.IPPROTO_TCP, 8022, 22)
		serveTCP(t, "127.0.0.1:22")
		s := newWorld(t, everything+"\n[[protect]]\nname = \"ssh\"\nports = [22]\n").login(t)
		askTCP(t, "127.0.0.1:8022")
		r := s.one(t, filters{"orig_port_dst": 8022})
		r.has(t, row{"dnat": true, "repl_port_src": 22})
		before := kernelTable(t)
		s.want(t, 6, "ssh", "kill", list(r.key(t)))
		s.want(t, 6, "ssh", "kill", list(r["id"]))
		s.want(t, 6, "ssh", "change", "timeout", r.key(t), 100)
		wantTable(t, before)
	})
}

func TestPolicyBoundsChanges(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{
			Target: nstest.Target(unix.IPPROTO_TCP, "198.51.100.1:1", "198.51.100.2:80"), Mark: 0xabcd1234})
		s := newWorld(t, strictPolicy).login(t)
		r := s.one(t, nil)
		before := kernelTable(t)
		for name, test := range map[string]struct {
			field, rule string
			value       any
		}{
			"mark without a mask":   {"mark", "mark_mask", 1},
			"mark of bits outside":  {"mark", "mark_mask", "0x10000/0x10000"},
			"mask of bits outside":  {"mark", "mark_mask", "0/0x8000ffff"},
			"mark 0 without a mask": {"mark", "mark_mask", 0},
			"timeout too short":     {"timeout", "timeout_min", 29},
			"timeout of a second":   {"timeout", "timeout_min", 1},
			"timeout too long":      {"timeout", "timeout_max", 3601},
			"timeout far too long":  {"timeout", "timeout_max", 2147483},
		} {
			t.Run(name, func(t *testing.T) {
				s.want(t, 6, test.rule, "change", test.field, r.key(t), test.value)
				wantTable(t, before)
			})
		}
		s.ok(t, "change", "mark", r.key(t), "0x5/0xffff")
		s.ok(t, "change", "timeout", r.key(t), 3600)
		r = s.one(t, nil)
		r.has(t, row{"mark": "2882338821", "fixed_timeout": true}) // 0xabcd0005
		s.want(t, 11, "fixed", "change", "timeout", r.key(t), 100)
	})
}

func TestPolicyForbidsAll(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "198.51.100.1:1", "198.51.100.2:80")})
		w := newWorld(t, "")
		s := w.login(t)
		r := s.one(t, nil)
		before := kernelTable(t)
		refused := func(kill, change string) {
			t.Helper()
			s.want(t, 6, kill, "kill", list(r.key(t)))
			s.want(t, 6, kill, "kill", list(r["id"]))
			s.want(t, 6, change, "change", "mark", r.key(t), 1)
			s.want(t, 6, change, "change", "timeout", r.key(t), 100)
			wantTable(t, before)
		}
		refused("no-policy", "no-policy")
		w.Write(t, "policy.toml", "[kill]\nallow = false\n[change]\nallow = false\n")
		w.reloadPolicy(t, 1)
		refused("kill.allow", "change.allow")
		// A file that is wrong leaves the rules as they are.
		w.Write(t, "policy.toml", "[kill]\nallow = yes\n")
		w.reloadPolicy(t, 2)
		refused("kill.allow", "change.allow")
		w.Write(t, "policy.toml", "[kill]\nallow = true\nrate = 0.001\nburst = 2\n")
		w.reloadPolicy(t, 3)
		for range 2 {
			s.want(t, 6, "change.allow", "change", "mark", r.key(t), 1)
		}
		s.want(t, 10, "seconds", "kill", list(r.key(t)))
		wantTable(t, before)
		// At a rate by which the bucket is never empty: it fills from now on.
		w.Write(t, "policy.toml", strings.Replace(everything, "[kill]", "[kill]\nrate = 1000000", 1))
		w.reloadPolicy(t, 4)
		s.ok(t, "kill", list(r.key(t)))
		wantTable(t, before, r.number(t, "id"))
	})
}

// reloadPolicy makes privd read its policy for the nth time after the first.
func (w *world) reloadPolicy(t *testing.T, n int) {
	t.Helper()
	w.Privd.Signal(t, syscall.SIGHUP)
	daemontest.WaitFor(t, "the policy is read again", func() bool { return w.Privd.Says("policy reloaded")+w.Privd.Says("policy not reloaded") == n })
}
