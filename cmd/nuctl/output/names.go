// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"net"
	"strconv"

	"nuconntrack/cmd/nuctl/connection"
)

// named is ends with names in the place of numbers, as far as they are known.
func named(names Names, orig, reply string) func(connection.Row, string) string {
	if names == nil {
		return ends(orig, reply)
	}
	return func(row connection.Row, arrow string) string {
		seen, ok := row.Endpoint("orig", orig)
		if !ok {
			return unknown
		}
		cell := namedEnd(names, row, "orig", orig)
		if real, ok := row.Endpoint("repl", reply); ok && real != seen {
			cell += arrow + namedEnd(names, row, "repl", reply)
		}
		return cell
	}
}

func namedEnd(names Names, row connection.Row, direction, end string) string {
	addr, _ := row.Text(direction + "_" + end)
	host := names.Host(addr)
	n, ok := port(row, direction+"_port_"+end)
	if !ok {
		return Clean(host)
	}
	service := strconv.FormatUint(n, 10)
	if protocol, ok := row.Text("proto"); ok {
		service = names.Service(protocol, n)
	}
	return Clean(net.JoinHostPort(host, service))
}
