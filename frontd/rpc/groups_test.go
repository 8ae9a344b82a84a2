// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"reflect"
	"testing"

	"nuconntrack/frontd/helpertest"
)

// talkers are two hosts, one with three connections.
func (d *daemon) talkers() {
	for i, c := range []helpertest.Connection{
		helpertest.Port(6, 1, "192.0.2.1:1000", "198.51.100.7:443"),
		helpertest.Port(6, 2, "192.0.2.1:1001", "198.51.100.7:443"),
		helpertest.Port(17, 3, "192.0.2.1:1002", "198.51.100.7:53"),
		helpertest.Port(6, 4, "[2001:db8::1]:1000", "[2001:db8::7]:443"),
	} {
		c.OrigBytes, c.ReplyBytes = uint64(i+1)<<40, 7
		d.helper.Add(c)
	}
	d.helper.Add(helpertest.Connection{Target: helpertest.Port(6, 5, "192.0.2.9:1", "198.51.100.7:1").Target})
}

func TestGroups(t *testing.T) {
	d := start(t)
	d.talkers()
	s := d.login()
	g := d.call("groups", s, str("orig_src"), emptyArray, str("bytes")).value.(map[string]any)
	values := func(g map[string]any) (all []any) {
		for _, x := range g["groups"].([]any) {
			all = append(all, x.(map[string]any)["value"])
		}
		return all
	}
	if got := values(g); !reflect.DeepEqual(got, []any{"192.0.2.1", "2001:db8::1", "192.0.2.9"}) {
		t.Errorf("talkers by bytes: %v", got)
	}
	first := g["groups"].([]any)[0].(map[string]any)
	if first["connections"] != "int:3" || first["orig_counter_bytes"] != "6597069766656" || first["repl_counter_bytes"] != "21" {
		t.Errorf("the first talker: %v", first)
	}
	all := g["all"].(map[string]any)
	if _, named := all["value"]; named || all["connections"] != "int:5" || all["orig_counter_bytes"] != "10995116277760" {
		t.Errorf("all: %v", all)
	}
	for member, want := range map[string]any{"connections": "int:5", "total": "int:3", "count": "int:5", "without": "int:0", "start": "int:0", "length": "int:3"} {
		if g[member] != want {
			t.Errorf("%s is %v, want %v", member, g[member], want)
		}
	}

	// The snapshot of an answer serves the next page, and views.
	snapshot := g["snapshot"].(string)
	d.helper.Add(helpertest.Port(6, 6, "192.0.2.10:1", "198.51.100.7:1"))
	options := members("snapshot", str(snapshot))
	next := d.call("groups", s, str("orig_src"), emptyArray, str("value"), str("ASC"), num(1), num(1), options).value.(map[string]any)
	if got := values(next); !reflect.DeepEqual(got, []any{"192.0.2.9"}) || next["total"] != "int:3" || next["snapshot"] != snapshot {
		t.Errorf("the second by value: %v", next)
	}
	v := d.call("view", s, emptyArray, str("id"), str("A"), num(0), num(9), options).value.(map[string]any)
	if v["total"] != "int:5" || v["taken"] != next["taken"] {
		t.Errorf("view of the same table: %v", v)
	}

	ports := d.call("groups", s, str("orig_port_dst"), members("expr", str("udp or dport 443")), str("connections"), str("a"), num(0), num(0)).value.(map[string]any)
	if ports["total"] != "int:2" || ports["connections"] != "int:4" || ports["length"] != "int:0" || len(values(ports)) != 0 {
		t.Errorf("totals alone: %v", ports)
	}
	icmp := d.call("groups", s, str("icmp_type")).value.(map[string]any)
	if icmp["total"] != "int:0" || icmp["without"] != "int:5" || icmp["connections"] != "int:5" {
		t.Errorf("by a field that nobody has: %v", icmp)
	}
}

func TestGroupsBadParameters(t *testing.T) {
	d := start(t)
	d.talkers()
	s := d.login()
	by := str("orig_src")
	tests := map[string]struct {
		params []string
		code   int
		says   string
	}{
		"no field":         {nil, -32602, "parameters"},
		"field no string":  {[]string{num(1)}, -32602, "by"},
		"unknown field":    {[]string{str("colour")}, -32602, "colour"},
		"empty field":      {[]string{str("")}, -32602, "by"},
		"field of filters": {[]string{str("port")}, -32602, "orig_port_dst"},
		"counter":          {[]string{str("orig_counter_bytes")}, -32602, "cannot be grouped"},
		"unknown filter":   {[]string{by, members("colour", num(1))}, -32602, "colour"},
		"filters no sort":  {[]string{by, num(1)}, -32602, "filters"},
		"unknown order":    {[]string{by, emptyArray, str("orig_src")}, -32602, "order_by"},
		"direction":        {[]string{by, emptyArray, str("value"), str("UP")}, -32602, "UP"},
		"empty order":      {[]string{by, emptyArray, str("")}, -32602, "order_by"},
		"empty direction":  {[]string{by, emptyArray, str("value"), str("")}, -32602, "order_dir"},
		"start negative":   {[]string{by, emptyArray, str("value"), str("A"), num(-1)}, -32602, "negative"},
		"length negative":  {[]string{by, emptyArray, str("value"), str("A"), num(0), num(-1)}, -32602, "negative"},
		"unknown option":   {[]string{by, emptyArray, str("value"), str("A"), num(0), num(1), members("fields", list())}, -32602, "fields"},
		"no snapshot":      {[]string{by, emptyArray, str("value"), str("A"), num(0), num(1), members("snapshot", str(""))}, -32602, "snapshot"},
		"gone snapshot":    {[]string{by, emptyArray, str("value"), str("A"), num(0), num(1), members("snapshot", str("gone-1"))}, 12, "gone-1"},
		"too many":         {[]string{by, emptyArray, str("value"), str("A"), num(0), num(1), emptyArray, num(1)}, -32602, "parameters"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d.t = t
			d.call("groups", append([]string{s}, test.params...)...).want(t, test.code, test.says)
		})
	}
	d.t = t
	d.helper.SetAway(true)
	d.call("refresh", s).want(t, 0)
	d.call("groups", s, by).want(t, 9)
}
