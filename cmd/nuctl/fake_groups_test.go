// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"slices"
)

// groups answers with a group for each connection: of more members and less rate the
// farther behind. The second knows no sums, and the third has a value that a terminal obeys.
func (s *fakeServer) groups(args []any) (any, error) {
	if len(args) != 8 {
		return nil, &faultError{fault{-32602, "wrong number of parameters"}}
	}
	if !slices.Contains([]any{"orig_src", "mark"}, args[1]) {
		return nil, &faultError{fault{-32602, fmt.Sprintf("by: there is no field %q to group by", args[1])}}
	}
	start, length := args[5].(int), min(args[6].(int), s.maxPage)
	if name, ok := args[7].(map[string]any)["snapshot"]; (start > 0) != ok || ok && name != "snap1" {
		return nil, &faultError{fault{12, "that snapshot is no longer held"}}
	}
	rows, err := s.matching(args[2])
	if err != nil {
		return nil, err
	}
	groups := []any{}
	for i := min(start, len(rows)); i < min(start+length, len(rows)); i++ {
		group := map[string]any{"value": fmt.Sprintf("10.0.0.%d", i), "connections": i + 1}
		switch i {
		case 1:
		case 2:
			group["value"] = "\u202ebad\u009b"
		default:
			for _, name := range []string{"orig_counter_packets", "orig_counter_bytes", "repl_counter_packets", "repl_counter_bytes",
				"orig_byte_rate", "repl_byte_rate", "byte_rate"} {
				group[name] = fmt.Sprint(1234567 - i)
			}
		}
		groups = append(groups, group)
	}
	warnings := []any{}
	if s.warning != "" {
		warnings = append(warnings, s.warning)
	}
	return map[string]any{
		"groups": groups, "all": map[string]any{"connections": 12345, "byte_rate": "999999999"}, "without": 2, "total": len(rows),
		"start": start, "length": len(groups), "count": 12345, "connections": 12345, "snapshot": "snap1", "taken": s.takenNow(), "warnings": warnings,
	}, nil
}
