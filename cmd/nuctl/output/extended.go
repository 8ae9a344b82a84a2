// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"fmt"
	"io"
	"strings"

	"nuconntrack/cmd/nuctl/connection"
)

// extendedWriter writes what `conntrack -L -o extended` does (libnetfilter_conntrack,
// src/conntrack/snprintf_default.c). What a row lacks is left out, as it does.
type extendedWriter struct{ out io.Writer }

// Page writes the rows.
func (w *extendedWriter) Page(rows []connection.Row) error {
	var b strings.Builder
	for _, row := range rows {
		extended(&b, row)
	}
	_, err := io.WriteString(w.out, b.String())
	return err
}

// End writes nothing: the format has no end.
func (w *extendedWriter) End() error { return nil }

func extended(b *strings.Builder, row connection.Row) {
	family, _ := row.Number("orig_l3proto")
	name := "ipv4"
	if family != 2 {
		name = "ipv6"
	}
	protocol, _ := row.Number("orig_l4proto")
	fmt.Fprintf(b, "%-8s %d %-8s %d", name, family, conntrackName(protocol), protocol)
	if n, ok := row.Number("timeout"); ok {
		fmt.Fprintf(b, " %d", n)
	}
	if state, ok := row.Text("state"); ok && state != "" {
		b.WriteString(" " + Clean(state))
	}
	status, known := row.Number("status")
	extendedSide(b, row, protocol, "orig")
	if known && status&statusSeenReply == 0 {
		b.WriteString(" [UNREPLIED]")
	}
	extendedSide(b, row, protocol, "repl")
	switch {
	case status&statusHWOffload != 0:
		b.WriteString(" [HW_OFFLOAD]")
	case status&statusOffload != 0:
		b.WriteString(" [OFFLOAD]")
	case status&statusAssured != 0:
		b.WriteString(" [ASSURED]")
	}
	for _, f := range [][2]string{
		{"mark", "mark"}, {"secctx", "secctx"}, {"zone", "zone"}, {"delta-time", "age"}, {"helper", "helper"}, {"use", "use"},
	} {
		if value, ok := row.Text(f[1]); ok && value != "" {
			fmt.Fprintf(b, " %s=%s", f[0], Clean(value))
		}
	}
	b.WriteByte('\n')
}

// extendedSide writes the tuple of one direction, its zone and its counters.
func extendedSide(b *strings.Builder, row connection.Row, protocol uint64, side string) {
	for _, end := range []string{"src", "dst"} {
		if addr, ok := row.Text(side + "_" + end); ok && addr != "" {
			fmt.Fprintf(b, " %s=%s", end, Clean(addr))
		}
	}
	if kind, ok := row.Number("icmp_type"); ok {
		if side == "repl" {
			kind, _ = answerType(protocol, kind)
		}
		code, _ := row.Number("icmp_code")
		id, _ := row.Number("icmp_id")
		fmt.Fprintf(b, " type=%d code=%d id=%d", kind, code, id)
	}
	from, ok := port(row, side+"_port_src")
	to, also := port(row, side+"_port_dst")
	switch {
	case !ok || !also:
	case protocol == protoGRE:
		fmt.Fprintf(b, " srckey=%#x dstkey=%#x", from, to)
	default:
		fmt.Fprintf(b, " sport=%d dport=%d", from, to)
	}
	zone, title := side+"_zone", "zone-orig"
	if side == "repl" {
		title = "zone-reply"
	}
	if n, ok := row.Number(zone); ok {
		fmt.Fprintf(b, " %s=%d", title, n)
	}
	packets, ok := row.Number(side + "_counter_packets")
	bytes, also := row.Number(side + "_counter_bytes")
	if ok && also {
		fmt.Fprintf(b, " packets=%d bytes=%d", packets, bytes)
	}
}
