// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"fmt"
	"strings"

	"nuconntrack/cmd/nuctl/connection"
)

// unknown stands for what the kernel does not know.
const unknown = "-"

// column is one of a table.
type column struct {
	title string
	right bool // numbers
	// keep says how long the column stays when the terminal is narrow: the lowest
	// goes first, and those of keepAlways never.
	keep int
	// elastic columns are cut when dropping others is not enough.
	elastic bool
	// sparse columns are there only if a row has something to say.
	sparse bool
	// field is what the column shows, where that is one field.
	field string
	cell  func(row connection.Row, arrow string) string
}

const (
	// keepTranslated is where the results of translation stand among the columns.
	keepTranslated = 45
	keepAlways     = 100
)

// columns are those of the table of connections.
func columns(names Names) []column {
	return []column{
		{title: "PROTO", keep: keepAlways, cell: text("proto")},
		{title: "STATE", field: "state", keep: 50, cell: state},
		{title: "SOURCE", keep: keepAlways, elastic: true, cell: named(names, "src", "dst")},
		{title: "DESTINATION", keep: keepAlways, elastic: true, cell: named(names, "dst", "src")},
		{title: "ZONE", field: "zone", keep: 60, sparse: true, cell: zone},
		{title: "B/S", field: "byte_rate", right: true, keep: 40, cell: size("byte_rate")},
		{title: "SENT", field: "orig_counter_bytes", right: true, keep: 20, cell: size("orig_counter_bytes")},
		{title: "RECEIVED", field: "repl_counter_bytes", right: true, keep: 20, cell: size("repl_counter_bytes")},
		{title: "EXPIRES", field: "timeout", right: true, keep: 10, cell: expires},
		{title: "MARK", field: "mark", right: true, keep: 30, cell: mark},
		{title: "ID", right: true, keep: keepAlways, cell: text("id")},
	}
}

// wideColumns are all there is to know of a connection.
func wideColumns(names Names) []column {
	list := columns(names)
	for i := range list {
		list[i].sparse = false
	}
	last := list[len(list)-1]
	list = append(list[:len(list)-1],
		column{title: "B/S SENT", right: true, cell: size("orig_byte_rate")},
		column{title: "B/S RECEIVED", right: true, cell: size("repl_byte_rate")},
		column{title: "PACKETS SENT", right: true, cell: size("orig_counter_packets")},
		column{title: "PACKETS RECEIVED", right: true, cell: size("repl_counter_packets")},
		column{title: "AGE", right: true, cell: seconds("age")},
		column{title: "FLAGS", cell: flags},
		column{title: "HELPER", cell: text("helper")},
		column{title: "LABELS", cell: text("labels")},
		column{title: "SECCTX", cell: text("secctx")},
		column{title: "USER", sparse: true, cell: text("username")},
		column{title: "CLASS", sparse: true, cell: text("class")},
		column{title: "USE", right: true, cell: text("use")},
		last,
		column{title: "KEY", cell: text("key")})
	return list
}

// fieldColumns are those of a table of chosen fields, as they are.
func fieldColumns(names []string) []column {
	var list []column
	for _, name := range names {
		list = append(list, column{
			title: Clean(name), right: connection.TypeOf(name) == connection.Number,
			keep: keepAlways, elastic: true, cell: text(name),
		})
	}
	return list
}

func text(name string) func(connection.Row, string) string {
	return func(row connection.Row, _ string) string {
		if s, ok := row.Text(name); ok && s != "" {
			return Clean(s)
		}
		return unknown
	}
}

func size(name string) func(connection.Row, string) string {
	return func(row connection.Row, _ string) string {
		if n, ok := row.Number(name); ok {
			return Size(n)
		}
		return unknown
	}
}

func seconds(name string) func(connection.Row, string) string {
	return func(row connection.Row, _ string) string {
		if n, ok := row.Number(name); ok {
			return Seconds(n)
		}
		return unknown
	}
}

// flags are what the status says, - for none of it.
func flags(row connection.Row, _ string) string {
	var set []string
	for _, f := range [][2]string{{"assured", "assured"}, {"seen_reply", "replied"}, {"snat", "snat"}, {"dnat", "dnat"},
		{"fixed_timeout", "fixed"}, {"offload", "offload"}} {
		if on, _ := row.Flag(f[0]); on {
			set = append(set, f[1])
		}
	}
	if len(set) == 0 {
		return unknown
	}
	return strings.Join(set, ",")
}

// ends shows one end as the originator sees it, and behind the arrow what address
// translation makes of it: the other end of the replies.
func ends(orig, reply string) func(connection.Row, string) string {
	return func(row connection.Row, arrow string) string {
		seen, ok := row.Endpoint("orig", orig)
		if !ok {
			return unknown
		}
		if real, ok := row.Endpoint("repl", reply); ok && real != seen {
			return Clean(seen) + arrow + Clean(real)
		}
		return Clean(seen)
	}
}

// state is the protocol's own, or the type of an ICMP message, or what the status says.
func state(row connection.Row, _ string) string {
	if s, ok := row.Text("state"); ok && s != "" {
		return Clean(s)
	}
	kind, ok := row.Number("icmp_type")
	if code, also := row.Number("icmp_code"); ok && also {
		if id, ok := row.Number("icmp_id"); ok {
			return fmt.Sprintf("type %d/%d id %d", kind, code, id)
		}
		return fmt.Sprintf("type %d/%d", kind, code)
	}
	replied, known := row.Flag("seen_reply")
	assured, _ := row.Flag("assured")
	switch {
	case assured:
		return "assured"
	case replied:
		return "replied"
	case known:
		return "unreplied"
	}
	return unknown
}

func zone(row connection.Row, _ string) string {
	if n, ok := row.Number("zone"); ok && n != 0 {
		return fmt.Sprint(n)
	}
	if n, ok := row.Number("orig_zone"); ok && n != 0 {
		return fmt.Sprintf("orig %d", n)
	}
	if n, ok := row.Number("repl_zone"); ok && n != 0 {
		return fmt.Sprintf("repl %d", n)
	}
	return unknown
}

// expires marks with ! a timeout that the kernel no longer renews.
func expires(row connection.Row, _ string) string {
	n, ok := row.Number("timeout")
	if !ok {
		return unknown
	}
	if fixed, _ := row.Flag("fixed_timeout"); fixed {
		return Seconds(n) + "!"
	}
	return Seconds(n)
}

func mark(row connection.Row, _ string) string {
	n, ok := row.Number("mark")
	switch {
	case !ok:
		return unknown
	case n == 0:
		return "0"
	}
	return fmt.Sprintf("%#x", n)
}
