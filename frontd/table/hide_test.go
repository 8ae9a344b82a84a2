// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"nuconntrack/ipc"
)

// routes are rows with these four addresses each.
func routes(t *testing.T, all ...string) *Snapshot {
	t.Helper()
	rows := make([]record, len(all))
	for i, addresses := range all {
		rows[i].ID, rows[i].Proto, rows[i].Family = uint32(i), 6, ipc.FamilyIPv4
		for side, a := range strings.Fields(addresses) {
			rows[i].Addr[side] = raw(t, a)
			if netip.MustParseAddr(a).Is6() {
				rows[i].Family = ipc.FamilyIPv6
			}
		}
	}
	return fill(rows, nil)
}

func TestHide(t *testing.T) {
	s := routes(t,
		"127.0.0.1 127.9.9.9 127.9.9.9 127.0.0.1",
		"127.0.0.1 192.0.2.1 192.0.2.1 127.0.0.1",
		"127.0.0.1 127.0.0.1 192.0.2.1 127.0.0.1", // translated to elsewhere
		"192.0.2.1 198.51.100.1 198.51.100.1 192.0.2.1",
		"::1 ::1 ::1 ::1",
		"::1 2001:db8::1 2001:db8::1 ::1",
		"::ffff:127.0.0.1 ::ffff:127.0.0.1 ::ffff:127.0.0.1 ::ffff:127.0.0.1",
	)
	tests := []struct {
		name    string
		entries []string
		left    []int32
	}{
		{"nothing", nil, []int32{0, 1, 2, 3, 4, 5, 6}},
		{"loopback", []string{"127.0.0.0/8", "::1"}, []int32{1, 2, 3, 5}},
		{"host bits", []string{"127.0.0.1/8"}, []int32{1, 2, 3, 4, 5}},
		{"mapped", []string{"::ffff:127.0.0.0/104"}, []int32{1, 2, 3, 4, 5}},
		{"not between two networks", []string{"192.0.2.0/24", "198.51.100.0/24"}, []int32{0, 1, 2, 3, 4, 5, 6}},
		{"what only touches", []string{"host 192.0.2.0/24"}, []int32{0, 4, 5, 6}},
		{"both", []string{"::1", "src 127.0.0.0/8 and dst 192.0.2.1"}, []int32{0, 2, 3, 5, 6}},
	}
	scope := ScopeFilter(scopeOf(t, "networks = ['192.0.2.0/24', '::1']"))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			hidden, err := HideFilter(test.entries)
			if err != nil {
				t.Fatal(err)
			}
			visible := Except(nil, hidden)
			if got := visible.Rows(s); !slices.Equal(got, test.left) {
				t.Errorf("left %v, want %v", got, test.left)
			}
			both := Except(scope, hidden)
			for row := range int32(s.Len()) {
				want := scope.Match(s, row) && slices.Contains(test.left, row)
				if both.Match(s, row) != want || slices.Contains(both.Rows(s), row) != want {
					t.Errorf("row %d in the scope and not hidden: want %t", row, want)
				}
			}
		})
	}
}

func TestHideErrors(t *testing.T) {
	for name, entries := range map[string][]string{
		"no language":      {"127.0.0.0/8", "hide and seek"},
		"empty":            {""},
		"a mask too long":  {"10.0.0.0/33"},
		"an interface":     {"fe80::1%eth0"},
		"an unknown field": {"colour red"},
		"too many":         make([]string, MaxHidden+1),
	} {
		if f, err := HideFilter(entries); err == nil {
			t.Errorf("%s: %v", name, f)
		}
	}
}
