// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"nuconntrack/ipc"
	"nuconntrack/policy"
	"nuconntrack/policy/strict"
)

// scopeOf reads a scope as the configuration has it.
func scopeOf(t *testing.T, lines string) *policy.Scope {
	t.Helper()
	root := strict.Read([]byte("[roles.r]\nbase = 'viewer'\n"+lines), "f.toml")
	role, ok := policy.ReadRoles(root).Named("r")
	if !ok {
		t.Fatalf("%v\n%s", root.Err(), lines)
	}
	return role.Scope()
}

// inScope asks the policy about a row.
func inScope(scope *policy.Scope, s *Snapshot, row int32) bool {
	mark, known := uint32(s.mark[row]), s.has[row]&hasMark != 0
	return scope.Covers(ConnectionOf(s.Target(row))) && (scope.Marks() == nil || known && scope.CoversMark(mark))
}

func TestScopeFilter(t *testing.T) {
	s := fewRows(t)
	tests := map[string]struct {
		lines string
		rows  []int32
	}{
		"source":           {"networks = ['10.0.0.1']", []int32{0, 4}},
		"any of four":      {"networks = ['192.0.2.0/24', '10.9.0.0/16']", []int32{0, 1, 2}},
		"all of IPv4":      {"networks = ['0.0.0.0/0']", []int32{0, 1, 2, 4}},
		"all of IPv6":      {"networks = ['::/0']", []int32{3}},
		"nothing":          {"networks = ['172.16.0.0/12']", nil},
		"default zone":     {"zones = [0]", []int32{0, 2, 3}},
		"zone of both":     {"zones = [7]", []int32{1}},
		"zone of one":      {"zones = [9]", nil},
		"both zones":       {"zones = [0, 9]", []int32{0, 2, 3, 4}},
		"mark":             {"marks = ['0x10/0xf0']", []int32{0}},
		"mark 0, not none": {"marks = [0]", []int32{2}},
		"any of the marks": {"marks = ['2/2', 0]", []int32{0, 2}},
		"all lists":        {"networks = ['10.0.0.0/8']\nzones = [0]\nmarks = ['0/0xf0']", []int32{2}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := ScopeFilter(scopeOf(t, test.lines))
			if rows := f.Rows(s); !slices.Equal(rows, test.rows) {
				t.Errorf("rows %v, want %v", rows, test.rows)
			}
			checkMatch(t, f, s)
		})
	}
	if ScopeFilter(nil) != nil || ScopeFilter(scopeOf(t, "")) != nil {
		t.Error("a filter where everything is in scope")
	}
}

// TestScopeFilterIsThePolicys: what a user sees is what the policy says, for any scope.
func TestScopeFilterIsThePolicys(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 9))
	s := randomRows(2000, 5)
	some := 0
	for range 300 {
		var lines strings.Builder
		list := func(key string, most int, item func() string) {
			if rnd.IntN(2) > 0 {
				return
			}
			items := make([]string, 1+rnd.IntN(most))
			for i := range items {
				items[i] = item()
			}
			fmt.Fprintf(&lines, "%s = [%s]\n", key, strings.Join(items, ", "))
		}
		list("networks", 8, func() string {
			if rnd.IntN(3) == 0 {
				return fmt.Sprintf("'2001:db8:0:%d::%d/%d'", rnd.IntN(2), rnd.IntN(8), 120+rnd.IntN(9))
			}
			return fmt.Sprintf("'10.%d.0.%d/%d'", rnd.IntN(3), rnd.IntN(16), 24+rnd.IntN(9))
		})
		list("zones", 6, func() string { return fmt.Sprint(rnd.IntN(4)) })
		list("marks", 3, func() string { mask := 1 + rnd.IntN(255); return fmt.Sprintf("'%d/%d'", rnd.IntN(256)&mask, mask) })
		scope := scopeOf(t, lines.String())
		f := ScopeFilter(scope)
		rows := f.Rows(s)
		if len(rows) > 0 && len(rows) < s.Len() {
			some++
		}
		for row := range int32(s.Len()) {
			_, shown := slices.BinarySearch(rows, row)
			if want := inScope(scope, s, row); shown != want || f.Match(s, row) != want {
				t.Fatalf("%s\nrow %d: shown %t, matches %t, the policy says %t", lines.String(), row, shown, f.Match(s, row), want)
			}
		}
	}
	if some < 100 {
		t.Errorf("only %d of the scopes tell rows apart", some)
	}
}

func TestWithOrigin(t *testing.T) {
	s := fewRows(t)
	change := func(row int32, edit func(*ipc.Target)) ipc.Target {
		target := s.Target(row)
		edit(&target)
		return target
	}
	later := func(row int32) ipc.Target { return change(row, func(t *ipc.Target) { t.ID++ }) }
	tests := map[string]struct {
		target ipc.Target
		want   int32
	}{
		"itself":                {s.Target(0), 0},
		"another id":            {later(0), 0},
		"replies from anywhere": {change(0, func(t *ipc.Target) { t.Reply.Src, t.Reply.SrcPort = netip.MustParseAddr("10.7.7.7"), 1 }), 0},
		"of a zone":             {later(1), 1},
		"ICMP":                  {later(2), 2},
		"IPv6":                  {later(3), 3},
		"no ports, one zone":    {later(4), 4},
		"another source port":   {change(0, func(t *ipc.Target) { t.Orig.SrcPort++ }), -1},
		"another port":          {change(0, func(t *ipc.Target) { t.Orig.DstPort++ }), -1},
		"another source":        {change(0, func(t *ipc.Target) { t.Orig.Src = netip.MustParseAddr("10.0.0.9") }), -1},
		"another zone":          {change(1, func(t *ipc.Target) { t.Orig.Zone = 0 }), -1},
		"another protocol":      {change(0, func(t *ipc.Target) { t.Protocol = 17 }), -1},
		"the reply's addresses": {change(0, func(t *ipc.Target) { t.Orig, t.Reply = t.Reply, t.Orig }), -1},
	}
	var all []ipc.Target
	var want []int32
	for name, test := range tests {
		if got := s.WithOrigin([]ipc.Target{test.target}, nil); got[0] != test.want {
			t.Errorf("%s: row %d, want %d", name, got[0], test.want)
		}
		all, want = append(all, test.target), append(want, test.want)
	}
	if got := s.WithOrigin(all, nil); !slices.Equal(got, want) {
		t.Errorf("all at once: %v, want %v", got, want)
	}
	if got := s.WithOrigin([]ipc.Target{s.Target(0), s.Target(3)}, ScopeFilter(scopeOf(t, "networks = ['::/0']"))); !slices.Equal(got, []int32{-1, 3}) {
		t.Errorf("of those that may be seen: %v", got)
	}
	if got := s.WithOrigin(nil, nil); len(got) != 0 {
		t.Errorf("of none: %v", got)
	}
}
