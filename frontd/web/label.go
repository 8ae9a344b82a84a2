// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"net"
	"net/netip"
	"strconv"

	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

// endpoint is an address with its port, if it has one.
func endpoint(addr netip.Addr, port uint16, kind ipc.PortKind) string {
	if kind != ipc.Ports {
		return addr.String()
	}
	return net.JoinHostPort(addr.String(), strconv.Itoa(int(port)))
}

// source and destination are the ends of one direction.
func source(t ipc.Tuple) string      { return endpoint(t.Src, t.SrcPort, t.Kind) }
func destination(t ipc.Tuple) string { return endpoint(t.Dst, t.DstPort, t.Kind) }

// translated is what replies go to in place of a connection's source, or come from in place of its
// destination, for the columns of these; "" for others and where nothing is translated.
func translated(field string, t ipc.Target) string {
	from, to := t.Orig.Src, t.Reply.Dst
	fromPort, toPort := t.Orig.SrcPort, t.Reply.DstPort
	other := destination(t.Reply)
	if field == "orig_dst" {
		from, to = t.Orig.Dst, t.Reply.Src
		fromPort, toPort = t.Orig.DstPort, t.Reply.SrcPort
		other = source(t.Reply)
	} else if field != "orig_src" {
		return ""
	}
	if from == to && (fromPort == toPort || t.Orig.Kind != ipc.Ports || t.Reply.Kind != ipc.Ports) {
		return ""
	}
	return other
}

// label names a connection for people: its protocol, and the ends that it was opened between.
func label(protocol string, t ipc.Target) string {
	return protocol + " " + source(t.Orig) + " → " + destination(t.Orig)
}

// labelOf names the connection of a row.
func labelOf(s *table.Snapshot, row int32) string {
	return label(protocolOf(s, row), s.Target(row))
}

// protocolOf is the name of a row's protocol.
func protocolOf(s *table.Snapshot, row int32) string {
	f, _ := table.FieldNamed("proto")
	v, _ := f.Value(s, row)
	return v.Text
}

// labelOfKey names the connection of a key, by the protocol's number where that is all there is;
// "" for what is no key.
func labelOfKey(key string) string {
	t, err := ident.DecodeKey(key)
	if err != nil {
		return ""
	}
	return label(table.ProtocolName(t.Protocol), t)
}
