// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"github.com/ti-mo/conntrack"
)

// known is what a client, a library and conntrack(8) all say of a connection with ports,
// and does not change by itself.
type known struct {
	target ipc.Target
	mark   uint32
	state  string // of TCP

	assured, replied bool

	// What conntrack(8) does not print.
	status uint32
	start  string
}

// asConntrack is what conntrack(8) prints of it.
func (k known) asConntrack() known {
	k.status, k.start = 0, ""
	return k
}

// tcpStates is the kernel's enum tcp_conntrack (nf_conntrack_tcp.h).
var tcpStates = [...]string{"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE"}

// knownRow reads a row. What it does not have is zero.
func knownRow(r row) (k known, err error) {
	text := func(field string) string {
		s, _ := r[field].(string)
		return s
	}
	number := func(field string) uint16 {
		n, _ := r[field].(int)
		return uint16(n)
	}
	address := func(field string) (a netip.Addr) {
		for _, name := range [...]string{field, strings.Replace(field, "_", "_ipv4_", 1), strings.Replace(field, "_", "_ipv6_", 1)} {
			if s := text(name); s != "" && err == nil {
				a, err = netip.ParseAddr(s)
				return a
			}
		}
		return a
	}
	wide := func(field string) uint32 {
		n, e := strconv.ParseUint(text(field), 10, 32)
		if e != nil && err == nil {
			err = fmt.Errorf("%s: %w", field, e)
		}
		return uint32(n)
	}
	k.target = ipc.Target{Family: ipc.FamilyIPv4, Protocol: uint8(number("orig_l4proto")), ID: wide("id"),
		Orig: ipc.Tuple{Kind: ipc.Ports, Src: address("orig_src"), Dst: address("orig_dst"),
			SrcPort: number("orig_port_src"), DstPort: number("orig_port_dst"), Zone: number("zone") + number("orig_zone")},
		Reply: ipc.Tuple{Kind: ipc.Ports, Src: address("repl_src"), Dst: address("repl_dst"),
			SrcPort: number("repl_port_src"), DstPort: number("repl_port_dst"), Zone: number("zone") + number("repl_zone")}}
	if k.target.Orig.Src.Is6() {
		k.target.Family = ipc.FamilyIPv6
	}
	k.mark, k.state, k.status, k.start = wide("mark"), text("state"), uint32(number("status")), text("start")
	k.assured, _ = r["assured"].(bool)
	k.replied, _ = r["seen_reply"].(bool)
	return k, err
}

// listedBySyscall is the kernel's table as a library has it, with the timeouts.
func listedBySyscall(t testing.TB) map[known]uint32 {
	t.Helper()
	all := make(map[known]uint32)
	for _, f := range nstest.List(t) {
		side := func(u conntrack.Tuple) ipc.Tuple {
			return ipc.Tuple{Kind: ipc.Ports, Src: u.IP.SourceAddress, Dst: u.IP.DestinationAddress,
				SrcPort: u.Proto.SourcePort, DstPort: u.Proto.DestinationPort, Zone: f.Zone + u.Zone}
		}
		k := known{mark: f.Mark, status: uint32(f.Status), assured: f.Status.Assured(), replied: f.Status.SeenReply(),
			start: f.Timestamp.Start.UTC().Format("2006-01-02T15:04:05.000Z")}
		k.target = ipc.Target{Family: ipc.FamilyIPv4, Protocol: f.TupleOrig.Proto.Protocol, ID: f.ID,
			Orig: side(f.TupleOrig), Reply: side(f.TupleReply)}
		if f.TupleOrig.IP.IsIPv6() {
			k.target.Family = ipc.FamilyIPv6
		}
		if tcp := f.ProtoInfo.TCP; tcp != nil {
			k.state = tcpStates[tcp.State]
		}
		all[k] = f.Timeout
	}
	return all
}

// listedByConntrack is the kernel's table as conntrack(8) prints it, with the timeouts.
func listedByConntrack(t testing.TB) map[known]uint32 {
	t.Helper()
	all := make(map[known]uint32)
	for _, family := range [...]string{"ipv4", "ipv6"} {
		out, err := exec.Command("conntrack", "-L", "-f", family, "-o", "id,extended").Output()
		if err != nil {
			t.Fatalf("conntrack -L: %v", err)
		}
		for line := range strings.Lines(string(out)) {
			k, timeout, err := knownLine(strings.Fields(line))
			if err != nil {
				t.Fatalf("conntrack -L printed %q: %v", line, err)
			}
			all[k] = timeout
		}
	}
	return all
}

// knownLine reads a line such as
//
//	ipv4 2 tcp 6 2999 ESTABLISHED src=… dst=… sport=… dport=… [UNREPLIED] src=… … mark=5 zone=3 use=1 id=7
func knownLine(words []string) (k known, timeout uint32, err error) {
	if len(words) < 6 {
		return k, 0, fmt.Errorf("%d words", len(words))
	}
	number := func(s string) uint32 {
		n, e := strconv.ParseUint(s, 10, 32)
		if e != nil {
			err = e
		}
		return uint32(n)
	}
	k.target.Family, k.target.Protocol, timeout = uint8(number(words[1])), uint8(number(words[3])), number(words[4])
	k.replied = true
	sides := [...]*ipc.Tuple{&k.target.Orig, &k.target.Reply}
	at := -1
	for _, word := range words[5:] {
		name, value, _ := strings.Cut(word, "=")
		if name == "src" {
			at++
		}
		u := sides[min(max(at, 0), 1)]
		switch name {
		case "src":
			u.Kind = ipc.Ports
			u.Src, err = netip.ParseAddr(value)
		case "dst":
			u.Dst, err = netip.ParseAddr(value)
		case "sport":
			u.SrcPort = uint16(number(value))
		case "dport":
			u.DstPort = uint16(number(value))
		case "zone-orig", "zone-reply":
			u.Zone = uint16(number(value))
		case "zone":
			k.target.Orig.Zone, k.target.Reply.Zone = uint16(number(value)), uint16(number(value))
		case "mark":
			k.mark = number(value)
		case "id":
			k.target.ID = number(value)
		case "[ASSURED]":
			k.assured = true
		case "[UNREPLIED]":
			k.replied = false
		case "packets", "bytes", "use", "delta-time":
		default:
			k.state = word
		}
		if err != nil {
			return k, timeout, fmt.Errorf("%s: %w", word, err)
		}
	}
	return k, timeout, nil
}
