// SPDX-License-Identifier: GPL-2.0-or-later

// Package connection knows what a row of the server's table means: the fields and their
// types, and how to read one that may be missing or of the wrong type.
//
// Rows come from the network. The package must never turn an absent value into a zero, and does
// no input or output.
package connection

import (
	"slices"
	"strings"
)

// Type is the type of a field's value.
type Type int

// The types.
const (
	Text   Type = iota + 1
	Number      // decimal, up to 64 bits unsigned, whether sent as an int or as a string
	Flag
)

// Field is one of a connection's.
type Field struct {
	Name string
	Type Type
}

// Fields are those of a whole row, in the order of the interface's description.
func Fields() []Field {
	return []Field{
		{"id", Number}, {"key", Text},
		{"orig_l3proto", Number}, {"orig_l4proto", Number},
		{"orig_ipv4_src", Text}, {"orig_ipv4_dst", Text}, {"repl_ipv4_src", Text}, {"repl_ipv4_dst", Text},
		{"orig_ipv6_src", Text}, {"orig_ipv6_dst", Text}, {"repl_ipv6_src", Text}, {"repl_ipv6_dst", Text},
		{"orig_port_src", Number}, {"orig_port_dst", Number}, {"repl_port_src", Number}, {"repl_port_dst", Number},
		{"icmp_type", Number}, {"icmp_code", Number}, {"icmp_id", Number},
		{"tcp_state", Number}, {"state", Text}, {"status", Number},
		{"assured", Flag}, {"seen_reply", Flag}, {"snat", Flag}, {"dnat", Flag}, {"fixed_timeout", Flag}, {"offload", Flag},
		{"timeout", Number}, {"mark", Number},
		{"zone", Number}, {"orig_zone", Number}, {"repl_zone", Number}, {"use", Number},
		{"orig_counter_packets", Number}, {"orig_counter_bytes", Number},
		{"repl_counter_packets", Number}, {"repl_counter_bytes", Number},
		{"orig_byte_rate", Number}, {"repl_byte_rate", Number}, {"byte_rate", Number},
		{"start", Text}, {"age", Number},
		{"helper", Text}, {"labels", Text}, {"secctx", Text},
		{"user_id", Number}, {"username", Text}, {"authenticated", Flag}, {"class", Text},
	}
}

// Summary are the names that a list for reading needs.
func Summary() []string {
	return strings.Fields(`id proto state assured seen_reply
		orig_src orig_dst repl_src repl_dst
		orig_port_src orig_port_dst repl_port_src repl_port_dst icmp_type icmp_code icmp_id
		orig_counter_bytes repl_counter_bytes byte_rate timeout fixed_timeout mark
		zone orig_zone repl_zone`)
}

// TypeOf gives the type of a field; one that is not known is Text.
func TypeOf(name string) Type {
	fields := Fields()
	if i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name }); i >= 0 {
		return fields[i].Type
	}
	return Text
}
