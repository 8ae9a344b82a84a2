// SPDX-License-Identifier: GPL-2.0-or-later

package table

func counterFields() []Field {
	counter := func(name string, need uint32, place int, help string) Field {
		col := func(c *columns) []uint64 { return c.counter[place] }
		return number(name, TypeString, maxU64, columnOf(KindU64, need, col), help).withUnit(unitSize)
	}
	rate := func(name string, need uint32, direction int, help string) Field {
		col := func(c *columns) []uint64 { return c.rate[direction] }
		return number(name, TypeString, maxU64, columnOf(KindU64, need, col), help).withUnit(unitSize)
	}
	return []Field{
		counter("orig_counter_packets", hasOrigCounters, origPackets, "Packets sent by who opened the connection, with accounting."),
		counter("orig_counter_bytes", hasOrigCounters, origBytes, "Bytes sent by who opened the connection, with accounting."),
		counter("repl_counter_packets", hasReplCounters, replPackets, "Packets sent in answer, with accounting."),
		counter("repl_counter_bytes", hasReplCounters, replBytes, "Bytes sent in answer, with accounting."),
		rate("orig_byte_rate", hasOrigRate, 0, "Bytes a second sent by who opened the connection, with accounting."),
		rate("repl_byte_rate", hasReplRate, 1, "Bytes a second sent in answer, with accounting."),
		number("byte_rate", TypeString, maxU64, rateSumAccess(), "Bytes a second in both directions together, with accounting.").withUnit(unitSize),
	}
}

func timeFields() []Field {
	return []Field{
		{Name: "start", Type: TypeString, Filter: true, Sort: true, Listed: true, class: classTime, access: startAccess(),
			Help: "When the connection began, in RFC 3339 and UTC, with timestamps."},
		number("age", TypeInt, maxInt, ageAccess(), "Seconds from the beginning of the connection to the reading of the table, with timestamps.").withUnit(unitSeconds),
	}
}

func textFields() []Field {
	text := func(name string, a access, help string) Field {
		return Field{Name: name, Type: TypeString, Filter: true, Sort: true, Listed: true, Help: help,
			class: classText, access: a}
	}
	return []Field{
		text("helper", nameAccess(hasHelper, func(c *columns) []uint16 { return c.helper }),
			"Name of the kernel's helper that follows the connection, such as ftp."),
		text("labels", nameAccess(hasLabels, func(c *columns) []uint16 { return c.labels }),
			"Connection labels (connlabels) as one hexadecimal number."),
		text("secctx", nameAccess(hasSecctx, func(c *columns) []uint16 { return c.secctx }),
			"Security context (SELinux) of the connection."),
	}
}

// synonymFields are shown only where they are asked for by name, or not at all.
func synonymFields() []Field {
	address := func(name string, side int, help string) Field {
		return Field{Name: name, Type: TypeString, Filter: true, Sort: true, Help: help,
			class: classAddr, side: side, access: addrAccess(side, 0)}
	}
	return []Field{
		address("orig_src", origSrc, "Address of who opened the connection, IPv4 or IPv6."),
		address("orig_dst", origDst, "Address that was asked for, IPv4 or IPv6, before any translation."),
		address("repl_src", replSrc, "Address that answers come from, IPv4 or IPv6."),
		address("repl_dst", replDst, "Address that answers go to, IPv4 or IPv6."),
		{Name: "proto", Type: TypeString, Filter: true, Sort: true, class: classNumber, limit: maxU8, named: protocolNumber,
			anyOf:  []string{"orig_l4proto"},
			access: protocolAccess(), Help: "Name of the IP protocol, such as tcp, or its number where it has no name here."},
		{Name: "address", Type: TypeString, Filter: true, class: classAddr, anyOf: []string{"orig_src", "orig_dst", "repl_src", "repl_dst"},
			Help: "Any of the four addresses; only for filters."},
		{Name: "port", Type: TypeInt, Filter: true, class: classNumber, limit: maxU16, unit: unitPort,
			anyOf: []string{"orig_port_src", "orig_port_dst", "repl_port_src", "repl_port_dst"},
			Help:  "Any of the four ports; only for filters."},
	}
}
