// SPDX-License-Identifier: GPL-2.0-or-later

package connection

import (
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

// OfKey is a row with the addresses, ports and protocol that a key holds. The error says what
// is wrong with the key, which is the network's.
func OfKey(key string) (Row, error) {
	target, err := ident.DecodeKey(key)
	if err != nil {
		return nil, err
	}
	return ofTarget(target), nil
}

func ofTarget(t ipc.Target) Row {
	row := Row{"proto": table.ProtocolName(t.Protocol)}
	for _, d := range []struct {
		name  string
		tuple ipc.Tuple
	}{{"orig", t.Orig}, {"repl", t.Reply}} {
		row[d.name+"_src"], row[d.name+"_dst"] = d.tuple.Src.String(), d.tuple.Dst.String()
		if d.tuple.Kind == ipc.Ports {
			row[d.name+"_port_src"], row[d.name+"_port_dst"] = int64(d.tuple.SrcPort), int64(d.tuple.DstPort)
		}
	}
	return row
}
