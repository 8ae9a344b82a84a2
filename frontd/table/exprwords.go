// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"slices"
	"strings"

	"nuconntrack/frontd/table/expr"
)

// exprWord is a name of the expression language besides those of the fields.
type exprWord struct {
	word  string
	field string
	value string // not empty: the word is a whole test, for this value of the field
	not   bool   // the word is the opposite of that
}

// exprWords is the one list of these names; the first of a field is the one that
// canonical forms use. It is never written to. No second word may be a value of the
// field that its first names.
var exprWords = []exprWord{
	{word: "src", field: "orig_src"}, {word: "saddr", field: "orig_src"},
	{word: "src host", field: "orig_src"}, {word: "src net", field: "orig_src"},
	{word: "dst", field: "orig_dst"}, {word: "daddr", field: "orig_dst"},
	{word: "dst host", field: "orig_dst"}, {word: "dst net", field: "orig_dst"},
	{word: "host", field: "address"}, {word: "net", field: "address"}, {word: "addr", field: "address"},
	{word: "sport", field: "orig_port_src"}, {word: "src port", field: "orig_port_src"},
	{word: "dport", field: "orig_port_dst"}, {word: "dst port", field: "orig_port_dst"},
	{word: "repl_sport", field: "repl_port_src"}, {word: "repl_dport", field: "repl_port_dst"},
	{word: "proto", field: "orig_l4proto"}, {word: "protocol", field: "orig_l4proto"},
	{word: "family", field: "orig_l3proto"},
	{word: "rate", field: "byte_rate"},
	{word: "orig_rate", field: "orig_byte_rate"}, {word: "repl_rate", field: "repl_byte_rate"},
	{word: "orig_bytes", field: "orig_counter_bytes"}, {word: "repl_bytes", field: "repl_counter_bytes"},
	{word: "orig_packets", field: "orig_counter_packets"}, {word: "repl_packets", field: "repl_counter_packets"},
	{word: "uid", field: "user_id"}, {word: "user", field: "username"},
	{word: "nat", field: natField},
	{word: "replied", field: "seen_reply"}, {word: "unreplied", field: "seen_reply", not: true},
	{word: "fixed", field: "fixed_timeout"}, {word: "offloaded", field: "offload"},

	{word: "ip", field: "orig_l3proto", value: "ipv4"}, {word: "ipv4", field: "orig_l3proto", value: "ipv4"},
	{word: "ip6", field: "orig_l3proto", value: "ipv6"}, {word: "ipv6", field: "orig_l3proto", value: "ipv6"},
	{word: "tcp", field: "orig_l4proto", value: "tcp"}, {word: "udp", field: "orig_l4proto", value: "udp"},
	{word: "udplite", field: "orig_l4proto", value: "udplite"}, {word: "sctp", field: "orig_l4proto", value: "sctp"},
	{word: "dccp", field: "orig_l4proto", value: "dccp"}, {word: "gre", field: "orig_l4proto", value: "gre"},
	{word: "icmp", field: "orig_l4proto", value: "icmp"}, {word: "icmpv6", field: "orig_l4proto", value: "icmpv6"},
	{word: "icmp6", field: "orig_l4proto", value: "icmpv6"},
	{word: "esp", field: "orig_l4proto", value: "esp"}, {word: "ah", field: "orig_l4proto", value: "ah"},
}

// natField is a flag of expressions alone: snat or dnat.
const natField = "nat"

// exprField is what a canonical name stands for.
func exprField(name string) (Field, bool) {
	if name == natField {
		return Field{Name: natField, Help: "The source or the destination is translated.",
			class: classFlag, anyOf: []string{"snat", "dnat"}}, true
	}
	i := slices.IndexFunc(exprWords, func(w exprWord) bool { return w.word == name && w.value == "" })
	if i >= 0 {
		name = exprWords[i].field
	}
	f, ok := FieldNamed(name)
	return f, ok && f.Filter
}

// exprName is the canonical name of a field. A flag's is its own.
func exprName(f Field) string {
	if f.class == classFlag {
		return f.Name
	}
	for _, w := range exprWords {
		if w.field == f.Name && w.value == "" {
			return w.word
		}
	}
	return f.Name
}

// vocabulary knows the names of the language: those of the fields, and exprWords.
type vocabulary struct{}

// Word gives a field that is hidden by a synonym the synonym's canonical name.
func (vocabulary) Word(name string) (expr.Word, bool) {
	i := slices.IndexFunc(exprWords, func(w exprWord) bool { return w.word == name })
	if i < 0 {
		f, ok := exprField(name)
		return expr.Word{Field: exprName(f), Flag: f.class == classFlag}, ok
	}
	w := exprWords[i]
	f, ok := exprField(w.field)
	return expr.Word{Field: exprName(f), Flag: f.class == classFlag, Value: w.value, Not: w.not}, ok
}

// exprNames are all names of the language.
func exprNames() []string {
	var names []string
	for _, w := range exprWords {
		names = append(names, w.word)
	}
	for _, f := range fieldTable {
		if f.Filter {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// JoinExpr makes one expression of the words of a command line. The shell took quotation
// marks away: a word with spaces behind the name of a text gets them back, any other is a
// part of an expression.
func JoinExpr(words []string) string {
	joined := slices.Clone(words)
	for i := 1; i < len(words); i++ {
		if !strings.ContainsAny(words[i], " \t") || strings.HasPrefix(words[i], `"`) {
			continue
		}
		name := words[i-1]
		if i > 1 && slices.Contains([]string{"=", "==", "!=", "!", "eq", "ne"}, strings.ToLower(name)) {
			name = words[i-2]
		}
		if f, ok := exprField(strings.ToLower(name)); ok && f.class == classText {
			joined[i] = expr.Quote(words[i])
		}
	}
	return strings.Join(joined, " ")
}
