// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"fmt"
	"slices"
	"strings"

	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/output"
)

// nameOf says in words which connection a row is. The text is clean.
func nameOf(row connection.Row) string {
	if _, group := row["connections"]; group {
		return "group " + output.Text(row, "value")
	}
	return fmt.Sprintf("%s %s > %s", output.Text(row, "proto"), output.Source(row, "->"), output.Destination(row, "->"))
}

// rowFields are what the table asks of the server.
func rowFields() []string {
	return append(connection.Summary(), "key", "username", "age", "snat", "dnat", "offload")
}

// detailFields are all, and those that name either family.
func detailFields() []string {
	var names []string
	for _, f := range connection.Fields() {
		names = append(names, f.Name)
	}
	return append(names, "orig_src", "orig_dst", "repl_src", "repl_dst", "proto")
}

// detailLines are all about a connection, in words where there are some.
func detailLines(row connection.Row) []string {
	lines := []string{
		fmt.Sprintf("%s  %s   id %s", output.Text(row, "proto"), output.State(row), output.Text(row, "id")),
		"",
		"original  " + tuple(row, "orig"),
		"reply     " + tuple(row, "repl"),
		"NAT       " + translation(row),
		"",
		"sent      " + counters(row, "orig"),
		"received  " + counters(row, "repl"),
		"",
		"expires   " + expiry(row),
		"started   " + output.Text(row, "start") + age(row),
		"mark      " + output.Mark(row),
		"flags     " + flags(row),
	}
	told := []string{"id", "proto", "state", "start", "age", "mark", "timeout", "status", "key", "byte_rate", "proto"}
	for _, f := range connection.Fields() {
		if _, ok := row.Text(f.Name); !ok || slices.Contains(told, f.Name) || f.Type == connection.Flag && f.Name != "authenticated" ||
			strings.HasPrefix(f.Name, "orig_") && f.Name != "orig_zone" || strings.HasPrefix(f.Name, "repl_") && f.Name != "repl_zone" {
			continue
		}
		lines = append(lines, fmt.Sprintf("%-9s %s", f.Name, output.Text(row, f.Name)))
	}
	return append(lines, "", "key "+output.Text(row, "key"))
}

func tuple(row connection.Row, direction string) string {
	end := func(which string) string {
		if text, ok := row.Endpoint(direction, which); ok {
			return output.Clean(text)
		}
		return "-"
	}
	return end("src") + "  >  " + end("dst")
}

// translation says what the tuples' difference means.
func translation(row connection.Row) string {
	var parts []string
	for _, kind := range []struct{ flag, what, orig, reply string }{
		{"snat", "source becomes ", "src", "dst"}, {"dnat", "destination becomes ", "dst", "src"},
	} {
		if set, _ := row.Flag(kind.flag); set {
			to, _ := row.Endpoint("repl", kind.reply)
			parts = append(parts, kind.what+output.Clean(to))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func counters(row connection.Row, direction string) string {
	packets, ok := row.Number(direction + "_counter_packets")
	bytes, also := row.Number(direction + "_counter_bytes")
	if !ok || !also {
		return "- (no accounting)"
	}
	return fmt.Sprintf("%d bytes (%s) in %d packets, %s B/s", bytes, output.Size(bytes), packets,
		output.SizeOf(row, direction+"_byte_rate"))
}

func expiry(row connection.Row) string {
	n, ok := row.Number("timeout")
	if !ok {
		return "-"
	}
	text := fmt.Sprintf("in %s (%d s)", output.Seconds(n), n)
	if fixed, _ := row.Flag("fixed_timeout"); fixed {
		return text + ", fixed: whatever passes"
	}
	return text + " unless a packet passes"
}

func age(row connection.Row) string {
	if n, ok := row.Number("age"); ok {
		return ", " + output.Seconds(n) + " ago"
	}
	return ""
}

func flags(row connection.Row) string {
	var set []string
	for _, name := range []string{"assured", "seen_reply", "snat", "dnat", "fixed_timeout", "offload"} {
		if on, ok := row.Flag(name); ok && on {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		set = []string{"none"}
	}
	return strings.Join(set, " ") + " (status " + output.Text(row, "status") + ")"
}
