// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"nuconntrack/policy/strict"
)

func readRoles(text string) (RoleSet, error) {
	root := strict.Read([]byte(text), "f.toml")
	set := ReadRoles(root)
	return set, root.Err()
}

func mustReadRoles(t testing.TB, text string) RoleSet {
	t.Helper()
	set, err := readRoles(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return set
}

// oneRole is the role r of a file with these lines.
func oneRole(t testing.TB, lines string) Role {
	t.Helper()
	r, ok := mustReadRoles(t, "[roles.r]\n"+lines).Named("r")
	if !ok {
		t.Fatal("the role is not there")
	}
	return r
}

func conn(zones [2]uint16, addresses ...string) Connection {
	var a [4]netip.Addr
	for i, s := range addresses {
		if s != "" {
			a[i] = netip.MustParseAddr(s)
		}
	}
	return Connection{Protocol: 6, Orig: Endpoints{Src: a[0], Dst: a[1]}, Reply: Endpoints{Src: a[2], Dst: a[3]},
		OrigZone: zones[0], ReplyZone: zones[1]}
}

func TestScopeCovers(t *testing.T) {
	inside := conn([2]uint16{}, "192.0.2.1", "198.51.100.1", "198.51.100.1", "203.0.113.9")
	six := conn([2]uint16{}, "2001:db8::1", "2001:db8:1::1", "2001:db8:1::1", "2001:db8::1")
	zoned := func(orig, reply uint16) Connection {
		c := inside
		c.OrigZone, c.ReplyZone = orig, reply
		return c
	}
	tests := map[string]struct {
		lines string
		c     Connection
		want  bool
	}{
		"no list":                             {"", inside, true},
		"source":                              {"networks = ['192.0.2.0/24']", inside, true},
		"source, host bits":                   {"networks = ['192.0.2.77/24']", inside, true},
		"destination":                         {"networks = ['198.51.100.1']", inside, true},
		"where replies go":                    {"networks = ['203.0.113.8/31']", inside, true},
		"written as IPv4 in IPv6":             {"networks = ['::ffff:192.0.2.0/120']", inside, true},
		"second network":                      {"networks = ['10.0.0.0/8', '192.0.2.1']", inside, true},
		"none of four":                        {"networks = ['192.0.3.0/24', '10.0.0.0/8']", inside, false},
		"one address too far":                 {"networks = ['192.0.2.2', '192.0.2.0']", inside, false},
		"all of IPv6 is not IPv4":             {"networks = ['::/0']", inside, false},
		"half of IPv6 is not IPv4":            {"networks = ['::/1']", inside, false},
		"all of IPv4":                         {"networks = ['0.0.0.0/0']", inside, true},
		"all of IPv4 is not IPv6":             {"networks = ['0.0.0.0/0']", six, false},
		"IPv6":                                {"networks = ['2001:db8:1::/48']", six, true},
		"IPv6 outside":                        {"networks = ['2001:db8:2::/48']", six, false},
		"address in a connection of IPv6":     {"networks = ['192.0.2.0/24']", conn([2]uint16{}, "::ffff:192.0.2.1", "::1", "::1", "::2"), true},
		"addresses unknown":                   {"networks = ['0.0.0.0/0', '::/0']", conn([2]uint16{}, "", "", "", ""), false},
		"zone of both":                        {"zones = [7]", zoned(7, 7), true},
		"two zones":                           {"zones = [7, 8]", zoned(8, 7), true},
		"default zone left out":               {"zones = [7]", zoned(0, 0), false},
		"zone of orig alone":                  {"zones = [7]", zoned(7, 0), false},
		"zone of reply alone":                 {"zones = [7]", zoned(0, 7), false},
		"default zone and one":                {"zones = [0, 7]", zoned(0, 7), true},
		"network in, zone out":                {"networks = ['192.0.2.0/24']\nzones = [7]", inside, false},
		"network out, zone in":                {"networks = ['10.0.0.0/8']\nzones = [0]", inside, false},
		"marks say nothing of what is steady": {"marks = ['1/1']", inside, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			scope := oneRole(t, "base = 'operator'\n"+test.lines).Scope()
			if got := scope.Covers(test.c); got != test.want {
				t.Errorf("covers: %t, want %t", got, test.want)
			}
			if scope.Whole() != (test.lines == "") {
				t.Errorf("whole: %t", scope.Whole())
			}
		})
	}
}

func TestScopeCoversMark(t *testing.T) {
	tests := map[string]struct {
		marks string
		mark  uint32
		want  bool
	}{
		"in the bits":         {`"0x10/0xf0"`, 0xffffff1f, true},
		"other bits":          {`"0x10/0xf0"`, 0x20, false},
		"zero":                {`"0/0xf0"`, 0xf0f, true},
		"zero, bits set":      {`"0/0xf0"`, 0x10, false},
		"whole mark":          {`"5"`, 5, true},
		"whole mark, another": {`"5"`, 0x105, false},
		"integer":             {`4294967295`, math.MaxUint32, true},
		"decimal mask":        {`"1/3"`, 5, true},
		"second":              {`"1/1", "2/2"`, 2, true},
		"neither":             {`"1/1", "2/2"`, 4, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			scope := oneRole(t, "base = 'viewer'\nmarks = ["+test.marks+"]").Scope()
			if got := scope.CoversMark(test.mark); got != test.want {
				t.Errorf("%#x: %t", test.mark, got)
			}
		})
	}
	if !(*Scope)(nil).CoversMark(7) || !(&Scope{}).Covers(Connection{}) {
		t.Error("no scope leaves something out")
	}
}

func TestConfiguredRoles(t *testing.T) {
	tests := map[string]struct {
		lines   string
		methods []string
		bits    uint32
	}{
		"a base":                   {"base = 'viewer'", methodsOf("viewer"), 0},
		"a base with scope":        {"base = 'viewer'\nzones = [1]", without(methodsOf("viewer"), "stats"), 0},
		"operator with scope":      {"base = 'operator'\nzones = [1]", without(methodsOf("operator"), "stats"), math.MaxUint32},
		"admin with scope":         {"base = 'admin'\nnetworks = ['10.0.0.0/8']", without(methodsOf("operator"), "stats"), math.MaxUint32},
		"methods":                  {"methods = ['view', 'view']", []string{"logout", "view", "whoami"}, 0},
		"stats alone":              {"methods = ['stats']", []string{"logout", "stats", "whoami"}, 0},
		"change":                   {"methods = ['change']\nmark_mask = 0xf0", []string{"change", "logout", "whoami"}, 0xf0},
		"change no bits":           {"methods = ['change']\nmark_mask = 0", []string{"change", "logout", "whoami"}, 0},
		"bits outside the marks":   {"base = 'operator'\nmarks = ['0x10/0xf0', '1/1']", without(methodsOf("operator"), "stats"), 0xffffff0e},
		"bits given, out of marks": {"base = 'operator'\nmarks = ['0x10/0xf0']\nmark_mask = '0xff00'", without(methodsOf("operator"), "stats"), 0xff00},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := oneRole(t, test.lines)
			if got := r.Methods(); !slices.Equal(got, test.methods) {
				t.Errorf("methods %v, want %v", got, test.methods)
			}
			for _, m := range append(Methods(), "login", "system.listMethods") {
				if want := slices.Contains(test.methods, m) || !NeedsRole(m); r.May(m) != want {
					t.Errorf("may %s: %t", m, !want)
				}
			}
			if r.MarkMask() != test.bits {
				t.Errorf("may change %#x, want %#x", r.MarkMask(), test.bits)
			}
		})
	}
}

// methodsOf gives the methods of a role that exists.
func methodsOf(name string) []string {
	r, _ := RoleNamed(name)
	return r.Methods()
}

func without(methods []string, name string) []string {
	return slices.DeleteFunc(methods, func(m string) bool { return m == name })
}

// TestMarkBitsOfOthers: who is kept to a part of the table can change no bit by which
// somebody's part is told, whatever his own is told by.
func TestMarkBitsOfOthers(t *testing.T) {
	set := mustReadRoles(t, `
[roles.by-mark]
base = "operator"
marks = ["0x10/0xf0"]
[roles.by-network]
base = "operator"
networks = ["10.0.0.0/8"]
[roles.everywhere]
base = "operator"
[roles.other-mark]
base = "operator"
marks = ["1/0xf"]
`)
	for name, want := range map[string]uint32{
		"by-mark": 0xffffff00, "by-network": 0xffffff00, "other-mark": 0xffffff00,
		"everywhere": math.MaxUint32, "operator": math.MaxUint32, "admin": math.MaxUint32, "viewer": 0,
	} {
		if r, ok := set.Named(name); !ok || r.MarkMask() != want {
			t.Errorf("%s may change %#x, want %#x", name, r.MarkMask(), want)
		}
	}
}

func TestRolesMistakes(t *testing.T) {
	tests := map[string]struct {
		text string
		line int
		key  string
		says string
	}{
		"redefined":               {"[roles.admin]\nbase = 'viewer'", 1, "roles.admin", "exist by themselves"},
		"redefined in capitals":   {"[roles.Viewer]\nbase = 'admin'", 1, "roles.Viewer", "exist by themselves"},
		"name with blank":         {"[roles.'a b']\nbase = 'viewer'", 1, "roles.\"a b\"", "not a name"},
		"name with line end":      {"[roles.\"a\\n\"]\nbase = 'viewer'", 1, `roles."a\n"`, "not a name"},
		"no name":                 {"[roles.'']\nbase = 'viewer'", 0, "roles", "not a name"},
		"name too long":           {"[roles." + strings.Repeat("x", 49) + "]\nbase = 'viewer'", 1, "", "not a name"},
		"no table":                {"roles = 1", 1, "roles", "want a table"},
		"role no table":           {"[roles]\nr = 'viewer'", 2, "roles.r", "want a table"},
		"no methods":              {"[roles.r]\nzones = [1]", 1, "roles.r", "base"},
		"both":                    {"[roles.r]\nbase = 'viewer'\nmethods = ['view']", 1, "roles.r", "either"},
		"unknown key":             {"[roles.r]\nbase = 'viewer'\nnetwork = ['10.0.0.0/8']", 3, "roles.r.network", "unknown key"},
		"unknown base":            {"[roles.r]\nbase = 'root'", 2, "roles.r.base", "viewer, operator, admin"},
		"base a configured one":   {"[roles.r]\nbase = 's'\n[roles.s]\nbase = 'viewer'", 2, "roles.r.base", "none of"},
		"unknown method":          {"[roles.r]\nmethods = ['view', 'flush']", 2, "roles.r.methods", "kill_matching"},
		"method of nobody":        {"[roles.r]\nmethods = ['login']", 2, "roles.r.methods", "no method that needs a role"},
		"method a number":         {"[roles.r]\nmethods = [1]", 2, "roles.r.methods", "no method"},
		"methods empty":           {"[roles.r]\nmethods = []", 2, "roles.r.methods", "empty"},
		"methods a string":        {"[roles.r]\nmethods = 'view'", 2, "roles.r.methods", "want an array"},
		"stats with a scope":      {"[roles.r]\nmethods = ['stats']\nzones = [1]", 2, "roles.r.methods", "as a whole"},
		"networks empty":          {"[roles.r]\nbase = 'viewer'\nnetworks = []", 3, "roles.r.networks", "empty"},
		"network a name":          {"[roles.r]\nbase = 'viewer'\nnetworks = ['lan']", 3, "roles.r.networks", "network"},
		"network too long":        {"[roles.r]\nbase = 'viewer'\nnetworks = ['10.0.0.0/33']", 3, "roles.r.networks", "network"},
		"network with interface":  {"[roles.r]\nbase = 'viewer'\nnetworks = ['fe80::1%eth0']", 3, "roles.r.networks", "zone identifier"},
		"network a number":        {"[roles.r]\nbase = 'viewer'\nnetworks = [10]", 3, "roles.r.networks", "string"},
		"zone too large":          {"[roles.r]\nbase = 'viewer'\nzones = [65536]", 3, "roles.r.zones", "65535"},
		"zones empty":             {"[roles.r]\nbase = 'viewer'\nzones = []", 3, "roles.r.zones", "empty"},
		"marks empty":             {"[roles.r]\nbase = 'viewer'\nmarks = []", 3, "roles.r.marks", "empty"},
		"mark with empty mask":    {"[roles.r]\nbase = 'viewer'\nmarks = ['0/0']", 3, "roles.r.marks", "every mark"},
		"mark outside its mask":   {"[roles.r]\nbase = 'viewer'\nmarks = ['0x11/0xf0']", 3, "roles.r.marks", "no mark fits"},
		"mark no number":          {"[roles.r]\nbase = 'viewer'\nmarks = ['red']", 3, "roles.r.marks", "not a mark"},
		"mark octal":              {"[roles.r]\nbase = 'viewer'\nmarks = ['010']", 3, "roles.r.marks", "not a mark"},
		"mark with two masks":     {"[roles.r]\nbase = 'viewer'\nmarks = ['1/2/3']", 3, "roles.r.marks", "not a mark"},
		"mark negative":           {"[roles.r]\nbase = 'viewer'\nmarks = [-1]", 3, "roles.r.marks", "not a mark"},
		"mark too large":          {"[roles.r]\nbase = 'viewer'\nmarks = [4294967296]", 3, "roles.r.marks", "not a mark"},
		"mask too large":          {"[roles.r]\nbase = 'viewer'\nmarks = ['1/0x1ffffffff']", 3, "roles.r.marks", "not a mark"},
		"mark a table":            {"[roles.r]\nbase = 'viewer'\nmarks = [{}]", 3, "roles.r.marks", "not a mark"},
		"bits without change":     {"[roles.r]\nbase = 'viewer'\nmark_mask = 1", 3, "roles.r.mark_mask", "may not call change"},
		"bits of the scope":       {"[roles.r]\nbase = 'operator'\nmarks = ['1/1']\nmark_mask = 3", 4, "roles.r.mark_mask", "0x1"},
		"bits of another's scope": {"[roles.a]\nbase = 'operator'\nzones = [1]\nmark_mask = 3\n[roles.b]\nbase = 'viewer'\nmarks = ['2/2']", 4, "roles.a.mark_mask", "0x2"},
		"bits no number":          {"[roles.r]\nbase = 'operator'\nmark_mask = 'all'", 3, "roles.r.mark_mask", "32 bits"},
		"roles beyond all measure": {func() string {
			var b strings.Builder
			for i := range 1001 {
				fmt.Fprintf(&b, "[roles.r%d]\nbase = 'viewer'\n", i)
			}
			return b.String()
		}(), 0, "roles", "more than 1000"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			set, err := readRoles(test.text)
			var e *strict.Error
			if !errors.As(err, &e) || !strings.Contains(e.Reason, test.says) || e.Line != test.line ||
				test.key != "" && e.Key != test.key {
				t.Errorf("error %v (%+v)", err, e)
			}
			for _, r := range set.All()[3:] {
				if r.May("whoami") || r.May("view") || r.May("kill") {
					t.Errorf("a role in spite of it: %v", set)
				}
			}
		})
	}
}

func FuzzReadRoles(f *testing.F) {
	for _, text := range []string{
		"", "[roles.r]\nbase = 'admin'", "[roles.'a.b']\nmethods = ['change']\nmark_mask = 0",
		"[roles.r]\nbase = 'operator'\nnetworks = ['10.1.2.3/8', '::ffff:192.0.2.0/120', '::/0', '::1']\nzones = [9, 1, 9]\nmarks = ['0x10/0xf0', 5]",
		"[roles.a]\nbase = 'viewer'\nmarks = [1]\n[roles.b]\nbase = 'operator'\nmark_mask = '0xff'",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := readRoles(text)
		if err != nil {
			return
		}
		again, err := readRoles(set.String())
		if err != nil || !reflect.DeepEqual(again, set) {
			t.Errorf("%v: printed and read back\n%s\nbefore\n%s\nof\n%s", err, again, set, text)
		}
		for _, r := range set.All() {
			if !r.Scope().Whole() && r.May("stats") {
				t.Errorf("%s tells of the whole table", r.Name)
			}
		}
	})
}
