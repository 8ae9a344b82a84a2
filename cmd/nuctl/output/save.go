// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"nuconntrack/cmd/nuctl/connection"
)

// saveWriter writes the commands that `conntrack --load-file` reads, as `conntrack -L -o save`
// does (conntrack-tools, src/conntrack.c), and the mark besides. The file is run by root:
// nothing gets into it but numbers, addresses that were parsed, and words from here.
//
// One line that conntrack refuses makes it load nothing at all, so connections that cannot
// be said, or that it or the kernel would refuse, are left out and counted.
type saveWriter struct {
	out     io.Writer
	reasons []string // in the order of their first row
	left    map[string]int
}

// Why a connection cannot be saved. Each was tried with conntrack 1.4.7 on Linux 6.18.
var (
	errSaveDCCP      = errors.New("DCCP: conntrack wants a state and a role that the kernel does not tell")
	errSaveSCTP      = errors.New("SCTP: conntrack wants the verification tags of the association, which are not known here")
	errSaveZones     = errors.New("a zone for each direction: the kernel refuses such entries from conntrack")
	errSaveICMP      = errors.New("ICMP: only questions and their answers can be created")
	errSaveState     = errors.New("TCP without a state that conntrack knows")
	errSavePorts     = errors.New("no ports or keys, which its protocol has")
	errSaveAddress   = errors.New("an address is missing or of another family")
	errSaveProtocol  = errors.New("no protocol")
	errSaveStateless = errors.New("no timeout or status")
)

// Page writes the rows that can be loaded again.
func (w *saveWriter) Page(rows []connection.Row) error {
	var b strings.Builder
	for _, row := range rows {
		line, err := saved(row)
		if err == nil {
			b.WriteString(line + "\n")
			continue
		}
		reason := err.Error()
		if w.left[reason] == 0 {
			w.reasons = append(w.reasons, reason)
		}
		w.left[reason]++
	}
	_, err := io.WriteString(w.out, b.String())
	return err
}

// End writes nothing: the format has no end.
func (w *saveWriter) End() error { return nil }

// Notes say how many connections were left out, and why.
func (w *saveWriter) Notes() []string {
	var notes []string
	for _, reason := range w.reasons {
		n := w.left[reason]
		noun := "connections"
		if n == 1 {
			noun = "connection"
		}
		notes = append(notes, fmt.Sprintf("%d %s left out: %s", n, noun, reason))
	}
	return notes
}

// saved writes one connection. The mark stands behind the status: conntrack takes the number
// of the status for the mark if it comes later.
func saved(row connection.Row) (string, error) {
	protocol, ok := row.Number("orig_l4proto")
	if !ok || protocol > 255 {
		return "", errSaveProtocol
	}
	timeout, ok := within(row, "timeout", math.MaxUint32)
	status, also := row.Number("status")
	if !ok || !also {
		return "", errSaveStateless
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-A -t %d -u %s", timeout, savedStatus(status))
	if mark, ok := within(row, "mark", math.MaxUint32); ok && mark != 0 {
		fmt.Fprintf(&b, " -m %d", mark)
	}
	if err := saveZones(&b, row); err != nil {
		return "", err
	}
	if err := saveAddresses(&b, row); err != nil {
		return "", err
	}
	if err := saveProtocol(&b, row, protocol); err != nil {
		return "", err
	}
	return b.String(), nil
}

// savedStatus names the bits that can be given to a new entry.
func savedStatus(status uint64) string {
	var names []string
	if status&statusSeenReply != 0 {
		names = append(names, "SEEN_REPLY")
	}
	if status&statusAssured != 0 {
		names = append(names, "ASSURED")
	}
	if len(names) == 0 {
		return "UNSET"
	}
	return strings.Join(names, ",")
}

func saveZones(b *strings.Builder, row connection.Row) error {
	_, orig := row.Number("orig_zone")
	_, reply := row.Number("repl_zone")
	if orig && reply {
		return errSaveZones
	}
	for _, z := range [][2]string{{"-w", "zone"}, {"--orig-zone", "orig_zone"}, {"--reply-zone", "repl_zone"}} {
		if n, ok := within(row, z[1], math.MaxUint16); ok {
			fmt.Fprintf(b, " %s %d", z[0], n)
		}
	}
	return nil
}

func saveAddresses(b *strings.Builder, row connection.Row) error {
	family, _ := row.Number("orig_l3proto")
	for _, a := range [][2]string{{"-s", "orig_src"}, {"-d", "orig_dst"}, {"-r", "repl_src"}, {"-q", "repl_dst"}} {
		addr, ok := address(row, a[1])
		if !ok || addr.Is4() != (family == 2) {
			return errSaveAddress
		}
		fmt.Fprintf(b, " %s %s", a[0], addr)
	}
	return nil
}

func saveProtocol(b *strings.Builder, row connection.Row, protocol uint64) error {
	switch protocol {
	case protoTCP:
		state, _ := row.Text("state")
		if !slices.Contains(savedStates(), state) {
			return errSaveState
		}
		if err := savePorts(b, row, "tcp", "--sport", "--dport", "--reply-port-src", "--reply-port-dst"); err != nil {
			return err
		}
		b.WriteString(" --state " + state)
		return nil
	case protoUDP, protoUDPLite:
		return savePorts(b, row, conntrackName(protocol), "--sport", "--dport", "--reply-port-src", "--reply-port-dst")
	case protoGRE:
		return savePorts(b, row, "gre", "--srckey", "--dstkey", "--reply-key-src", "--reply-key-dst")
	case protoICMP, protoICMPv6:
		return saveICMP(b, row, protocol)
	case protoSCTP:
		return errSaveSCTP
	case protoDCCP:
		return errSaveDCCP
	}
	fmt.Fprintf(b, " -p %d", protocol)
	return nil
}

// savedStates are the states of TCP by the names that conntrack takes; it calls the last
// one LISTEN, too.
func savedStates() []string {
	return strings.Fields("NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE SYN_SENT2")
}

func savePorts(b *strings.Builder, row connection.Row, name string, options ...string) error {
	b.WriteString(" -p " + name)
	for i, field := range []string{"orig_port_src", "orig_port_dst", "repl_port_src", "repl_port_dst"} {
		n, ok := port(row, field)
		if !ok {
			return errSavePorts
		}
		fmt.Fprintf(b, " %s %d", options[i], n)
	}
	return nil
}

func saveICMP(b *strings.Builder, row connection.Row, protocol uint64) error {
	kind, ok := row.Number("icmp_type")
	if _, asks := answerType(protocol, kind); !ok || !asks {
		return errSaveICMP
	}
	name := conntrackName(protocol)
	fmt.Fprintf(b, " -p %s", name)
	for _, part := range []string{"type", "code", "id"} {
		n, ok := within(row, "icmp_"+part, math.MaxUint16)
		if !ok {
			return errSaveICMP
		}
		fmt.Fprintf(b, " --%s-%s %d", name, part, n)
	}
	return nil
}
