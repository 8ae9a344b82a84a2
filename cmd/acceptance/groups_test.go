// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"nuconntrack/privd/nstest"
)

// TestGroupsOfTraffic adds real traffic up twice: by groups, and by hand from the rows of a
// view of the same table.
func TestGroupsOfTraffic(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Sysctl(t, "nf_conntrack_acct", "1")
		nstest.Sysctl(t, "nf_conntrack_timestamp", "1")
		track(t)
		w := newWorld(t, everything)
		s := w.login(t)
		serveTCP(t, "127.0.0.1:5001")
		serveTCP(t, "127.0.0.2:5002")
		serveTCP(t, "[::1]:5001")
		serveUDP(t, "127.0.0.1:5003")
		for _, address := range []string{"127.0.0.1:5001", "127.0.0.1:5001", "127.0.0.2:5002", "[::1]:5001"} {
			askTCP(t, address)
		}
		ask(t, "udp", "127.0.0.1:5003", []byte("question"))

		for _, by := range []string{"orig_dst", "orig_port_dst", "proto", "state", "mark", "orig_l3proto", "zone"} {
			g := s.ok(t, "groups", by, filters{"port": "5001-5003"}, "connections").(map[string]any)
			v := s.ok(t, "view", filters{"port": "5001-5003"}, "id", "A", 0, 100,
				filters{"snapshot": g["snapshot"], "fields": list(append(sums(), by)...)}).(map[string]any)
			want := addUp(t, v["table"].([]any), by)
			got := map[string]map[string]uint64{}
			connections := 1 << 30
			for _, x := range g["groups"].([]any) {
				group := x.(map[string]any)
				if n := group["connections"].(int); n > connections {
					t.Errorf("by %s: %d connections follow %d", by, n, connections)
				} else {
					connections = n
				}
				got[group["value"].(string)] = numbers(t, group)
			}
			all := numbers(t, g["all"].(map[string]any))
			if !maps.Equal(all, want[everybody]) {
				t.Errorf("by %s: all %v, want %v", by, all, want[everybody])
			}
			delete(want, everybody)
			if !maps.EqualFunc(got, want, maps.Equal) || g["total"] != len(want) || g["connections"] != v["total"] {
				t.Errorf("by %s: %v, want %v", by, g, want)
			}
			if by == "orig_dst" && (len(got) != 3 || got["127.0.0.1"]["connections"] != 3 || got["127.0.0.1"]["orig_counter_bytes"] == 0) {
				t.Errorf("by %s: %v", by, got)
			}
		}
		s.want(t, badParams, "colour", "groups", "colour")
	})
}

// everybody is the group of all; no value of a field is empty.
const everybody = ""

func sums() []any {
	return list("orig_counter_packets", "orig_counter_bytes", "repl_counter_packets", "repl_counter_bytes",
		"orig_byte_rate", "repl_byte_rate", "byte_rate")
}

// addUp makes groups of rows as they came over the wire.
func addUp(t *testing.T, rows []any, by string) map[string]map[string]uint64 {
	t.Helper()
	groups := map[string]map[string]uint64{}
	for _, r := range rows {
		r := r.(map[string]any)
		members := []string{everybody}
		if v, ok := r[by]; ok {
			members = append(members, fmt.Sprint(v))
		}
		for _, name := range members {
			if groups[name] == nil {
				groups[name] = map[string]uint64{}
			}
			groups[name]["connections"]++
			for field, n := range numbers(t, r) {
				if slices.Contains(sums(), any(field)) {
					groups[name][field] += n
				}
			}
		}
	}
	return groups
}

// numbers gives the counters, rates and totals of a struct.
func numbers(t *testing.T, m map[string]any) map[string]uint64 {
	t.Helper()
	all := map[string]uint64{}
	for name, v := range m {
		switch {
		case name == "connections":
			all[name] = uint64(v.(int))
		case slices.Contains(sums(), any(name)):
			n, err := strconv.ParseUint(v.(string), 10, 64)
			if err != nil {
				t.Errorf("%s is %v", name, v)
			}
			all[name] = n
		}
	}
	return all
}
