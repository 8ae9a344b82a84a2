// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"slices"

	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/output"
)

// column is one of the table.
type column struct {
	title string
	// field is what sorts by it; the order is shown beside the title.
	field string
	right bool
	// least is how narrow it may become, in characters; most bounds it. Columns that are kept
	// less than want give way as long as this one has not what it needs, up to want.
	least, want, most int
	// keep says how long the column stays when the terminal is narrow: the lowest goes first.
	keep int
	cell func(row connection.Row, arrow string) string
}

const (
	keepAlways = 100
	// keepFirst is what stays although others have less than they want.
	keepFirst = 60
)

func connectionColumns() []column {
	size := func(field string) func(connection.Row, string) string {
		return func(row connection.Row, _ string) string { return output.SizeOf(row, field) }
	}
	plain := func(f func(connection.Row) string) func(connection.Row, string) string {
		return func(row connection.Row, _ string) string { return f(row) }
	}
	text := func(field string) func(connection.Row, string) string {
		return func(row connection.Row, _ string) string { return output.Text(row, field) }
	}
	return []column{
		{title: "PROTO", field: "proto", least: 5, most: 8, keep: keepAlways, cell: text("proto")},
		{title: "SOURCE", field: "orig_src", least: 9, want: 24, most: 90, keep: keepAlways, cell: output.Source},
		{title: "DESTINATION", field: "orig_dst", least: 12, want: 24, most: 90, keep: keepAlways, cell: output.Destination},
		{title: "STATE", field: "state", least: 6, want: 11, most: 13, keep: 65, cell: plain(output.State)},
		{title: "B/S", field: "byte_rate", right: true, least: 6, most: 6, keep: 80, cell: size("byte_rate")},
		{title: "SENT", field: "orig_counter_bytes", right: true, least: 6, most: 6, keep: 50, cell: size("orig_counter_bytes")},
		{title: "RECVD", field: "repl_counter_bytes", right: true, least: 6, most: 6, keep: 50, cell: size("repl_counter_bytes")},
		{title: "EXPIRES", field: "timeout", right: true, least: 8, most: 8, keep: 20, cell: plain(output.Expires)},
		{title: "MARK", field: "mark", right: true, least: 5, most: 10, keep: 40, cell: plain(output.Mark)},
		{title: "AGE", field: "age", right: true, least: 6, most: 6, keep: 15, cell: func(row connection.Row, _ string) string {
			if n, ok := row.Number("age"); ok {
				return output.Seconds(n)
			}
			return "-"
		}},
		{title: "USER", field: "username", least: 8, most: 16, keep: 10, cell: text("username")},
		{title: "ID", field: "id", right: true, least: 10, most: 10, keep: 5, cell: text("id")},
	}
}

func groupColumns(title string) []column {
	size := func(field string) func(connection.Row, string) string {
		return func(row connection.Row, _ string) string { return output.SizeOf(row, field) }
	}
	return []column{
		{title: title, field: "value", least: 12, most: 60, keep: keepAlways,
			cell: func(row connection.Row, _ string) string { return output.Text(row, "value") }},
		{title: "CONNECTIONS", field: "connections", right: true, least: 12, most: 12, keep: keepAlways,
			cell: func(row connection.Row, _ string) string { return output.Text(row, "connections") }},
		{title: "B/S", field: "byte_rate", right: true, least: 6, most: 6, keep: 80, cell: size("byte_rate")},
		{title: "SENT", field: "orig_counter_bytes", right: true, least: 6, most: 6, keep: 50, cell: size("orig_counter_bytes")},
		{title: "RECVD", field: "repl_counter_bytes", right: true, least: 6, most: 6, keep: 50, cell: size("repl_counter_bytes")},
	}
}

// layout chooses the columns that fit, and their widths: what is elastic takes what the rows
// need of the rest. Between two columns is one space.
func layout(all []column, cells func(c column) int, width int) (columns []column, widths []int) {
	least := func(c column) int { return c.least }
	wanted := func(c column) int { return max(c.least, min(c.want, cells(c))) }
	columns = drop(slices.Clone(all), wanted, width, keepFirst)
	columns = drop(columns, least, width, keepAlways)
	widths = make([]int, len(columns))
	spare := width - total(columns, least)
	for i, c := range columns {
		widths[i] = c.least
	}
	// By turns, so that no column starves the others.
	for grown := true; grown && spare > 0; {
		grown = false
		for i, c := range columns {
			if spare > 0 && widths[i] < min(c.most, cells(c)) {
				widths[i]++
				spare--
				grown = true
			}
		}
	}
	return columns, widths
}

// drop takes columns away until the others fit, those with the least keep first, and none
// that is kept for longer than below.
func drop(columns []column, need func(column) int, width, below int) []column {
	for total(columns, need) > width {
		last := len(columns) - 1
		for i, c := range columns {
			if c.keep < columns[last].keep {
				last = i
			}
		}
		if columns[last].keep >= below {
			break
		}
		columns = slices.Delete(columns, last, last+1)
	}
	return columns
}

func total(columns []column, need func(column) int) int {
	sum := len(columns) - 1
	for _, c := range columns {
		sum += need(c)
	}
	return sum
}
