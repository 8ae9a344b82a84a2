// SPDX-License-Identifier: GPL-2.0-or-later

package audit

import (
	"io"
	"net/netip"
	"testing"

	"nuconntrack/ipc"
)

func BenchmarkLines(b *testing.B) {
	addr := netip.MustParseAddr
	e := Entry{Phase: Result, Op: ipc.OpKill, Outcome: ipc.Killed, Peer: ipc.Peer{UID: 997, PID: 4711},
		Actor: ipc.Actor{RequestID: 1 << 40, User: "ann", Client: "192.0.2.7:51234"},
		Target: ipc.Target{Family: ipc.FamilyIPv4, Protocol: 6, ID: 3000000001,
			Orig:  ipc.Tuple{Src: addr("192.0.2.1"), Dst: addr("198.51.100.7"), Kind: ipc.Ports, SrcPort: 40000, DstPort: 443},
			Reply: ipc.Tuple{Src: addr("198.51.100.7"), Dst: addr("192.0.2.1"), Kind: ipc.Ports, SrcPort: 443, DstPort: 40000}}}
	lines := NewLines(io.Discard)
	b.ReportAllocs()
	for b.Loop() {
		if err := lines.Write(e); err != nil {
			b.Fatal(err)
		}
	}
}
