// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math"
	"slices"

	"nuconntrack/ipc"
)

// Wire types of fields, as the method `fields` names them. A string may hold a number
// that XML-RPC's int of 32 signed bits cannot.
const (
	TypeInt    = "int"
	TypeString = "string"
	TypeBool   = "boolean"
)

// class says what the values of a field are to a filter.
type class uint8

const (
	classNumber class = iota + 1
	classFlag
	classAddr
	classTime
	classText // compared as it is, upper and lower case being different
	className // one of a fixed set of names, in any case
	classKey
)

// unit says how expressions may write a number besides its digits.
type unit uint8

const (
	unitSize    unit = iota + 1 // 100k, 1.5M
	unitSeconds                 // 30s, 1h30m
	unitPort                    // :443, as ss writes it
)

// Field is one thing that can be known of a connection. The zero Field is none.
type Field struct {
	Name string
	// Type is one of TypeInt, TypeString and TypeBool, and never changes with the value.
	Type string
	// Filter says that it may be a member of a filter, Sort that rows can be ordered by it.
	Filter, Sort bool
	// Listed says that a row shows it without being asked. What is neither listed nor
	// sortable stands for several fields at once and has no value.
	Listed bool
	// Help is a plain sentence for users, with the unit.
	Help string

	class  class
	side   int      // classAddr: which of the four addresses
	family uint8    // classAddr: the only family that has it, 0 for both
	anyOf  []string // a filter looks at these fields instead
	limit  uint64   // classNumber: the largest value a filter may name
	hex    bool     // classNumber: filters may name it in hexadecimal, with a mask
	unit   unit     // classNumber: how expressions may write it besides digits
	named  func(name string) (uint64, bool)
	needs  need // 0: the field is there in any case
	access access
}

// access reads one field of the rows.
type access struct {
	// value gives what one row shows, and false if the row lacks the field.
	value func(s *Snapshot, row int) (Value, bool)
	// bind makes the loader of one snapshot. What it loads orders as the field does.
	bind func(s *Snapshot) Loader
	// test, where it is not nil, asks the same as a pass over what bind loads, sooner.
	test func(s *Snapshot, set numbers) pass
	// texts gives all texts of one snapshot, sorted: what bind loads are places in it.
	texts func(s *Snapshot) []string
}

// Value gives what a row has in the field; false: the row does not have it.
func (f *Field) Value(s *Snapshot, row int32) (Value, bool) {
	if f.access.value == nil {
		return Value{}, false
	}
	return f.access.value(s, int(row))
}

// Load makes the loader of a snapshot. What it loads orders as the field does, but for addresses
// of IPv6, of which it is the first part: see PrefixIPv6. The field must be one to sort or group by.
func (f *Field) Load(s *Snapshot) Loader { return f.access.bind(s) }

// IsAddress says that the values are addresses.
func (f *Field) IsAddress() bool { return f.class == classAddr }

// IsKey says that the values are keys. What is loaded of one is the id with which it begins.
func (f *Field) IsKey() bool { return f.class == classKey }

// IPv6 gives the whole address of a row of IPv6, in a field of addresses. It is the table's own: it
// must not be changed.
func (f *Field) IPv6(s *Snapshot, row int32) *[16]byte { return &s.addr6[s.addr[f.side][row]] }

// Groups says whether rows can be grouped by the field: not by what is another number or
// time with nearly every connection.
func (f *Field) Groups() bool {
	return f.access.bind != nil && f.class != classKey && f.class != classTime &&
		f.unit != unitSize && f.unit != unitSeconds && f.Name != "id"
}

// Fields gives all fields, in the order in which a row shows them, those too that are not
// there everywhere: see Meaning.Has.
func Fields() []Field { return slices.Clone(fieldTable) }

// FieldNamed finds a field by its exact name.
func FieldNamed(name string) (Field, bool) {
	for i := range fieldTable {
		if fieldTable[i].Name == name {
			return fieldTable[i], true
		}
	}
	return Field{}, false
}

// GroupingNames are the fields that connections can be grouped by.
func GroupingNames() []string {
	var names []string
	for _, f := range fieldTable {
		if f.Groups() {
			names = append(names, f.Name)
		}
	}
	return names
}

// The largest values that filters may name.
const (
	maxU8  = math.MaxUint8
	maxU16 = math.MaxUint16
	maxInt = math.MaxInt32 // of XML-RPC's int
	maxU32 = math.MaxUint32
	maxU64 = math.MaxUint64
)

// fieldTable is the one list of the fields. It is never written to.
var fieldTable = slices.Concat(
	[]Field{
		number("id", TypeString, maxU32, idAccess(), "The kernel's id of the connection: nearly, not quite, unique."),
		{Name: "key", Type: TypeString, Filter: true, Sort: true, Listed: true, class: classKey, access: keyAccess(),
			Help: "Names exactly this connection, by both tuples, their zones and the id; use it to kill or change."},
		number("orig_l3proto", TypeInt, maxU8, columnOf(KindInt, 0, func(c *columns) []uint8 { return c.family }),
			"Address family as the kernel numbers it: 2 for IPv4, 10 for IPv6.").withNames(familyNumber),
		number("orig_l4proto", TypeInt, maxU8, columnOf(KindInt, 0, func(c *columns) []uint8 { return c.proto }),
			"IP protocol number: 6 for TCP, 17 for UDP; a filter may name it.").withNames(protocolNumber),
	},
	addressFields(), portFields(), stateFields(), zoneFields(), counterFields(), timeFields(), textFields(),
	meaningFields(),
	synonymFields(),
)

// number makes a listed field of numbers.
func number(name, wire string, limit uint64, a access, help string) Field {
	return Field{Name: name, Type: wire, Filter: true, Sort: true, Listed: true, Help: help,
		class: classNumber, limit: limit, access: a}
}

func (f Field) withNames(named func(string) (uint64, bool)) Field {
	f.named = named
	return f
}

func (f Field) withUnit(u unit) Field {
	f.unit = u
	return f
}

func (f Field) withHex() Field {
	f.hex = true
	return f
}

func addressFields() []Field {
	address := func(name string, family uint8, side int, help string) Field {
		return Field{Name: name, Type: TypeString, Filter: true, Sort: true, Listed: true, Help: help,
			class: classAddr, side: side, family: family, access: addrAccess(side, family)}
	}
	return []Field{
		address("orig_ipv4_src", ipc.FamilyIPv4, origSrc, "IPv4 address of who opened the connection."),
		address("orig_ipv4_dst", ipc.FamilyIPv4, origDst, "IPv4 address that was asked for, before any translation."),
		address("repl_ipv4_src", ipc.FamilyIPv4, replSrc, "IPv4 address that answers come from."),
		address("repl_ipv4_dst", ipc.FamilyIPv4, replDst, "IPv4 address that answers go to."),
		address("orig_ipv6_src", ipc.FamilyIPv6, origSrc, "IPv6 address of who opened the connection."),
		address("orig_ipv6_dst", ipc.FamilyIPv6, origDst, "IPv6 address that was asked for, before any translation."),
		address("repl_ipv6_src", ipc.FamilyIPv6, replSrc, "IPv6 address that answers come from."),
		address("repl_ipv6_dst", ipc.FamilyIPv6, replDst, "IPv6 address that answers go to."),
	}
}

func portFields() []Field {
	port := func(name string, need uint32, side int, help string) Field {
		col := func(c *columns) []uint16 { return c.port[side] }
		return number(name, TypeInt, maxU16, columnOf(KindInt, need, col), help).withUnit(unitPort)
	}
	return []Field{
		port("orig_port_src", hasOrigPorts, origSrc, "Port of who opened the connection; for GRE its key."),
		port("orig_port_dst", hasOrigPorts, origDst, "Port that was asked for, before any translation; for GRE its key."),
		port("repl_port_src", hasReplPorts, replSrc, "Port that answers come from; for GRE its key."),
		port("repl_port_dst", hasReplPorts, replDst, "Port that answers go to; for GRE its key."),
		number("icmp_type", TypeInt, maxU8, icmpAccess(origDst, 8), "Type of the ICMP or ICMPv6 message that began it: 8 or 128 for a ping."),
		number("icmp_code", TypeInt, maxU8, icmpAccess(origDst, 0), "Code of the ICMP or ICMPv6 message that began it."),
		port("icmp_id", hasOrigICMP, origSrc, "Id by which ICMP or ICMPv6 questions and answers are matched.").withUnit(0),
	}
}

func stateFields() []Field {
	flag := func(name string, bits uint32, help string) Field {
		return Field{Name: name, Type: TypeBool, Filter: true, Sort: true, Listed: true, Help: help,
			class: classFlag, access: flagAccess(bits)}
	}
	return []Field{
		number("tcp_state", TypeInt, maxU8, columnOf(KindInt, hasTCPState, func(c *columns) []uint8 { return c.state }),
			"State of a TCP connection as the kernel numbers it: 3 is ESTABLISHED.").withNames(tcpStateNumber),
		{Name: "state", Type: TypeString, Filter: true, Sort: true, Listed: true, class: className, named: stateRank,
			access: stateAccess(), Help: "Name of the state of a TCP, SCTP or DCCP connection, such as ESTABLISHED."},
		number("status", TypeInt, maxInt, statusAccess(),
			"The kernel's status bits (IPS_*): 2 seen reply, 4 assured, 16 and 32 translated source and destination.").withHex(),
		flag("assured", ipsAssured, "Traffic was seen both ways for long enough that a full table does not drop it early."),
		flag("seen_reply", ipsSeenReply, "An answer was seen."),
		flag("snat", ipsSrcNAT, "The source address or port is translated."),
		flag("dnat", ipsDstNAT, "The destination address or port is translated."),
		flag("fixed_timeout", ipsFixedTimeout, "The timeout was set by hand; the kernel no longer renews it."),
		flag("offload", ipsOffload|ipsHWOffload, "A flow table carries the traffic, in software or in the network card."),
		number("timeout", TypeString, maxU32, columnOf(KindU32, hasTimeout, func(c *columns) []uint32 { return c.timeout }),
			"Seconds until the kernel forgets the connection, unless traffic renews it.").withUnit(unitSeconds),
		number("mark", TypeString, maxU32, columnOf(KindU32, hasMark, func(c *columns) []uint32 { return c.mark }),
			"The connection's mark (connmark); a filter may give value/mask in hexadecimal.").withHex(),
	}
}

func zoneFields() []Field {
	zone := func(name string, need uint32, direction int, help string) Field {
		col := func(c *columns) []uint16 { return c.zone[direction] }
		return number(name, TypeInt, maxU16, columnOf(KindInt, need, col), help)
	}
	return []Field{
		zone("zone", hasZone, 0, "Conntrack zone of both directions, if it is not the default one."),
		zone("orig_zone", hasOrigZone, 0, "Conntrack zone of the original direction only."),
		zone("repl_zone", hasReplZone, 1, "Conntrack zone of the reply direction only."),
		number("use", TypeInt, maxInt, useAccess(), "How many references the kernel holds to the entry."),
	}
}
