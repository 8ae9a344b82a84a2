// SPDX-License-Identifier: GPL-2.0-or-later

package main

import "slices"

// having are the rows that have what the filters of doctor ask for; it knows no others.
func having(rows []map[string]any, filters any) []map[string]any {
	members, _ := filters.(map[string]any)
	return slices.DeleteFunc(slices.Clone(rows), func(row map[string]any) bool {
		for _, name := range []string{"offload", "age", "orig_counter_packets"} {
			_, asked := members[name]
			v, has := row[name]
			if asked && (!has || v == false) {
				return true
			}
		}
		return false
	})
}

// fineStats are statistics of which nothing is to be said.
func fineStats() map[string]any {
	return map[string]any{"count": 4, "max": 1000, "buckets": 1000, "accounting": true, "timestamps": true, "tcp_loose": false,
		"drop": "0", "early_drop": "0", "insert_failed": "0", "chain_toolong": "0", "kills_watched": "0", "kills_returned": "0"}
}
