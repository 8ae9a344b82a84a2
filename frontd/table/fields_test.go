// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestFields(t *testing.T) {
	names := map[string]bool{}
	for _, f := range Fields() {
		if names[f.Name] || f.Help == "" || !strings.HasSuffix(f.Help, ".") || !f.Filter {
			t.Errorf("field %q is there twice, without help or without filter", f.Name)
		}
		names[f.Name] = true
		if f.Type != TypeInt && f.Type != TypeString && f.Type != TypeBool {
			t.Errorf("field %s has type %q", f.Name, f.Type)
		}
		if f.Listed && !f.Sort {
			t.Errorf("field %s is listed and cannot be sorted by", f.Name)
		}
		if got, ok := FieldNamed(f.Name); !ok || got.Name != f.Name {
			t.Errorf("field %s is not found", f.Name)
		}
	}
	for _, name := range []string{"", "ID", "user", "nonsense"} {
		if _, ok := FieldNamed(name); ok {
			t.Errorf("field %q is there", name)
		}
	}
	Fields()[0].Name = "changed"
	if Fields()[0].Name != "id" {
		t.Error("a caller can change the list of fields")
	}
}

// TestValues compares whole rows with what a caller must see, and must not.
func TestValues(t *testing.T) {
	s := fewRows(t)
	for row, want := range []string{
		"id=4000000001 orig_l3proto=2 orig_l4proto=6 orig_ipv4_src=10.0.0.1 orig_ipv4_dst=192.0.2.1 " +
			"repl_ipv4_src=192.0.2.1 repl_ipv4_dst=10.0.0.1 orig_port_src=40000 orig_port_dst=22 repl_port_src=22 " +
			"repl_port_dst=40000 tcp_state=3 state=ESTABLISHED status=14 assured=true seen_reply=true snat=false " +
			"dnat=false fixed_timeout=false offload=false timeout=431999 mark=18 use=1 orig_counter_packets=10 " +
			"orig_counter_bytes=1000 repl_counter_packets=8 repl_counter_bytes=5000000000 orig_byte_rate=100 " +
			"repl_byte_rate=2000 byte_rate=2100 start=2026-01-02T03:04:00.123Z age=5",
		"id=2 orig_l3proto=2 orig_l4proto=17 orig_ipv4_src=10.0.0.2 orig_ipv4_dst=10.9.9.9 repl_ipv4_src=10.9.9.9 " +
			"repl_ipv4_dst=10.0.0.2 orig_port_src=5353 orig_port_dst=53 repl_port_src=53 repl_port_dst=5353 status=0 " +
			"assured=false seen_reply=false snat=false dnat=false fixed_timeout=false offload=false zone=7 helper=sip",
		"id=3 orig_l3proto=2 orig_l4proto=1 orig_ipv4_src=10.1.0.1 orig_ipv4_dst=192.0.2.1 repl_ipv4_src=192.0.2.1 " +
			"repl_ipv4_dst=10.1.0.1 icmp_type=8 icmp_code=0 icmp_id=77 status=0 assured=false seen_reply=false " +
			"snat=false dnat=false fixed_timeout=false offload=false mark=0",
		"id=4 orig_l3proto=10 orig_l4proto=6 orig_ipv6_src=2001:db8::1 orig_ipv6_dst=2001:db8::2 " +
			"repl_ipv6_src=2001:db8::2 repl_ipv6_dst=2001:db8::1 orig_port_src=50000 orig_port_dst=443 " +
			"repl_port_src=443 repl_port_dst=50000 tcp_state=1 state=SYN_SENT status=0 assured=false " +
			"seen_reply=false snat=false dnat=false fixed_timeout=false offload=false",
		"id=5 orig_l3proto=2 orig_l4proto=132 orig_ipv4_src=10.0.0.1 orig_ipv4_dst=10.0.0.3 repl_ipv4_src=10.0.0.3 " +
			"repl_ipv4_dst=10.0.0.1 state=ESTABLISHED assured=false seen_reply=false snat=false dnat=false " +
			"fixed_timeout=false offload=false orig_zone=9",
	} {
		var got []string
		for _, f := range Fields() {
			if v, ok := f.Value(s, int32(row)); ok && f.Listed && f.Name != "key" {
				got = append(got, f.Name+"="+show(v))
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("row %d:\n got %s\nwant %s", row, text, want)
		}
	}
	for name, want := range map[string]string{"orig_src": "2001:db8::1", "repl_dst": "2001:db8::1", "proto": "tcp", "key": s.Key(3)} {
		f, _ := FieldNamed(name)
		if v, ok := f.Value(s, 3); !ok || show(v) != want {
			t.Errorf("%s is %v", name, v)
		}
	}
	for _, name := range []string{"address", "port"} {
		f, _ := FieldNamed(name)
		if v, ok := f.Value(s, 0); ok {
			t.Errorf("%s, which is no single field, is %v", name, v)
		}
	}
}

func show(v Value) string {
	switch v.Kind {
	case KindText:
		return v.Text
	case KindAddr:
		return v.Addr.String()
	case KindBool:
		return fmt.Sprint(v.Num == 1)
	}
	return fmt.Sprint(v.Num)
}

func TestNames(t *testing.T) {
	for n := range 256 {
		if got, ok := protocolNumber(strings.ToUpper(protocolName(uint8(n)))); !ok || got != uint64(n) {
			t.Errorf("protocol %d is named %s, which is %d", n, protocolName(uint8(n)), got)
		}
	}
	if lastAddress(netip.MustParseAddr("10.0.0.0"), 8) != netip.MustParseAddr("10.255.255.255") ||
		lastAddress(netip.MustParseAddr("2001:db8::"), 33) != netip.MustParseAddr("2001:db8:7fff:ffff:ffff:ffff:ffff:ffff") {
		t.Error("the last address of a prefix is another")
	}
	if v, ok := stateRank("listen"); !ok || stateNames()[v] != "SYN_SENT2" {
		t.Error("the obsolete name of a state does not stand for it")
	}
}
