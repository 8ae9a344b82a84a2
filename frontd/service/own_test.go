// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table"
	"nuconntrack/ipc"
)

// tuples makes a target of its two directions, "src dst".
func tuples(protocol uint8, orig, reply [2]string) ipc.Target {
	tuple := func(ends [2]string) ipc.Tuple {
		src, dst := netip.MustParseAddrPort(ends[0]), netip.MustParseAddrPort(ends[1])
		return ipc.Tuple{Src: src.Addr(), Dst: dst.Addr(), Kind: ipc.Ports, SrcPort: src.Port(), DstPort: dst.Port()}
	}
	return ipc.Target{Family: ipc.FamilyIPv4, Protocol: protocol, Orig: tuple(orig), Reply: tuple(reply)}
}

func TestCarries(t *testing.T) {
	const client, server, public, other = "192.0.2.1:5000", "10.0.0.1:8580", "198.51.100.1:80", "192.0.2.1:5001"
	own := Carrier{Remote: netip.MustParseAddrPort(client), Local: netip.MustParseAddrPort(server)}
	mapped := Carrier{Remote: netip.MustParseAddrPort("[::ffff:192.0.2.1]:5000"), Local: netip.MustParseAddrPort("[::ffff:10.0.0.1]:8580")}
	link := Carrier{Remote: netip.MustParseAddrPort("[fe80::1%eth0]:5000"), Local: netip.MustParseAddrPort("[fe80::2%eth0]:8580")}
	there, back := [2]string{client, server}, [2]string{server, client}
	tests := map[string]struct {
		carrier  Carrier
		protocol uint8
		orig     [2]string
		reply    [2]string
		want     bool
	}{
		"itself":                              {own, 6, there, back, true},
		"picked up in the middle":             {own, 6, back, there, true},
		"the service's address translated":    {own, 6, [2]string{client, public}, back, true},
		"the client's address translated":     {own, 6, [2]string{"172.16.0.9:1", server}, back, true},
		"translated behind the first look":    {own, 6, there, [2]string{server, "172.16.0.9:1"}, true},
		"IPv4 mapped to IPv6":                 {mapped, 6, there, back, true},
		"a link-local address":                {link, 6, [2]string{"[fe80::1]:5000", "[fe80::2]:8580"}, [2]string{"[fe80::2]:8580", "[fe80::1]:5000"}, true},
		"another port of the client":          {own, 6, [2]string{other, server}, [2]string{server, other}, false},
		"another port of the service":         {own, 6, [2]string{client, "10.0.0.1:8581"}, [2]string{"10.0.0.1:8581", client}, false},
		"another address of the client":       {own, 6, [2]string{"192.0.2.2:5000", server}, [2]string{server, "192.0.2.2:5000"}, false},
		"one end in each direction":           {own, 6, [2]string{client, public}, [2]string{server, other}, false},
		"another protocol":                    {own, 17, there, back, false},
		"a Unix socket":                       {Carrier{}, 6, there, back, false},
		"a Unix socket, and a target of none": {Carrier{}, 6, [2]string{"0.0.0.0:0", "0.0.0.0:0"}, [2]string{"0.0.0.0:0", "0.0.0.0:0"}, false},
		"local end not known":                 {Carrier{Remote: own.Remote}, 6, there, back, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.carrier.carries(tuples(test.protocol, test.orig, test.reply)); got != test.want {
				t.Errorf("carries = %v", got)
			}
		})
	}
}

// TestOwnConnection: whatever way it is named, the connection of the call is left alone and
// the others are not.
func TestOwnConnection(t *testing.T) {
	mine, id := port(1), uint32(1)
	from := Caller{Carrier: Carrier{Remote: netip.MustParseAddrPort("192.0.2.1:1001"), Local: netip.MustParseAddrPort("198.51.100.7:443")}}
	ways := map[string]func(*Call, string, KillOptions) ([]string, error){
		"by id": func(c *Call, _ string, o KillOptions) ([]string, error) {
			return killed(c.KillReport(t.Context(), []Ref{RefID(2), RefID(id)}, o))
		},
		"by key": func(c *Call, _ string, o KillOptions) ([]string, error) {
			return killed(c.KillReport(t.Context(), []Ref{keyRef(t, port(2).Target), keyRef(t, mine.Target)}, o))
		},
		"twice": func(c *Call, _ string, o KillOptions) ([]string, error) {
			all, err := killed(c.KillReport(t.Context(), []Ref{RefID(2), RefID(id), keyRef(t, mine.Target)}, o))
			if err == nil && all[1] != all[2] {
				t.Errorf("outcomes %v of the same", all)
			}
			return all[:2], err
		},
		"by a filter": func(c *Call, snapshot string, o KillOptions) ([]string, error) {
			all, err := killed(c.KillMatching(t.Context(), map[string]table.Operand{"orig_port_src": "<1003"}, snapshot, o))
			slices.Sort(all)
			slices.Reverse(all)
			return all, err
		},
	}
	for name, kill := range ways {
		for _, force := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				h := &helpertest.Helper{}
				h.Add(mine, port(2))
				c := scopedFrom(t, h, from)
				v, err := c.View(t.Context(), ViewRequest{Length: 9})
				if err != nil {
					t.Fatal(err)
				}
				got, err := kill(c, v.Table.Name(), KillOptions{Force: force})
				want, left := []string{OutcomeKilled, OutcomeForbidden}, 1
				if force {
					want, left = []string{OutcomeKilled, OutcomeKilled}, 0
				}
				if err != nil || !slices.Equal(got, want) || len(h.Table()) != left {
					t.Errorf("force %v: %v, %v, %d left", force, got, err, len(h.Table()))
				}
			})
		}
	}
	t.Run("by kill", func(t *testing.T) {
		h := &helpertest.Helper{}
		h.Add(mine, port(2))
		c := scopedFrom(t, h, from)
		err := c.Kill(t.Context(), []Ref{RefID(id), RefID(2)}, KillOptions{})
		if code(err) != CodePermission || !strings.Contains(err.Error(), "force") || len(h.Table()) != 1 {
			t.Errorf("%v, %d left", err, len(h.Table()))
		}
		if err := c.Kill(t.Context(), []Ref{RefID(id)}, KillOptions{Force: true}); err != nil || len(h.Table()) != 0 {
			t.Errorf("forced: %v, %d left", err, len(h.Table()))
		}
	})
}

// TestOwnConnectionOutOfScope: the guard tells nobody of a connection that he may not see.
func TestOwnConnectionOutOfScope(t *testing.T) {
	h := &helpertest.Helper{}
	h.Add(port(1))
	c := scoped(t, h, "networks = ['203.0.113.0/24']")
	c.Carrier = Carrier{Remote: netip.MustParseAddrPort("192.0.2.1:1001"), Local: netip.MustParseAddrPort("198.51.100.7:443")}
	if got, err := killed(c.KillReport(t.Context(), []Ref{keyRef(t, port(1).Target)}, KillOptions{})); err != nil || got[0] != OutcomeUnknown {
		t.Errorf("%v, %v", got, err)
	}
}

func killed(all []Report, err error) ([]string, error) {
	outcomes := make([]string, len(all))
	for i, r := range all {
		outcomes[i] = r.Outcome
	}
	return outcomes, err
}

func scopedFrom(t *testing.T, h *helpertest.Helper, from Caller) *Call {
	t.Helper()
	s := service(h, auth.None{})
	id, err := s.Login(t.Context(), auth.Request{Args: []any{"op"}}, from)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Begin(id, from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.End)
	return c
}
