// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"strconv"
	"strings"

	"nuconntrack/cmd/manual/roff"
	"nuconntrack/frontd/rpc"
	"nuconntrack/frontd/table"
)

func (b *book) api() {
	p := b.page(pageAPI, 7, "XML-RPC interface of a firewall's connection table")
	p.Heading("DESCRIPTION")
	p.Text(`nuconntrack-frontd(8) answers XML-RPC over HTTP: POST to /RPC2, or to /, with Content-Type text/xml or
application/xml. A session begins with login, whose answer is the first parameter of the other methods. Numbers that
may not fit 31 bits come as decimal strings. /RPC2/i8 is the same service with <i8> for numbers of 32 bits and <nil/> for
nothing, /RPC2/ex the same with Apache's names for both.`)
	p.Heading("METHODS")
	for _, m := range rpc.Methods() {
		p.Item(m.Help+"\n\nReturns: "+m.Returns, roff.Tag{Bold: m.Name})
	}
	p.Heading("FIELDS OF A CONNECTION")
	p.Text("A value that the kernel does not know is absent. The words in parentheses are the type on the wire, and what else " +
		"the field serves for.")
	for _, f := range table.Fields() {
		p.Item(f.Help, roff.Tag{Bold: f.Name, Rest: "(" + strings.Join(uses(f), ", ") + ")"})
	}
	p.Heading("FILTERS")
	p.Text(`A struct, of which all members must hold. A member is a field that serves for it, and its value an int or a string
(equal), a boolean for flags, an array (any of), or a string with an operator: a network 10.0.0.0/8, a range 1024-65535, a
comparison >=1000, a negation !22, a mark 0x10/0xf0. The member expr holds an expression, see nuconntrack-expressions(7).`)
	p.Heading("FAULTS")
	for _, f := range rpc.Faults() {
		p.Item(f.Meaning, roff.Tag{Bold: strconv.Itoa(f.Code)})
	}
	p.See(roff.Reference{Name: pageFrontd, Section: 8}, roff.Reference{Name: pageExpressions, Section: 7}, roff.Reference{Name: "nuctl", Section: 1})
}

// uses says what a field serves for.
func uses(f table.Field) []string {
	all := []string{f.Type}
	if f.Filter {
		all = append(all, "filter")
	}
	if f.Sort {
		all = append(all, "sort")
	}
	switch {
	case !f.Listed && f.Sort:
		all = append(all, "shown when asked for by name")
	case !f.Listed:
		all = append(all, "not shown")
	}
	return all
}

func (b *book) expressions() {
	p := b.page(pageExpressions, 7, "language that selects connections")
	p.Heading("DESCRIPTION")
	p.Text("What nuctl(1) and the filter member expr of nuconntrack-api(7) understand.")
	p.Text(table.ExprHelp())
	p.Heading("FIELDS")
	for _, f := range table.Fields() {
		if f.Filter {
			p.Item(f.Help, roff.Tag{Bold: f.Name})
		}
	}
	p.Heading("EXAMPLES")
	for _, e := range table.ExprExamples() {
		p.Item(e[1], roff.Tag{Bold: fmt.Sprintf("nuctl list '%s'", e[0])})
	}
	p.See(roff.Reference{Name: "nuctl-list", Section: 1}, roff.Reference{Name: pageAPI, Section: 7})
}
