// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

func rowsNamed(name string) ([]map[string]any, error) {
	switch name {
	case "few":
		return fewRows(), nil
	case "none":
		return nil, nil
	case "kinds":
		return kindRows(), nil
	case "hostile":
		return hostileRows(), nil
	}
	n, err := strconv.Atoi(name)
	rows := make([]map[string]any, n)
	for i := range rows {
		rows[i] = map[string]any{"id": strconv.Itoa(i + 1), "key": fmt.Sprintf("k%d", i+1), "proto": "tcp", "state": "ESTABLISHED",
			"orig_src": fmt.Sprintf("10.0.%d.%d", i/250, i%250), "orig_dst": "192.0.2.1"}
	}
	return rows, err
}

// fewRows is a row of each kind.
func fewRows() []map[string]any {
	return []map[string]any{
		{ // counted TCP behind NAT of both ends
			"id": "4294967295", "key": "kAAA", "proto": "tcp", "state": "ESTABLISHED", "assured": true, "seen_reply": true,
			"orig_src": "10.0.0.5", "orig_port_src": 40000, "orig_dst": "203.0.113.1", "orig_port_dst": 443,
			"repl_src": "10.9.9.9", "repl_port_src": 8443, "repl_dst": "198.51.100.7", "repl_port_dst": 61000,
			"orig_counter_bytes": "1234567", "repl_counter_bytes": "18446744073709551615", "byte_rate": "0",
			"timeout": "431999", "mark": "16", "fixed_timeout": false,
		},
		{ // UDP over IPv6 without accounting
			"id": "2", "key": "kBBB", "proto": "udp", "assured": false, "seen_reply": false,
			"orig_src": "2001:db8::1", "orig_port_src": 5353, "orig_dst": "2001:db8::53", "orig_port_dst": 53,
			"repl_src": "2001:db8::53", "repl_port_src": 53, "repl_dst": "2001:db8::1", "repl_port_dst": 5353,
			"timeout": "29", "mark": "0", "fixed_timeout": true,
		},
		{ // ICMP in a zone of one direction
			"id": "3", "key": "kCCC", "proto": "icmp", "icmp_type": 8, "icmp_code": 0, "icmp_id": 77, "seen_reply": true,
			"orig_src": "10.0.0.5", "orig_dst": "192.0.2.9", "repl_src": "192.0.2.9", "repl_dst": "10.0.0.5",
			"orig_zone": 7, "timeout": "3",
		},
		{"id": "4", "key": "kDDD", "proto": "253", "orig_src": "10.0.0.5", "orig_dst": "192.0.2.9"}, // of a kind nobody knows
	}
}

// kindRows are what conntrack's formats can and cannot hold.
func kindRows() []map[string]any {
	row := func(protocol int, more map[string]any) map[string]any {
		r := map[string]any{"id": "1", "orig_l3proto": 2, "orig_l4proto": protocol, "status": 10, "timeout": "100", "mark": "0", "use": 1,
			"orig_src": "10.0.0.1", "orig_dst": "10.0.0.2", "repl_src": "10.0.0.2", "repl_dst": "10.0.0.1"}
		if protocol == 6 || protocol == 17 || protocol == 47 || protocol == 132 || protocol == 136 {
			maps.Copy(r, map[string]any{"orig_port_src": 1, "orig_port_dst": 2, "repl_port_src": 2, "repl_port_dst": 1})
		}
		if protocol == 6 {
			r["state"] = "ESTABLISHED"
		}
		maps.Copy(r, more)
		maps.DeleteFunc(r, func(_ string, v any) bool { return v == nil })
		return r
	}
	return []map[string]any{
		row(6, map[string]any{"status": 14, "mark": "4294967295", "zone": 5, "helper": "ftp", "age": 7, "secctx": "u:r:t\u202e",
			"orig_counter_packets": "1", "orig_counter_bytes": "60", "repl_counter_packets": "2", "repl_counter_bytes": "18446744073709551615"}),
		row(17, map[string]any{"status": 1<<14 | 14, "orig_zone": 7}),
		row(17, map[string]any{"status": 1<<15 | 1<<14 | 14, "repl_zone": 8}),
		row(1, map[string]any{"status": 8, "icmp_type": 8, "icmp_code": 0, "icmp_id": 77}),
		row(58, map[string]any{"orig_l3proto": 10, "orig_src": "2001:db8::1", "orig_dst": "2001:db8::2", "repl_src": "2001:db8::2",
			"repl_dst": "2001:db8::1", "icmp_type": 128, "icmp_code": 0, "icmp_id": 78}),
		row(47, nil), row(136, nil), row(253, nil),
		row(33, nil), row(132, map[string]any{"state": "ESTABLISHED"}),
		row(1, map[string]any{"icmp_type": 3, "icmp_code": 0, "icmp_id": 0}),
		row(17, map[string]any{"orig_src": "10.0.0.1 -j ACCEPT\n-D"}), row(17, map[string]any{"repl_dst": nil}),
		row(17, map[string]any{"orig_l3proto": 10}),
		row(6, map[string]any{"state": "ESTABLISHED --help"}),
		row(17, map[string]any{"orig_zone": 1, "repl_zone": 2}),
		row(17, map[string]any{"repl_port_dst": 65536}),
		row(17, map[string]any{"timeout": nil}), row(256, nil),
	}
}

// hostileRows hold what must not reach a terminal.
func hostileRows() []map[string]any {
	return []map[string]any{{
		"id": "1", "key": "k\u009b2J", "proto": "tcp\u202e", "state": "\u001aESTABLISHED\u009b31m",
		"orig_src": "10.0.0.1\r\n10.0.0.2", "orig_dst": "192.0.2.1\u05d0", "labels": "a\u2066b\u007f", "username": "e\u0301ve",
	}}
}

// whole is a row as it comes without options.fields: addresses by family.
func whole(row map[string]any) map[string]any {
	w := maps.Clone(row)
	for _, end := range []string{"orig_src", "orig_dst", "repl_src", "repl_dst"} {
		addr, ok := row[end].(string)
		if !ok {
			continue
		}
		delete(w, end)
		direction, side, _ := strings.Cut(end, "_")
		family := "_ipv4_"
		if strings.Contains(addr, ":") {
			family = "_ipv6_"
		}
		w[direction+family+side] = addr
	}
	if number, ok := map[any]int{"icmp": 1, "tcp": 6, "udp": 17, "253": 253}[w["proto"]]; ok {
		w["orig_l4proto"] = number
	}
	delete(w, "proto")
	return w
}
