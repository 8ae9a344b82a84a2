// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table"
)

// fieldNames are the names that fields tells.
func (d *daemon) fieldNames(s string) (names []string) {
	for _, f := range d.call("fields", s).value.([]any) {
		names = append(names, f.(map[string]any)["name"].(string))
	}
	return names
}

func ids(rows []map[string]any) (all []any) {
	for _, r := range rows {
		all = append(all, r["id"])
	}
	return all
}

// marked adds connections with these marks, the first with id 1 and so on.
func (d *daemon) marked(marks ...uint32) []helpertest.Connection {
	var all []helpertest.Connection
	for i, mark := range marks {
		c := helpertest.Port(6, uint32(i+1), "192.0.2.1:"+string(rune('1'+i)), "198.51.100.7:443")
		c.Mark, c.OrigBytes, c.ReplyBytes = mark, 100, 1
		all = append(all, c)
	}
	d.helper.Add(all...)
	return all
}

func TestUsers(t *testing.T) {
	names := map[uint32]string{1000: "zoe", 1001: "ann"}
	d := startConfigured(t, "", func(c *service.Config) {
		c.Meaning = table.NewMeaning(0xffff, nil, nil)
		c.Users = func() *table.Users { return table.NewUsers(names) }
	})
	d.marked(1000, 0xf0000, 1001, 77)
	s := d.login()
	if got := d.fieldNames(s); !slices.Contains(got, "user_id") || !slices.Contains(got, "username") || !slices.Contains(got, "authenticated") || slices.Contains(got, "class") {
		t.Errorf("fields %v", got)
	}
	rows := d.call("view", s, emptyArray, str("user_id"), str("DESC")).table(t)
	for i, want := range [][3]any{{"1001", "ann", "boolean:1"}, {"1000", "zoe", "boolean:1"}, {"77", nil, "boolean:1"}, {"0", nil, "boolean:0"}} {
		if got := [3]any{rows[i]["user_id"], rows[i]["username"], rows[i]["authenticated"]}; got != want {
			t.Errorf("row %d: %v, want %v", i, got, want)
		}
	}
	for _, test := range []struct {
		filter string
		want   []any
	}{
		{members("username", str("zoe")), []any{"1"}},
		{members("username", list(str("zoe"), str("ann"))), []any{"1", "3"}},
		{members("username", str("!zoe")), []any{"2", "3", "4"}},
		{members("user_id", num(1001)), []any{"3"}},
		{members("user_id", str("1-1000")), []any{"1", "4"}},
		{members("authenticated", "<boolean>0</boolean>"), []any{"2"}},
		{members("expr", str("user ann or uid 77")), []any{"3", "4"}},
	} {
		if got := ids(d.call("view", s, test.filter, str("id")).table(t)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", test.filter, got, test.want)
		}
	}
	byName := d.call("view", s, emptyArray, str("username"), str("A")).table(t)
	if got := ids(byName); got[0] != "3" || got[1] != "1" {
		t.Errorf("by username: %v", got)
	}
	g := d.call("groups", s, str("username"), emptyArray, str("value"), str("A")).value.(map[string]any)
	if first := g["groups"].([]any)[0].(map[string]any); first["value"] != "ann" || g["total"] != "int:2" || g["without"] != "int:2" {
		t.Errorf("groups by user: %v", g)
	}
	d.call("view", s, members("class", str("x"))).want(t, -32602, "[[class]]")
}

// Where nothing is configured there are no such fields, and who names one is told why. Those of
// users are shown and ordered by all the same: rows lack them.
func TestNoMeaning(t *testing.T) {
	d := start(t)
	d.marked(1000)
	s := d.login()
	for _, field := range []string{"user_id", "username", "authenticated", "class"} {
		says := "uid_mask"
		if field == "class" {
			says = "[[class]]"
		}
		value := str("1")
		if field == "authenticated" {
			value = "<boolean>1</boolean>"
		}
		d.call("view", s, members(field, value)).want(t, -32602, field, says)
		ordered := d.call("view", s, emptyArray, str(field), str("D"))
		picked := d.call("view", s, emptyArray, str("id"), str("A"), num(0), num(1), members("fields", list(str(field), str("id"))))
		if field == "class" {
			ordered.want(t, -32602, "order_by", says)
			picked.want(t, -32602, "options.fields", says)
		} else {
			if rows := ordered.table(t); len(rows) != 1 || rows[0][field] != nil {
				t.Errorf("by %s: %v", field, rows)
			}
			if row := picked.table(t)[0]; len(row) != 1 || row["id"] == nil {
				t.Errorf("with %s: %v", field, row)
			}
		}
		d.call("groups", s, str(field)).want(t, -32602, "by", says)
		d.call("groups", s, str("proto"), members(field, value)).want(t, -32602, says)
		if slices.Contains(d.fieldNames(s), field) {
			t.Errorf("fields tells of %s", field)
		}
		if _, there := d.call("view", s).table(t)[0][field]; there {
			t.Errorf("a row has %s", field)
		}
	}
	d.call("view", s, members("expr", str("tcp and user zoe"))).want(t, -32602, "column 9", "uid_mask")
	snapshot := d.call("view", s).value.(map[string]any)["snapshot"].(string)
	d.call("kill_matching", s, members("username", str("zoe")), str(snapshot)).want(t, -32602, "uid_mask")
	d.call("change", s, str("class"), num(1), str("bulk")).want(t, -32602, "[[class]]")
	if _, there := d.call("stats", s).value.(map[string]any)["classes"]; there {
		t.Error("stats has classes")
	}
	if n := d.helper.Dumps(); n > 2 {
		t.Errorf("%d readings", n)
	}
	if asked := d.helper.Asked(); len(asked) != 0 {
		t.Errorf("the helper was asked for %+v", asked)
	}
}

func classes(c *service.Config) {
	c.Meaning = table.NewMeaning(0, nil, []table.Class{{Name: "voice", Value: 0x10, Mask: 0xf0}, {Name: "bulk", Value: 0x20, Mask: 0xf0}, {Name: "idle", Value: 0, Mask: 0xf00}})
}

func TestClasses(t *testing.T) {
	d := startConfigured(t, "", classes)
	all := d.marked(0x110, 0x121, 0x30, 0x130, 0x11)
	s := d.login()
	for _, row := range d.call("view", s, emptyArray, str("user_id"), str("A"), num(0), num(9), members("fields", list(str("username"), str("authenticated")))).table(t) {
		if len(row) > 0 {
			t.Errorf("classes alone say of users: %v", row)
		}
	}
	rows := d.call("view", s, emptyArray, str("class"), str("A")).table(t)
	for i, want := range []any{"bulk", "idle", "voice", "voice", nil} {
		if rows[i]["class"] != want {
			t.Errorf("row %d is of class %v, want %v", i, rows[i]["class"], want)
		}
	}
	if got := ids(d.call("view", s, members("class", list(str("bulk"), str("idle"))), str("id")).table(t)); !reflect.DeepEqual(got, []any{"2", "3"}) {
		t.Errorf("bulk and idle: %v", got)
	}
	if got := ids(d.call("view", s, members("expr", str("class voice and mark 0x100/0x100"))).table(t)); !reflect.DeepEqual(got, []any{"1"}) {
		t.Errorf("by expression: %v", got)
	}
	d.call("view", s, members("class", str("gold"))).want(t, -32602, "gold", "bulk, idle, voice")

	st := d.call("stats", s).value.(map[string]any)
	list := st["classes"].([]any)
	if len(list) != 3 || st["unclassified"] != "int:1" || st["count"] != "int:3" {
		t.Fatalf("stats %v", st)
	}
	for i, want := range []map[string]any{
		{"name": "voice", "mark": "0x10/0xf0", "connections": "int:2", "orig_counter_bytes": "200", "repl_counter_bytes": "2"},
		{"name": "bulk", "mark": "0x20/0xf0", "connections": "int:1", "orig_counter_bytes": "100"},
		{"name": "idle", "mark": "0x0/0xf00", "connections": "int:1"},
	} {
		for member, v := range want {
			if got := list[i].(map[string]any)[member]; got != v {
				t.Errorf("class %d: %s is %v, want %v", i, member, got, v)
			}
		}
	}

	d.call("change", s, str("class"), str(key(all[3])), str("bulk")).want(t, 0)
	for _, c := range d.helper.Table() {
		if c.Target == all[3].Target && c.Mark != 0x120 {
			t.Errorf("mark %#x", c.Mark)
		}
	}
	d.call("change", s, str("class"), str(key(all[3])), str("gold")).want(t, -32602, "gold")
	d.call("change", s, str("class"), str(key(all[3])), str("")).want(t, -32602, "class")
	d.call("change", s, str("class"), str(key(all[3])), num(1)).want(t, -32602, "name")
	d.call("change", s, str("Class"), str(key(all[3])), str("bulk")).want(t, -32602, "Class")
	if n := len(d.helper.Asked()); n != 1 {
		t.Errorf("the helper was asked %d times", n)
	}
}

// A role changes classes by no bit that it may not change.
func TestClassesOfRoles(t *testing.T) {
	d := startConfigured(t, tenants, classes)
	e := d.estate() // green's scope is a mark in the bits of the classes
	for _, role := range []string{"green", "red", "marker"} {
		s := d.as(role)
		d.call("change", s, str("class"), str(key(e.red)), str("bulk")).want(t, 3, "mark bits")
	}
	d.call("change", d.as("red-viewer"), str("class"), str(key(e.red)), str("bulk")).want(t, 3)
	if n := len(d.helper.Asked()); n != 0 {
		t.Errorf("the helper was asked %d times", n)
	}
	d.call("change", d.as("red"), str("class"), str(key(e.red)), str("idle")).want(t, 0)
	d.call("stats", d.as("red")).want(t, 3)
}

func hiding(t *testing.T, entries ...string) func(*service.Config) {
	t.Helper()
	hidden, err := table.HideFilter(entries)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *service.Config) { c.Hidden = hidden }
}

// hiddenWarning gives the warning of what the configuration hides, "" for none.
func hiddenWarning(v map[string]any) string {
	for _, w := range v["warnings"].([]any) {
		if strings.HasPrefix(w.(string), "hidden:") && strings.Contains(w.(string), "configuration") {
			return w.(string)
		}
	}
	return ""
}

func TestHidden(t *testing.T) {
	d := startConfigured(t, "", hiding(t, "127.0.0.0/8", "::1", "dport 161"))
	loop := helpertest.Port(6, 7, "127.0.0.1:1000", "127.0.0.1:22")
	loop6 := helpertest.Port(6, 8, "[::1]:1000", "[::1]:22")
	snmp := helpertest.Port(17, 9, "192.0.2.1:1", "198.51.100.7:161")
	twin := helpertest.Port(6, 7, "192.0.2.1:2", "198.51.100.7:443") // of loop's id
	d.helper.Add(loop, loop6, snmp, twin)
	s := d.login()
	v := d.call("view", s).value.(map[string]any)
	if v["total"] != "int:1" || v["count"] != "int:1" || hiddenWarning(v) != "hidden: 3 connections are left out by the configuration" {
		t.Errorf("view %v", v)
	}
	for _, filter := range []string{members("key", str(key(loop))), members("id", num(8)), members("orig_src", str("127.0.0.0/8")), members("expr", str("dport 161 or host ::1"))} {
		if rows := d.call("view", s, filter).table(t); len(rows) != 0 {
			t.Errorf("%s shows %v", filter, rows)
		}
	}
	g := d.call("groups", s, str("orig_src")).value.(map[string]any)
	if g["total"] != "int:1" || g["connections"] != "int:1" || g["count"] != "int:1" || hiddenWarning(g) == "" {
		t.Errorf("groups %v", g)
	}
	d.call("kill", s, list(num(8))).want(t, 4)
	d.call("change", s, str("mark"), num(9), num(1)).want(t, 4)
	if got := d.call("kill_matching", s, emptyArray, str(v["snapshot"].(string))).outcomes(t); !slices.Equal(got, []string{"killed"}) {
		t.Errorf("kill_matching: %v", got)
	}
	if !d.holds(loop) || !d.holds(loop6) || !d.holds(snmp) || d.holds(twin) {
		t.Errorf("left %+v", d.helper.Table())
	}
	// A key names exactly one connection, whoever shows it.
	d.call("change", s, str("mark"), str(key(snmp)), num(1)).want(t, 0)
	d.call("kill", s, list(str(key(loop)))).want(t, 0)
	if d.holds(loop) {
		t.Error("a key did not name what is hidden")
	}
}

// Whoever has a scope hears of what is hidden in it, and of nothing else.
func TestHiddenInScope(t *testing.T) {
	d := startConfigured(t, tenants, hiding(t, "dport 443"))
	d.estate()
	mine := helpertest.Port(6, 77, "10.1.0.9:1000", "198.51.100.7:80")
	d.helper.Add(mine)
	for role, want := range map[string]string{"red": "hidden: 1 connections", "admin": "hidden: 5 connections"} {
		v := d.call("view", d.as(role)).value.(map[string]any)
		if v["count"] != "int:1" || !strings.HasPrefix(hiddenWarning(v), want) {
			t.Errorf("%s: %v", role, v)
		}
	}
	d.helper.Remove(mine.Target)
	d.call("kill", d.as("blue"), list(str(key(mine)))).want(t, 4)
}
