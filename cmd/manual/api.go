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
	for _, part := range interfaceText() {
		p.Heading(strings.ToUpper(part.title))
		p.Text(part.text)
	}
	p.Heading("METHODS")
	for _, m := range rpc.Methods() {
		p.Item(m.Help+"\n\nReturns: "+m.Returns, roff.Tag{Bold: m.Name})
	}
	p.Heading("FIELDS OF A CONNECTION")
	p.Text("The words in parentheses are the type on the wire, and what else the field serves for.")
	for _, f := range table.Fields() {
		p.Item(f.Help, roff.Tag{Bold: f.Name, Rest: "(" + strings.Join(uses(f), ", ") + ")"})
	}
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
