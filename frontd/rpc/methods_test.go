// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

func TestTheMainJob(t *testing.T) {
	d := start(t)
	web, _, dns := d.three()
	s := d.login()

	r := d.call("view", s, members("proto", str("tcp")), str("orig_counter_bytes"), str("d"), num(0), num(1))
	rows := r.table(t)
	v := r.value.(map[string]any)
	if len(rows) != 1 || rows[0]["id"] != "3000000001" || rows[0]["orig_counter_bytes"] != "8589934592" ||
		rows[0]["orig_ipv4_src"] != "192.0.2.1" || rows[0]["orig_port_dst"] != "int:443" || rows[0]["state"] != "ESTABLISHED" ||
		rows[0]["assured"] != "boolean:1" || rows[0]["snat"] != "boolean:0" {
		t.Errorf("row %v", rows)
	}
	if _, there := rows[0]["orig_ipv6_src"]; there {
		t.Error("an IPv4 row has an IPv6 address")
	}
	if v["total"] != "int:2" || v["count"] != "int:3" || v["length"] != "int:1" || v["start"] != "int:0" {
		t.Errorf("totals %v", v)
	}

	key := rows[0]["key"].(string)
	if want := ident.EncodeKey(web.Target); key != want {
		t.Errorf("key %q, want %q", key, want)
	}
	d.call("change", s, str("mark"), str(key), num(0)).want(t, 0)
	d.call("change", s, str("mark"), str(key), str("0x10/0xf0")).want(t, 0)
	d.call("change", s, str("timeout"), str(key), num(60)).want(t, 0)
	d.call("change", s, str("timeout"), str(key), num(60)).want(t, 11)
	d.call("kill", s, list(str("53"))).want(t, 0)
	for _, c := range d.helper.Table() {
		if c.Target == dns.Target || c.Target == web.Target && (c.Mark != 0x10 || c.Timeout != 60) {
			t.Errorf("left in the table: %+v", c)
		}
	}
	asked := d.helper.Asked()
	if len(asked) != 5 || asked[0].Actor.User != "zoe" || asked[0].Actor.RequestID == asked[1].Actor.RequestID ||
		!strings.HasPrefix(asked[0].Actor.Client, "127.0.0.1:") {
		t.Errorf("asked %+v", asked)
	}
	d.call("logout", s).want(t, 0)
	d.call("whoami", s).want(t, 2)
}

func TestRefresh(t *testing.T) {
	d := start(t)
	d.three()
	s := d.login()
	view := func() string { return d.call("view", s).value.(map[string]any)["snapshot"].(string) }
	first := view()
	if again := view(); again != first || d.helper.Dumps() != 1 {
		t.Errorf("a table of less than a second was read again")
	}
	d.call("refresh", s).want(t, 0)
	second := view()
	if second == first {
		t.Error("refresh did nothing")
	}
	if third := view(); third != second {
		t.Error("refresh goes on for ever")
	}
	d.call("set_autorefresh", s, num(0)).want(t, 0)
	other := d.login()
	d.call("refresh", other).want(t, 0)
	d.call("view", other).want(t, 0)
	if kept := view(); kept != second {
		t.Error("without autorefresh the table was replaced")
	}
	d.call("refresh", s).want(t, 0)
	if fresh := view(); fresh == second {
		t.Error("refresh without autorefresh did nothing")
	}
	d.call("view", s, emptyArray, str("id"), str("ASC"), num(0), num(5), members("snapshot", str("gone-1"))).want(t, 12, "gone-1")
	d.call("set_autorefresh", s, "<boolean>1</boolean>").want(t, 0)
}

func TestPagesOfOneSnapshot(t *testing.T) {
	d := start(t)
	for i := range 250 {
		d.helper.Add(helpertest.Port(6, uint32(i)*7919, "192.0.2.1:"+strconv.Itoa(1000+i), "198.51.100.7:443"))
	}
	s := d.login()
	seen := map[any]bool{}
	options := emptyArray
	for start := 0; start < 300; start += 100 {
		r := d.call("view", s, emptyArray, str("orig_src"), str("ASC"), num(start), num(5000), options)
		v := r.value.(map[string]any)
		options = members("snapshot", str(v["snapshot"].(string)), "fields", list(str("key"), str("key"), str("orig_src")))
		for _, row := range r.table(t) {
			if seen[row["key"]] {
				t.Errorf("%v is on two pages", row["key"])
			}
			seen[row["key"]] = true
		}
		if want := "int:" + strconv.Itoa(max(0, min(100, 250-start))); v["length"] != want || v["total"] != "int:250" {
			t.Errorf("page at %d: %v of %v rows", start, v["length"], v["total"])
		}
	}
	if len(seen) != 250 {
		t.Errorf("%d rows on all pages", len(seen))
	}
}

func TestKill(t *testing.T) {
	d := start(t)
	web, ssh, dns := d.three()
	twin := helpertest.Port(6, 77, "192.0.2.3:1", "198.51.100.7:80")
	twin2 := helpertest.Port(6, 77, "192.0.2.3:2", "198.51.100.7:80")
	failing := helpertest.Port(6, 88, "192.0.2.3:3", "198.51.100.7:80")
	failing.OutcomeOfKill, failing.KernelsRefusal = ipc.Failed, 16
	limited := helpertest.Port(6, 89, "192.0.2.3:4", "198.51.100.7:80")
	limited.OutcomeOfKill = ipc.Limited
	d.helper.Add(twin, twin2, failing, limited)
	s := d.login()
	d.call("view", s).want(t, 0)
	key := func(c helpertest.Connection) string { return str(ident.EncodeKey(c.Target)) }
	moved := twin
	moved.Target.Reply.DstPort = 999

	d.call("kill", s, emptyArray).want(t, 0)
	d.call("kill", s, list(num(77))).want(t, 5, "2 connections", "key")
	d.call("kill", s, list(str("4242"))).want(t, 4)
	d.call("kill", s, list(num(22))).want(t, 6, "management")
	d.call("kill", s, list(num(88))).want(t, 8, "EBUSY")
	d.call("kill", s, list(num(89))).want(t, 10, "seconds")
	d.call("kill", s, list(key(moved))).want(t, 7)
	unknown := helpertest.Port(6, 5, "192.0.2.9:9", "198.51.100.7:80")
	d.call("kill", s, list(key(unknown))).want(t, 4)

	mixed := d.call("kill", s, list(str("4242"), key(ssh), key(twin), num(77), "<double>53</double>", str("53")))
	mixed.want(t, 4, "3 of 5", "4242", ident.EncodeKey(ssh.Target), "77")
	left := d.helper.Table()
	for _, c := range []helpertest.Connection{twin, dns} {
		if slices.ContainsFunc(left, func(l helpertest.Connection) bool { return l.Target == c.Target }) {
			t.Errorf("%+v should have been killed", c.Target)
		}
	}
	d.helper.Remove(web.Target)
	d.call("kill", s, list("<i8>3000000001</i8>")).want(t, 0)
	before := len(d.helper.Asked())
	d.call("kill", s, list(key(twin2), key(twin2), key(twin2))).want(t, 0)
	if n := len(d.helper.Asked()) - before; n != 1 {
		t.Errorf("one connection named three times was asked for %d times", n)
	}
}

func TestBadParametersDoNothing(t *testing.T) {
	d := start(t)
	d.three()
	s := d.login()
	d.call("view", s).want(t, 0)
	tests := map[string]struct {
		method string
		params []string
		says   string
	}{
		"negative id":               {"kill", []string{list(num(1), num(-1294967295))}, "decimal string"},
		"negative id string":        {"kill", []string{list(num(53), str("-5"))}, "decimal string"},
		"id too large":              {"kill", []string{list(num(53), "<i8>4294967296</i8>")}, "4294967295"},
		"half an id":                {"kill", []string{list(num(53), "<double>1.5</double>")}, "whole"},
		"id of another kind":        {"kill", []string{list(num(53), "<boolean>1</boolean>")}, "boolean"},
		"id nested":                 {"kill", []string{list(num(53), list(num(1)))}, "array"},
		"key cut":                   {"kill", []string{list(num(53), str("kAAAA"))}, "neither"},
		"no array":                  {"kill", []string{num(53)}, "array"},
		"no parameter":              {"kill", nil, "1 to 2 parameters"},
		"too many parameters":       {"kill", []string{emptyArray, emptyArray, num(1)}, "1 to 2 parameters"},
		"kill's options no struct":  {"kill", []string{list(num(53)), num(1)}, "struct"},
		"kill's unknown option":     {"kill", []string{list(num(53)), members("forse", "<boolean>1</boolean>")}, "forse"},
		"force as a number":         {"kill", []string{list(num(53)), members("force", num(1))}, "boolean"},
		"force as a text":           {"kill_report", []string{list(num(53)), num(0), members("force", str("true"))}, "boolean"},
		"a report's unknown option": {"kill_report", []string{list(num(53)), num(0), members("force", "<boolean>1</boolean>", "x", num(1))}, "\"x\""},
		"options before watch":      {"kill_report", []string{list(num(53)), members("force", "<boolean>1</boolean>")}, "watch_seconds"},
		"unknown field":             {"change", []string{str("status"), num(53), num(1)}, "status"},
		"mark too large":            {"change", []string{str("mark"), num(53), str("4294967296")}, "4294967295"},
		"mark negative":             {"change", []string{str("mark"), num(53), num(-1)}, "decimal string"},
		"mark outside mask":         {"change", []string{str("mark"), num(53), str("0x11/0xf0")}, "outside"},
		"mark with text":            {"change", []string{str("mark"), num(53), str("red")}, "red"},
		"mark with empty mask":      {"change", []string{str("mark"), num(53), str("1/")}, "mask"},
		"timeout 0":                 {"change", []string{str("timeout"), num(53), num(0)}, "2147483"},
		"timeout too long":          {"change", []string{str("timeout"), num(53), num(2147484)}, "2147483"},
		"timeout with mask":         {"change", []string{str("timeout"), num(53), str("5/1")}, "5/1"},
		"value of another kind":     {"change", []string{str("mark"), num(53), emptyArray}, "array"},
		"filters no struct":         {"view", []string{num(1)}, "struct"},
		"unknown filter":            {"view", []string{members("colour", str("red"))}, "colour"},
		"bad operator":              {"view", []string{members("orig_src", str("10.0.0.0/33"))}, "orig_src"},
		"filter of a struct":        {"view", []string{members("mark", members())}, "mark"},
		"filter of empty array":     {"view", []string{members("mark", emptyArray)}, "mark"},
		"unknown order":             {"view", []string{emptyArray, str("colour")}, "colour"},
		"order no string":           {"view", []string{emptyArray, num(1)}, "order_by"},
		"unknown direction":         {"view", []string{emptyArray, str("id"), str("UP")}, "UP"},
		"empty order":               {"view", []string{emptyArray, str("")}, "order_by"},
		"empty direction":           {"view", []string{emptyArray, str("id"), str("")}, "order_dir"},
		"start negative":            {"view", []string{emptyArray, str("id"), str("A"), num(-1)}, "negative"},
		"length negative":           {"view", []string{emptyArray, str("id"), str("A"), num(0), num(-1)}, "negative"},
		"options no struct":         {"view", []string{emptyArray, str("id"), str("A"), num(0), num(1), num(1)}, "struct"},
		"unknown option":            {"view", []string{emptyArray, str("id"), str("A"), num(0), num(1), members("x", num(1))}, "x"},
		"unknown field to show":     {"view", []string{emptyArray, str("id"), str("A"), num(0), num(1), members("fields", list(str("colour")))}, "colour"},
		"field that only filters":   {"view", []string{emptyArray, str("id"), str("A"), num(0), num(1), members("fields", list(str("address")))}, "address"},
		"fields no array":           {"view", []string{emptyArray, str("id"), str("A"), num(0), num(1), members("fields", str("id"))}, "array"},
		"seven parameters":          {"view", []string{emptyArray, str("id"), str("A"), num(0), num(1), emptyArray, num(1)}, "parameters"},
		"autorefresh 2":             {"set_autorefresh", []string{num(2)}, "1"},
		"logout with more":          {"logout", []string{num(2)}, "parameters"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d.t = t
			d.call(test.method, append([]string{s}, test.params...)...).want(t, -32602, test.says)
		})
	}
	d.t = t
	if asked := d.helper.Asked(); len(asked) != 0 {
		t.Errorf("the helper was asked for %+v", asked)
	}
}

func TestOrderOfErrors(t *testing.T) {
	d := start(t)
	d.three()
	d.call("no.such", num(1)).want(t, -32601, "no.such")
	d.call("kill").want(t, 2)
	d.call("kill", num(1), num(1)).want(t, 2)
	d.call("kill", str("bogus"), num(1)).want(t, 2)
	d.role = "viewer"
	viewer := d.login()
	d.call("kill", viewer, num(1)).want(t, 3, "viewer", "kill")
	d.call("change", viewer).want(t, 3)
	d.call("view", viewer).want(t, 0)
	d.role = "operator"
	s := d.login()
	d.helper.SetAway(true)
	d.call("kill", s, num(1)).want(t, -32602)
	d.call("view", s, members("x", num(1))).want(t, -32602)
	d.call("stats", s).want(t, 9)
	d.call("kill", s, list(num(53))).want(t, 9)
	d.helper.SetAway(false)
	d.call("view", s).want(t, 0)
	d.helper.SetAway(true)
	d.call("kill", s, list(num(53))).want(t, 9)
	d.call("change", s, str("mark"), num(53), num(1)).want(t, 9)
	d.call("refresh", s).want(t, 0)
	d.call("view", s).want(t, 9)
	d.helper.SetAway(false)
	d.call("view", s).want(t, 0)
}

func TestIntrospection(t *testing.T) {
	d := start(t)
	names := d.call("system.listMethods").value.([]any)
	for _, want := range []any{"login", "logout", "whoami", "view", "kill", "change", "refresh", "set_autorefresh", "fields", "stats",
		"system.listMethods", "system.methodHelp", "system.methodSignature", "system.getCapabilities"} {
		if !slices.Contains(names, want) {
			t.Errorf("%v is not listed", want)
		}
	}
	for _, name := range names {
		if help := d.call("system.methodHelp", str(name.(string))).value.(string); len(help) < 30 || !strings.HasPrefix(help, name.(string)+"(") {
			t.Errorf("help of %v: %q", name, help)
		}
		switch sig := d.call("system.methodSignature", str(name.(string))).value.(type) {
		case string:
			if sig != "undef" || name != "login" {
				t.Errorf("signature of %v: %q", name, sig)
			}
		case []any:
			if len(sig) == 0 || len(sig[0].([]any)) == 0 {
				t.Errorf("signature of %v: %v", name, sig)
			}
		}
	}
	if n := len(d.call("system.methodSignature", str("view")).value.([]any)); n != 7 {
		t.Errorf("view has %d signatures", n)
	}
	d.call("system.methodHelp", str("no.such")).want(t, -32602)
	caps := d.call("system.getCapabilities").value.(map[string]any)
	if caps["faults_interop"].(map[string]any)["specVersion"] != "int:20010516" {
		t.Errorf("capabilities %v", caps)
	}
}

func TestWhoamiAndFields(t *testing.T) {
	d := start(t)
	d.role = "viewer"
	who := d.call("whoami", d.login()).value.(map[string]any)
	if who["user"] != "zoe" || who["role"] != "viewer" || slices.Contains(who["methods"].([]any), any("kill")) ||
		!slices.Contains(who["methods"].([]any), any("view")) {
		t.Errorf("whoami %v", who)
	}
	fields := d.call("fields", d.login()).value.([]any)
	if len(fields) < 40 {
		t.Errorf("only %d fields", len(fields))
	}
}

func TestStats(t *testing.T) {
	d := start(t)
	st := d.call("stats", d.login()).value.(map[string]any)
	if st["count"] != "int:3" || st["max"] != "int:262144" || st["accounting"] != "boolean:1" || st["found"] != "1099511627776" {
		t.Errorf("stats %v", st)
	}
	if st["kills_watched"] != "0" || st["kills_returned"] != "0" {
		t.Errorf("nothing was killed, and stats are %v", st)
	}
	if _, there := st["buckets"]; there {
		t.Error("what is not known is there")
	}
}

func TestDialects(t *testing.T) {
	d := start(t)
	d.three()
	s := d.login()
	for path, want := range map[string][2]any{"/": {"3000000001", "boolean:1"}, "/RPC2/i8": {"i8:3000000001", "nil:"}, "/RPC2/ex": {"i8:3000000001", "nil:"}} {
		rows := d.callAt(path, "view", s, members("port", num(443))).table(t)
		if rows[0]["id"] != want[0] || rows[0]["orig_counter_bytes"] != "8589934592" {
			t.Errorf("%s: %v", path, rows[0])
		}
		if r := d.callAt(path, "refresh", s); r.value != want[1] {
			t.Errorf("%s: nothing is %v", path, r.value)
		}
	}
}

func TestWarnings(t *testing.T) {
	d := start(t)
	d.helper.SetStats(ipc.Stats{Known: ipc.StatCount | ipc.StatMax | ipc.StatAccounting | ipc.StatTimestamps, Count: 96, Max: 100})
	v := d.call("view", d.login()).value.(map[string]any)
	for _, word := range []string{"accounting:", "timestamps:", "full:"} {
		if !slices.ContainsFunc(v["warnings"].([]any), func(w any) bool { return strings.HasPrefix(w.(string), word) }) {
			t.Errorf("no warning %s in %v", word, v["warnings"])
		}
	}
}

func TestMulticall(t *testing.T) {
	d := start(t)
	d.three()
	s := d.login()
	one := func(name string, params ...string) string {
		p := emptyArray
		if len(params) > 0 {
			p = list(params...)
		}
		return members("methodName", str(name), "params", p)
	}
	got := d.call("system.multicall", list(one("whoami", s), one("login"), one("kill", s, list(num(53))), one("kill", s, list(num(4242))),
		one("kill", str("bogus"), emptyArray), one("no.such"), num(1), one("system.multicall", emptyArray), one("view", s))).value.([]any)
	want := []any{"", "int:-32602", "", "int:4", "int:2", "int:-32601", "int:-32602", "int:-32602", ""}
	if len(got) != len(want) {
		t.Fatalf("%d answers", len(got))
	}
	for i, g := range got {
		switch g := g.(type) {
		case []any:
			if want[i] != "" || len(g) != 1 {
				t.Errorf("answer %d: %v", i, g)
			}
		case map[string]any:
			if g["faultCode"] != want[i] {
				t.Errorf("answer %d: %v, want %v", i, g, want[i])
			}
		}
	}
	many := make([]string, maxMulticall+1)
	for i := range many {
		many[i] = one("system.listMethods")
	}
	d.call("system.multicall", list(many...)).want(t, -32602, "16")
	d.call("system.multicall", num(1)).want(t, -32602)
}
