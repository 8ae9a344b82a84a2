// SPDX-License-Identifier: GPL-2.0-or-later

package audit

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"nuconntrack/ipc"

	"golang.org/x/sys/unix"
)

// RequestID names a request as NUCT_REQUEST_ID does.
func RequestID(a ipc.Actor) string { return string(appendRequest(nil, a)) }

func appendRequest(b []byte, a ipc.Actor) []byte {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], a.RequestID)
	return hex.AppendEncode(b, raw[:])
}

// appendMessage writes the entry for people, for whom a list of entries shows nothing else.
// What the front daemon claims is quoted, so that no name can pass for what follows it.
func (e *Entry) appendMessage(b []byte) []byte {
	write := func(texts ...string) {
		for _, s := range texts {
			b = append(b, s...)
		}
	}
	write(e.Op.String())
	if e.Op == ipc.OpChange {
		write(" ", e.Field.String())
		if e.New != nil {
			write(" to ")
			b = appendNumber(b, e.New)
		}
	}
	if e.Phase == Intent {
		write(" asked")
	} else {
		write(": ", e.Outcome.String())
	}
	if e.Rule != "" {
		write(" by rule ", e.Rule)
	}
	if e.Errno != 0 {
		write(" (", unix.Errno(e.Errno).Error(), ")")
	}
	if e.Detail != "" {
		write(" (", e.Detail, ")")
	}
	write(": ")
	b = appendTuple(b, e.Target.Protocol, e.Target.Orig)
	write(", request ")
	b = appendRequest(b, e.Actor)
	if e.Actor.User != "" {
		write(", user ")
		b = strconv.AppendQuote(b, e.Actor.User)
	}
	if e.Actor.Client != "" {
		write(", client ")
		b = strconv.AppendQuote(b, e.Actor.Client)
	}
	return b
}

func appendNumber(b []byte, v *uint32) []byte {
	if v == nil {
		return b
	}
	return strconv.AppendUint(b, uint64(*v), 10)
}

// appendZone writes the zone of both directions, or each with its direction.
func appendZone(b []byte, t ipc.Target) []byte {
	if t.Orig.Zone == t.Reply.Zone {
		return strconv.AppendUint(b, uint64(t.Orig.Zone), 10)
	}
	b = strconv.AppendUint(append(b, "orig="...), uint64(t.Orig.Zone), 10)
	return strconv.AppendUint(append(b, " repl="...), uint64(t.Reply.Zone), 10)
}

// appendTuple writes a tuple as conntrack(8) does.
func appendTuple(b []byte, protocol uint8, t ipc.Tuple) []byte {
	b = appendProtocol(b, protocol)
	b = t.Src.WithZone("").AppendTo(append(b, " src="...))
	b = t.Dst.WithZone("").AppendTo(append(b, " dst="...))
	number := func(name string, n uint64) {
		b = strconv.AppendUint(append(b, name...), n, 10)
	}
	switch t.Kind {
	case ipc.Ports:
		number(" sport=", uint64(t.SrcPort))
		number(" dport=", uint64(t.DstPort))
	case ipc.ICMP:
		number(" type=", uint64(t.ICMPType()))
		number(" code=", uint64(t.ICMPCode()))
		number(" id=", uint64(t.SrcPort))
	}
	return b
}

func appendProtocol(b []byte, n uint8) []byte {
	if name := protocolName(n); name != "" {
		return append(b, name...)
	}
	return strconv.AppendUint(append(b, "proto="...), uint64(n), 10)
}

// protocolName is empty where conntrack(8) has none.
func protocolName(n uint8) string {
	switch n {
	case 1:
		return "icmp"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 33:
		return "dccp"
	case 47:
		return "gre"
	case 58:
		return "icmpv6"
	case 132:
		return "sctp"
	case 136:
		return "udplite"
	}
	return ""
}
