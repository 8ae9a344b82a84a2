// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
	"nuconntrack/policy"
)

// tenants are roles that share a table: red has 10.1.0.0/16 and red's mark, blue has
// 10.2.0.0/16, green has a mark, and yellow a zone.
const tenants = `
[roles.red]
base = "operator"
networks = ["10.1.0.0/16", "2001:db8:1::/48"]
[roles.blue]
base = "admin"
networks = ["10.2.0.0/16"]
[roles.green]
base = "operator"
marks = ["0x30/0xf0"]
[roles.yellow]
base = "operator"
zones = [5]
[roles.red-viewer]
base = "viewer"
networks = ["10.1.0.0/16"]
[roles.red-killer]
methods = ["kill", "kill_report"]
networks = ["10.1.0.0/16"]
[roles.marker]
methods = ["view", "change"]
mark_mask = "0xf00"
`

// estate is what the tenants have: one connection each, with one id for all of them, and
// one that is nobody's. green's is in red's network only by where its replies go to.
type estate struct {
	red, blue, green, yellow, nobodys helpertest.Connection
}

const sharedID = 4000000001

func (d *daemon) estate() estate {
	e := estate{
		red:     helpertest.Port(6, sharedID, "10.1.0.1:1000", "198.51.100.7:443"),
		blue:    helpertest.Port(6, sharedID, "10.2.0.1:1000", "198.51.100.7:443"),
		green:   helpertest.Port(6, sharedID, "10.3.0.1:1000", "198.51.100.7:443"),
		yellow:  helpertest.Port(6, sharedID, "10.4.0.1:1000", "198.51.100.7:443"),
		nobodys: helpertest.Port(6, 9, "10.5.0.1:1000", "198.51.100.7:443"),
	}
	e.green.Mark = 0x131
	e.yellow.Target.Orig.Zone, e.yellow.Target.Reply.Zone = 5, 5
	d.helper.Add(e.red, e.blue, e.green, e.yellow, e.nobodys)
	return e
}

func key(c helpertest.Connection) string { return ident.EncodeKey(c.Target) }

// holds says whether the kernel still has a connection, as it was.
func (d *daemon) holds(c helpertest.Connection) bool { return slices.Contains(d.helper.Table(), c) }

// outcomes are those of a kill_report or a kill_matching, in order.
func (r reply) outcomes(t *testing.T) (all []string) {
	t.Helper()
	list, ok := r.value.([]any)
	if !ok {
		t.Fatalf("not a report: %+v", r)
	}
	for _, v := range list {
		all = append(all, v.(map[string]any)["outcome"].(string))
	}
	return all
}

// TestRolesAndScopes is the matrix: each role, each method, a connection in scope and one
// outside. The numbers are faults, 0 is done.
func TestRolesAndScopes(t *testing.T) {
	const done, permission, none = 0, 3, 4
	tests := []struct {
		role    string
		mine    func(estate) helpertest.Connection
		others  func(estate) helpertest.Connection // nil: everything is in scope
		view    int                                // and groups, but for those who are given only one of them
		kill    int
		change  int
		stats   int
		session int // refresh, set_autorefresh and fields
		report  int
		match   int
	}{
		{"viewer", estate.ofRed, nil, done, permission, permission, done, done, permission, permission},
		{"operator", estate.ofRed, nil, done, done, done, done, done, done, done},
		{"admin", estate.ofRed, nil, done, done, done, done, done, done, done},
		{"red", estate.ofRed, estate.ofBlue, done, done, done, permission, done, done, done},
		{"blue", estate.ofBlue, estate.ofRed, done, done, done, permission, done, done, done},
		{"green", estate.ofGreen, estate.ofRed, done, done, done, permission, done, done, done},
		{"yellow", estate.ofYellow, estate.ofGreen, done, done, done, permission, done, done, done},
		{"red-viewer", estate.ofRed, estate.ofBlue, done, permission, permission, permission, done, permission, permission},
		{"red-killer", estate.ofRed, estate.ofBlue, permission, done, permission, permission, permission, done, permission},
		{"marker", estate.ofRed, nil, done, permission, done, permission, permission, permission, permission},
	}
	for _, test := range tests {
		t.Run(test.role, func(t *testing.T) {
			d := startWith(t, tenants)
			e := d.estate()
			whole := d.as("admin")
			snapshot := d.call("view", whole).value.(map[string]any)["snapshot"].(string)
			s := d.as(test.role)
			covered := map[string]bool{"logout": true, "whoami": true}
			call := func(want int, method string, params ...string) reply {
				t.Helper()
				covered[method] = true
				r := d.call(method, append([]string{s}, params...)...)
				r.want(t, want)
				if may := slices.Contains(methodsOf(d, s), method); may == (want == permission) {
					t.Errorf("whoami says of %s: %t", method, may)
				}
				return r
			}
			if test.others != nil {
				other := test.others(e)
				outside := func(want int) int {
					if want == done {
						return none
					}
					return want
				}
				call(outside(test.kill), "kill", list(str(key(other))))
				call(outside(test.change), "change", str("mark"), str(key(other)), str("0x100/0x100"))
				call(outside(test.change), "change", str("timeout"), str(key(other)), num(99))
				if r := call(test.report, "kill_report", list(str(key(other)))); r.fault == 0 && r.outcomes(t)[0] != "unknown" {
					t.Errorf("kill_report: %v", r.value)
				}
				if r := call(test.match, "kill_matching", members("key", str(key(other))), str(snapshot)); r.fault == 0 && len(r.outcomes(t)) != 0 {
					t.Errorf("kill_matching: %v", r.value)
				}
				if r := call(test.view, "view", members("key", str(key(other)))); r.fault == 0 && len(r.table(t)) != 0 {
					t.Errorf("view: %v", r.value)
				}
				if !d.holds(other) || len(d.helper.Asked()) != 0 {
					t.Errorf("the helper was asked for %+v, and has %+v", d.helper.Asked(), d.helper.Table())
				}
			}
			mine := test.mine(e)
			if r := call(test.view, "view", members("key", str(key(mine)))); r.fault == 0 && len(r.table(t)) != 1 {
				t.Errorf("view: %v", r.value)
			}
			groups := test.view
			if test.role == "marker" {
				groups = permission
			}
			if r := call(groups, "groups", str("orig_src")); r.fault == 0 && test.others != nil {
				if g := r.value.(map[string]any); g["total"] != "int:1" || g["connections"] != "int:1" || g["count"] != "int:1" ||
					g["groups"].([]any)[0].(map[string]any)["value"] != mine.Target.Orig.Src.String() {
					t.Errorf("groups: %v", g)
				}
			}
			call(test.change, "change", str("mark"), str(key(mine)), str("0x100/0x100"))
			call(test.change, "change", str("timeout"), str(key(mine)), num(99))
			call(test.stats, "stats")
			call(test.session, "refresh")
			call(test.session, "set_autorefresh", num(1))
			call(test.session, "fields")
			again := func() { d.helper.Remove(mine.Target); d.helper.Add(mine) }
			call(test.kill, "kill", list(str(key(mine))))
			again()
			if r := call(test.report, "kill_report", list(str(key(mine)))); r.fault == 0 && r.outcomes(t)[0] != "killed" {
				t.Errorf("kill_report: %v", r.value)
			}
			again()
			if r := call(test.match, "kill_matching", members("key", str(key(mine))), str(snapshot)); r.fault == 0 && !slices.Equal(r.outcomes(t), []string{"killed"}) {
				t.Errorf("kill_matching: %v", r.value)
			}
			for _, method := range policy.Methods() {
				if !covered[method] {
					t.Errorf("%s is not in the matrix", method)
				}
			}
		})
	}
}

func (e estate) ofRed() helpertest.Connection    { return e.red }
func (e estate) ofBlue() helpertest.Connection   { return e.blue }
func (e estate) ofGreen() helpertest.Connection  { return e.green }
func (e estate) ofYellow() helpertest.Connection { return e.yellow }

func methodsOf(d *daemon, s string) (names []string) {
	for _, m := range d.call("whoami", s).value.(map[string]any)["methods"].([]any) {
		names = append(names, m.(string))
	}
	return names
}

// TestTenantsNeverMeet goes through all that a tenant can see: nothing of it is of the others,
// and it is the same as if they were not there.
func TestTenantsNeverMeet(t *testing.T) {
	answers := func(crowded bool) (all []string) {
		d := startWith(t, tenants)
		var e estate
		if crowded {
			e = d.estate()
			d.helper.SetStats(ipc.Stats{Known: ipc.StatCount | ipc.StatMax, Count: 7, Max: 100})
		} else {
			e.red = helpertest.Port(6, sharedID, "10.1.0.1:1000", "198.51.100.7:443")
			e.blue = helpertest.Port(6, sharedID, "10.2.0.1:1000", "198.51.100.7:443")
			e.nobodys = helpertest.Port(6, 9, "10.5.0.1:1000", "198.51.100.7:443")
			d.helper.Add(e.red)
			d.helper.SetStats(ipc.Stats{Known: ipc.StatCount | ipc.StatMax, Count: 1, Max: 100})
		}
		before := d.helper.Table()
		s := d.as("red")
		note := func(r reply) reply {
			if m, ok := r.value.(map[string]any); ok {
				delete(m, "snapshot")
				delete(m, "taken")
			}
			all = append(all, fmt.Sprintf("%d %s %v", r.fault, r.text, r.value))
			return r
		}
		// Made up by hand: whoever is there, with an address of red's in the reply.
		probe := e.blue
		probe.Target.Reply.Dst = e.red.Target.Orig.Src
		id := fmt.Sprint(sharedID)
		v := note(d.call("view", s)).value.(map[string]any)
		if v["total"] != "int:1" || v["count"] != "int:1" {
			t.Errorf("view %v", v)
		}
		for _, order := range []string{"key", "orig_dst", "repl_byte_rate"} {
			for _, dir := range []string{"A", "D"} {
				note(d.call("view", s, emptyArray, str(order), str(dir), num(0), num(50)))
				note(d.call("view", s, emptyArray, str(order), str(dir), num(1), num(50)))
			}
		}
		for _, by := range []string{"orig_src", "mark", "zone", "proto"} {
			note(d.call("groups", s, str(by), emptyArray, str("connections"))).want(t, 0)
		}
		for _, f := range []string{members("id", str(id)), members("id", num(9)), members("port", num(443)), members("orig_src", str("!10.1.0.1")),
			members("mark", str("0x30/0xf0")), members("key", str(key(e.blue))), members("zone", num(5)), members("expr", str("not dst 10.1.0.1"))} {
			note(d.call("view", s, f))
		}
		for _, name := range []string{str(key(e.blue)), str(key(e.nobodys)), str(key(probe)), num(9)} {
			note(d.call("kill", s, list(name))).want(t, 4)
			note(d.call("change", s, str("timeout"), name, num(60))).want(t, 4)
			note(d.call("change", s, str("mark"), name, num(60))).want(t, 3)
			note(d.call("change", s, str("mark"), name, str("0x1/0x1"))).want(t, 4)
			if got := note(d.call("kill_report", s, list(name, name), num(1))).outcomes(t); !slices.Equal(got, []string{"unknown", "unknown"}) {
				t.Errorf("kill_report of %s: %v", name, got)
			}
		}
		if !slices.Equal(before, d.helper.Table()) || len(d.helper.Asked()) != 0 {
			t.Errorf("the helper was asked for %+v, and has %+v", d.helper.Asked(), d.helper.Table())
		}
		note(d.call("stats", s)).want(t, 3)
		// The id is that of three others too, which are not there.
		note(d.call("change", s, str("mark"), str(id), str("0x1/0x1"))).want(t, 0)
		note(d.call("kill_report", s, list(str(id), str(key(e.red)), str(key(e.blue)), num(9))))
		if n := len(d.helper.Table()); n != len(before)-1 {
			t.Errorf("%d connections are left of %d", n, len(before))
		}
		note(d.call("kill", s, list(str(id)))).want(t, 0) // it is gone, as was asked
		note(d.call("kill", s, list(str(id), num(9)))).want(t, 4, "1 of 2", "9")
		return all
	}
	crowded, alone := answers(true), answers(false)
	for i, answer := range crowded {
		if answer != alone[i] {
			t.Errorf("call %d\nalone:   %s\ncrowded: %s", i, alone[i], answer)
		}
		for _, hint := range []string{"10.2.0", "10.3.0", "10.4.0", "10.5.0"} {
			if strings.Contains(answer, hint) {
				t.Errorf("call %d tells of %s: %s", i, hint, answer)
			}
		}
	}
}

// TestOthersSnapshots: the name of a table that somebody else viewed opens nothing.
func TestOthersSnapshots(t *testing.T) {
	d := startWith(t, tenants)
	e := d.estate()
	admin := d.as("admin")
	snapshot := d.call("view", admin).value.(map[string]any)["snapshot"].(string)
	red, blue := d.as("red"), d.as("blue")
	v := d.call("view", red, emptyArray, str("id"), str("A"), num(0), num(50), members("snapshot", str(snapshot))).value.(map[string]any)
	if v["total"] != "int:1" || v["count"] != "int:1" || len(v["table"].([]any)) != 1 {
		t.Errorf("red's page of the administrator's table: %v", v)
	}
	d.call("kill", red, list(str(fmt.Sprint(sharedID)), str(key(e.blue)))).want(t, 4, key(e.blue))
	if d.holds(e.red) || !d.holds(e.blue) || !d.holds(e.green) {
		t.Errorf("left: %+v", d.helper.Table())
	}
	if got := d.call("kill_matching", blue, emptyArray, str(snapshot)).outcomes(t); !slices.Equal(got, []string{"killed"}) {
		t.Errorf("everything of blue's: %v", got)
	}
	if d.holds(e.blue) || !d.holds(e.green) || !d.holds(e.yellow) || !d.holds(e.nobodys) {
		t.Errorf("left: %+v", d.helper.Table())
	}
	d.call("kill_matching", blue, emptyArray, str("gone-1")).want(t, 12, "gone-1")
}

// TestNewOwners: what has taken the place of a user's connection is as unknown to him as
// anything else outside of his scope, and known if it is inside.
func TestNewOwners(t *testing.T) {
	for name, test := range map[string]struct {
		replies string // where the new one's replies come from
		fault   int
		outcome string
	}{
		"in scope":     {"10.1.0.9", 7, "replaced"},
		"out of scope": {"10.2.0.9", 0, "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			d := startWith(t, tenants)
			// In red's scope by the address behind the NAT alone.
			old := helpertest.Port(6, 5, "203.0.113.1:1000", "198.51.100.7:443")
			old.Target.Reply.Src = addr("10.1.0.8")
			later := old
			later.Target.ID, later.Target.Reply.Src = 6, addr(test.replies)
			d.helper.Add(old)
			s := d.as("red")
			d.call("view", s).want(t, 0)
			d.helper.Remove(old.Target)
			d.helper.Add(later)
			d.call("kill", s, list(str(key(old)))).want(t, test.fault)
			d.call("change", s, str("timeout"), str(key(old)), num(60)).want(t, map[int]int{0: 4, 7: 7}[test.fault])
			if got := d.call("kill_report", s, list(num(5))).outcomes(t); got[0] != test.outcome {
				t.Errorf("outcome %v", got)
			}
			if !d.holds(later) {
				t.Error("the new one is not what it was")
			}
		})
	}
}

// TestNewConnectionsByKey: a key from elsewhere works for what began after the session's
// table was read, if it is in scope.
func TestNewConnectionsByKey(t *testing.T) {
	d := startWith(t, tenants)
	d.estate()
	s := d.as("red")
	d.call("view", s).want(t, 0)
	young := helpertest.Port(6, 70, "10.1.0.1:2000", "198.51.100.7:443")
	other := helpertest.Port(6, 71, "10.2.0.1:2000", "198.51.100.7:443")
	d.helper.Add(young, other)
	d.call("kill", s, list(str(key(young)), str(key(other)))).want(t, 4, "1 of 2")
	if d.holds(young) || !d.holds(other) {
		t.Errorf("left: %+v", d.helper.Table())
	}
	d.helper.SetAway(true)
	d.call("kill", s, list(str(key(young)))).want(t, 9)
	d.call("kill", s, list(str(key(other)))).want(t, 4)
}

func TestWarningsOfAScope(t *testing.T) {
	d := startWith(t, tenants)
	d.helper.SetStats(ipc.Stats{Known: ipc.StatCount | ipc.StatMax, Count: 9611, Max: 9700})
	warnings := func(role string) string {
		return fmt.Sprint(d.call("view", d.as(role)).value.(map[string]any)["warnings"])
	}
	if w := warnings("viewer"); !strings.Contains(w, "9611") || strings.Contains(w, "hidden:") {
		t.Errorf("warnings of viewer: %s", w)
	}
	if w := warnings("red"); strings.ContainsAny(w, "0123456789") || !strings.Contains(w, "full:") || !strings.Contains(w, "hidden:") {
		t.Errorf("warnings of red: %s", w)
	}
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }
