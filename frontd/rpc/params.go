// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"math"
	"strconv"
	"strings"

	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/xmlrpc"
)

// params are a method's parameters. Reading one that was left out gives its default.
type params []xmlrpc.Value

// has says whether parameter i came. A nil counts as left out.
func (p params) has(i int) bool { return i < len(p) && p[i].Kind != xmlrpc.KindNil }

// text reads a string.
func (p params) text(i int, name, missing string) (string, error) {
	if !p.has(i) {
		return missing, nil
	}
	if p[i].Kind != xmlrpc.KindString {
		return "", service.BadParam("%s: want a string, not %s", name, p[i].Kind)
	}
	return p[i].Text, nil
}

// choice reads the name of one of several things; an empty string names none of them. "" says
// that the parameter was left out.
func (p params) choice(i int, name string) (string, error) {
	s, err := p.text(i, name, "")
	if err == nil && s == "" && p.has(i) {
		return "", service.BadParam("%s: the string is empty", name)
	}
	return s, err
}

// count reads a number of rows.
func (p params) count(i int, name string, missing int) (int, error) {
	if !p.has(i) {
		return missing, nil
	}
	n, err := number(p[i], name, math.MaxInt32)
	return int(n), err
}

// structure reads a struct. PHP sends an empty array for an empty one.
func (p params) structure(i int, name string) ([]xmlrpc.Member, error) {
	switch {
	case !p.has(i), p[i].Kind == xmlrpc.KindArray && len(p[i].Items) == 0:
		return nil, nil
	case p[i].Kind != xmlrpc.KindStruct:
		return nil, service.BadParam("%s: want a struct, not %s", name, p[i].Kind)
	}
	return p[i].Members, nil
}

// filters reads what a view shows and kill_matching kills.
func (p params) filters(i int) (map[string]table.Operand, error) {
	members, err := p.structure(i, "filters")
	if err != nil {
		return nil, err
	}
	filters := make(map[string]table.Operand, len(members))
	for _, m := range members {
		filters[m.Name] = operand(m.Value)
	}
	return filters, nil
}

// number reads an unsigned number up to largest, in any of the ways in which clients send
// one: int, i8, integral double, decimal string.
func number(v xmlrpc.Value, name string, largest uint64) (uint64, error) {
	var n uint64
	switch v.Kind {
	case xmlrpc.KindInt:
		if v.Int < 0 {
			return 0, service.Negative(name)
		}
		n = uint64(v.Int)
	case xmlrpc.KindDouble:
		if v.Double < 0 {
			return 0, service.Negative(name)
		}
		if v.Double != math.Trunc(v.Double) || v.Double >= 1<<63 {
			return 0, service.BadParam("%s: %v is not a whole number in range", name, v.Double)
		}
		n = uint64(v.Double)
	case xmlrpc.KindString:
		return service.ParseNumber(v.Text, name, largest, 10)
	default:
		return 0, service.BadParam("%s: want a number, not %s", name, v.Kind)
	}
	if n > largest {
		return 0, service.BadParam("%s: %d is more than %d", name, n, largest)
	}
	return n, nil
}

// mark reads connmark bits, also in hexadecimal, and their mask.
func mark(v xmlrpc.Value) (value, mask uint32, err error) {
	if v.Kind != xmlrpc.KindString {
		n, err := number(v, "mark", math.MaxUint32)
		return uint32(n), math.MaxUint32, err
	}
	return service.ParseMark(v.Text)
}

// ref reads what names a connection: its key, or its id as a number or string.
func ref(v xmlrpc.Value) (service.Ref, error) {
	if v.Kind == xmlrpc.KindString && !strings.HasPrefix(v.Text, "-") {
		return service.RefText(v.Text)
	}
	id, err := number(v, "connection id", math.MaxUint32)
	return service.RefID(uint32(id)), err
}

// operand makes a filter's value of a value. What filters do not take stays something
// that they refuse, with their words.
func operand(v xmlrpc.Value) table.Operand {
	switch v.Kind {
	case xmlrpc.KindInt:
		return v.Int
	case xmlrpc.KindDouble:
		return v.Double
	case xmlrpc.KindBool:
		return v.Int != 0
	case xmlrpc.KindString:
		return v.Text
	case xmlrpc.KindArray:
		list := make([]any, len(v.Items))
		for i, item := range v.Items {
			list[i] = operand(item)
		}
		return list
	}
	return v.Kind
}

// quoted quotes a text from outside for a fault, shortened.
func quoted(s string) string {
	const longest = 64
	if len(s) > longest {
		return strconv.Quote(s[:longest]) + "…"
	}
	return strconv.Quote(s)
}
