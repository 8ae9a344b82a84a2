// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/expr"
)

// The state of a table as it stands in the address, so that it can be sent to a colleague.
const (
	paramExpr     = "expr"
	paramSort     = "sort"
	paramDesc     = "desc"
	paramStart    = "start"
	paramSize     = "size"
	paramColumns  = "cols"
	paramSnapshot = "snapshot"
	paramLanguage = "lang"
)

// Limits of the state.
const (
	defaultSize = 100
	maxSize     = 1000
	maxStart    = 1 << 30
	// maxColumns is more than there are.
	maxColumns = 100
	// maxSnapshot is the length of the longest name of a snapshot that is looked at.
	maxSnapshot = 64
)

const defaultSort = "byte_rate"

// A quick field is a box of its own for what is asked for most often.
type quick struct {
	Param  string
	member string // of the filter
}

func quicks() []quick {
	return []quick{
		{"src", "orig_src"}, {"dst", "orig_dst"}, {"port", "port"}, {"proto", "proto"}, {"state", "state"},
	}
}

// query is the state of a table.
type query struct {
	Expr     string
	Quick    map[string]string // by parameter; none is empty
	Sort     string            // a field that sorts
	Desc     bool
	Start    int
	Size     int
	Columns  []string // nil: those by default
	Snapshot string
	Lang     string // as chosen; "": by the browser

	problems []problem
}

// problem is what is wrong with a parameter.
type problem struct {
	Param  string
	Column int           // of an expression, from 1; 0 for none
	Reason reason.Reason // none where the text of the parameter's key says all
}

// parseQuery reads what stands in an address. What is wrong is left out, and a problem.
func parseQuery(values url.Values) query {
	q := query{Quick: map[string]string{}, Sort: defaultSort, Desc: true, Size: defaultSize}
	q.Expr = strings.TrimSpace(values.Get(paramExpr))
	if len(q.Expr) > expr.MaxLength {
		q.wrong(problem{Param: paramExpr, Reason: reason.LongExpr.Of(len(q.Expr), expr.MaxLength)})
		q.Expr = ""
	}
	for _, k := range quicks() {
		switch v := strings.TrimSpace(values.Get(k.Param)); {
		case len(v) > table.MaxOperand:
			q.wrong(problem{Param: k.Param, Reason: reason.LongValue.Of(len(v), table.MaxOperand)})
		case v != "":
			q.Quick[k.Param] = v
		}
	}
	if name := values.Get(paramSort); name != "" {
		if f, ok := table.FieldNamed(name); ok && f.Sort {
			q.Sort, q.Desc = name, false
		} else {
			q.wrong(problem{Param: paramSort})
		}
	}
	if values.Has(paramDesc) {
		q.Desc = values.Get(paramDesc) == "1"
	}
	q.Start = q.number(values, paramStart, 0, 0, maxStart)
	q.Size = q.number(values, paramSize, defaultSize, 1, maxSize)
	q.parseColumns(values[paramColumns])
	if name := values.Get(paramSnapshot); len(name) <= maxSnapshot {
		q.Snapshot = name
	}
	if code := values.Get(paramLanguage); len(code) <= len("en") {
		q.Lang = code
	}
	q.checkFilter(func(members map[string]table.Operand) error {
		_, err := table.CompileFilter(members)
		return err
	})
	return q
}

func (q *query) wrong(p problem) { q.problems = append(q.problems, p) }

func (q *query) number(values url.Values, param string, standard, least, most int) int {
	text := values.Get(param)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		q.wrong(problem{Param: param})
		return standard
	}
	return n
}

// parseColumns reads names with commas between them, in one parameter or several: check boxes make
// several.
func (q *query) parseColumns(values []string) {
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			f, ok := table.FieldNamed(name)
			switch {
			case name == "":
			case !ok || !f.Sort || len(q.Columns) == maxColumns:
				q.wrong(problem{Param: paramColumns})
				return
			case !slices.Contains(q.Columns, name):
				q.Columns = append(q.Columns, name)
			}
		}
	}
	if slices.Equal(q.Columns, defaultColumns()) {
		q.Columns = nil
	}
}

// checkHere finds what the filter asks for that there is somewhere, but not here: an address
// outlives a configuration, and may come from a colleague of another firewall.
func (q *query) checkHere(call *service.Call) {
	if len(q.problems) == 0 {
		q.checkFilter(call.CheckFilter)
	}
}

// checkFields leaves out the order and the columns of that kind.
func (q *query) checkFields(there []table.Field) {
	missing := func(name string) bool {
		return !slices.ContainsFunc(there, func(f table.Field) bool { return f.Name == name })
	}
	if missing(q.Sort) {
		q.Sort, q.Desc = defaultSort, true
		q.wrong(problem{Param: paramSort})
	}
	if slices.ContainsFunc(q.Columns, missing) {
		q.Columns = slices.DeleteFunc(q.Columns, missing)
		q.wrong(problem{Param: paramColumns})
	}
}

// filters are the members of the filter.
func (q *query) filters() map[string]table.Operand {
	members := make(map[string]table.Operand)
	if q.Expr != "" {
		members[paramExpr] = q.Expr
	}
	for _, k := range quicks() {
		value, ok := q.Quick[k.Param]
		if !ok {
			continue
		}
		if !strings.Contains(value, ",") {
			members[k.member] = value
			continue
		}
		var list []any
		for item := range strings.SplitSeq(value, ",") {
			list = append(list, strings.TrimSpace(item))
		}
		members[k.member] = list
	}
	return members
}

// checkFilter finds the first thing that is wrong with each box of the filter.
func (q *query) checkFilter(check func(map[string]table.Operand) error) {
	for member, value := range q.filters() {
		var wrong *table.FilterError
		if !errors.As(check(map[string]table.Operand{member: value}), &wrong) {
			continue
		}
		p := problem{Param: paramExpr, Column: wrong.Column, Reason: wrong.Reason}
		for _, k := range quicks() {
			if k.member == member {
				p.Param = k.Param
			}
		}
		q.wrong(p)
	}
}

// problem gives what is wrong with a parameter, nil if nothing is.
func (q *query) problem(param string) *problem {
	for i := range q.problems {
		if q.problems[i].Param == param {
			return &q.problems[i]
		}
	}
	return nil
}

// columns are the fields to show.
func (q *query) columns() []string {
	if len(q.Columns) == 0 {
		return defaultColumns()
	}
	return q.Columns
}

// values are the state without what is so by default.
func (q *query) values() url.Values {
	v := url.Values{}
	set := func(param, value string) {
		if value != "" {
			v.Set(param, value)
		}
	}
	set(paramExpr, q.Expr)
	for param, value := range q.Quick {
		set(param, value)
	}
	if q.Sort != defaultSort || !q.Desc {
		v.Set(paramSort, q.Sort)
		if q.Desc {
			v.Set(paramDesc, "1")
		}
	}
	if q.Start > 0 {
		v.Set(paramStart, strconv.Itoa(q.Start))
	}
	if q.Size != defaultSize {
		v.Set(paramSize, strconv.Itoa(q.Size))
	}
	set(paramColumns, strings.Join(q.Columns, ","))
	set(paramSnapshot, q.Snapshot)
	set(paramLanguage, q.Lang)
	return v
}

// at is the address of the state below a path, with further parameters in pairs.
func (q query) at(path string, more ...string) string {
	v := q.values()
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// sorted is the address of the first page by a field.
func (q query) sorted(field string, desc bool) string {
	q.Sort, q.Desc, q.Start = field, desc, 0
	return q.at(pathTable)
}

// page is the address of another page of a snapshot; "" is the newest table.
func (q query) page(start int, snapshot string) string {
	q.Start, q.Snapshot = start, snapshot
	return q.at(pathTable)
}

// Filtered reports whether anything but everything is asked for.
func (q query) Filtered() bool { return q.Expr != "" || len(q.Quick) > 0 }
