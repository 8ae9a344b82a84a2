// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"strings"

	"nuconntrack/cmd/nuctl/connection"
)

// GroupFormats are the names of the formats that groups are written in.
func GroupFormats() []string { return []string{"table", "json", "jsonl", "csv"} }

// groupFields are what is known of a group, in the order of the interface's description.
func groupFields() []connection.Field {
	fields := []connection.Field{{Name: "value", Type: connection.Text}, {Name: "connections", Type: connection.Number}}
	for _, name := range strings.Fields(`orig_counter_packets orig_counter_bytes repl_counter_packets repl_counter_bytes
		orig_byte_rate repl_byte_rate byte_rate`) {
		fields = append(fields, connection.Field{Name: name, Type: connection.Number})
	}
	return fields
}

// groupColumns are those of a table of groups by a field.
func groupColumns(by string) []column {
	return []column{
		{title: strings.ToUpper(Clean(by)), field: "value", keep: keepAlways, elastic: true, cell: text("value")},
		{title: "CONNECTIONS", field: "connections", right: true, keep: keepAlways, cell: text("connections")},
		{title: "B/S", field: "byte_rate", right: true, keep: 90, cell: size("byte_rate")},
		{title: "SENT", field: "orig_counter_bytes", right: true, keep: 80, cell: size("orig_counter_bytes")},
		{title: "RECEIVED", field: "repl_counter_bytes", right: true, keep: 80, cell: size("repl_counter_bytes")},
		{title: "B/S SENT", field: "orig_byte_rate", right: true, keep: 20, cell: size("orig_byte_rate")},
		{title: "B/S RECEIVED", field: "repl_byte_rate", right: true, keep: 20, cell: size("repl_byte_rate")},
		{title: "PACKETS SENT", field: "orig_counter_packets", right: true, keep: 10, cell: size("orig_counter_packets")},
		{title: "PACKETS RECEIVED", field: "repl_counter_packets", right: true, keep: 10, cell: size("repl_counter_packets")},
	}
}

// Together is what several connections have together, in words. The text is clean.
func Together(row connection.Row) string {
	return SizeOf(row, "byte_rate") + " B/s, " + SizeOf(row, "orig_counter_bytes") + " sent, " +
		SizeOf(row, "repl_counter_bytes") + " received"
}
