// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/table/expr"
)

// FilterError says which member of a filter is wrong, and why, in words for the caller.
type FilterError struct {
	Member string // as the caller wrote it
	Column int    // of the expression, counted from 1 in characters; 0 for other members
	Reason reason.Reason
}

func (e *FilterError) Error() string { return e.Whole().Error() }

// Whole is the reason with the member and the column.
func (e *FilterError) Whole() reason.Reason {
	if e.Member == "" {
		return reason.InFilter.Of(e.Reason)
	}
	if e.Column > 0 {
		return reason.InColumn.Of(e.Member, e.Column, e.Reason)
	}
	return reason.InMember.Of(Quoted(e.Member), e.Reason)
}

// Filter is a question to every row, compiled once and used on any snapshot, by any
// number of calls at once. A nil *Filter matches every row.
type Filter struct {
	root node
	// expression is the canonical form of the expression among the members.
	expression string
	// name is the same for filters that ask the same in the same words; "" if the
	// filter is too long to be worth remembering.
	name string
	// uses are the tests of fields that are not there everywhere.
	uses []use
}

// maxRemembered is how many values a filter may have for its answers to be kept.
const maxRemembered = 64

// maxFilterName is how long a filter may be in writing for its answers to be kept.
const maxFilterName = 4096

// everything is the name of the filter that matches every row.
const everything = "everything"

// CompileFilter reads the members of a filter, all of which must hold; none at all match
// every row. The member expr is an expression. The error is a *FilterError.
func CompileFilter(members map[string]Operand) (*Filter, error) {
	if len(members) > MaxMembers {
		return nil, &FilterError{Reason: reason.ManyMembers.Of(len(members), MaxMembers)}
	}
	var tests every
	var name strings.Builder
	f := &Filter{name: everything}
	values := 0
	for _, member := range slices.Sorted(maps.Keys(members)) {
		value := members[member]
		var test node
		var n int
		var err error
		if member == exprMember {
			test, n, err = f.compileExpr(value)
			value = f.expression // however it was written
		} else {
			test, n, err = f.compileMember(member, value)
		}
		if err != nil {
			return nil, filterError(member, err)
		}
		if values += n; values > MaxAlternatives {
			return nil, &FilterError{Member: member, Reason: reason.ManyValues.Of(MaxAlternatives)}
		}
		if values <= maxRemembered {
			fmt.Fprintf(&name, "%q=%#v;", member, value)
		}
		if all, ok := test.(every); ok {
			tests = append(tests, all...) // to be put in order with the others
		} else {
			tests = append(tests, test)
		}
	}
	if len(tests) > 0 {
		slices.SortStableFunc(tests, func(a, b node) int { return a.cost() - b.cost() })
		f.root, f.name = tests, name.String()
	}
	if values > maxRemembered || name.Len() > maxFilterName {
		f.name = ""
	}
	return f, nil
}

func filterError(member string, err error) *FilterError {
	var located *expr.Error
	if errors.As(err, &located) {
		return &FilterError{Member: member, Column: located.Column, Reason: located.Reason}
	}
	return &FilterError{Member: member, Reason: reasonOf(err)}
}

// reasonOf gives back the reason that reading a value returned as an error: they all are.
func reasonOf(err error) (why reason.Reason) {
	errors.As(err, &why)
	return why
}

// compileMember also says how many values the member names.
func (filter *Filter) compileMember(member string, value Operand) (node, int, error) {
	f, ok := FieldNamed(member)
	if !ok || !f.Filter {
		return nil, 0, reason.NoMember.Of()
	}
	values, isArray := value.([]any)
	if !isArray {
		values = []any{value}
	}
	if len(values) == 0 {
		return nil, 0, reason.EmptyArray.Of()
	}
	if len(values) > MaxAlternatives {
		return nil, 0, reason.LongArray.Of(len(values), MaxAlternatives)
	}
	var wanted alternatives
	negated := false
	for _, v := range values {
		if s, ok := v.(string); ok && strings.HasPrefix(s, "!") {
			if isArray {
				return nil, 0, reason.NotInArray.Of(Quoted(s))
			}
			negated, v = true, s[1:]
			if strings.HasPrefix(s, "!!") || strings.HasPrefix(s, "!=") {
				return nil, 0, reason.NotTwice.Of(Quoted(s))
			}
		}
		if err := wanted.add(&f, v); err != nil {
			return nil, 0, err
		}
	}
	wanted.tidy()
	if f.needs != 0 {
		filter.uses = append(filter.uses, use{field: f, member: member, texts: wanted.texts})
	}
	test := newTest(f, wanted)
	if negated {
		test = not{test}
	}
	return test, len(values), nil
}

// newTest makes the node that looks for the wanted values in a field.
func newTest(f Field, wanted alternatives) node {
	if f.anyOf != nil {
		tests := make(some, len(f.anyOf))
		for i, name := range f.anyOf {
			part, _ := FieldNamed(name)
			tests[i] = newTest(part, wanted)
		}
		return tests
	}
	switch f.class {
	case classAddr:
		return newAddressTest(f, wanted.addresses)
	case classText:
		return textTest{f, wanted.texts}
	case classKey:
		return keyTest{wanted.keys}
	}
	return numberTest{f, wanted.numbers}
}

// Match asks one row. Rows asks all of them much faster; both give the same answer.
func (f *Filter) Match(s *Snapshot, row int32) bool {
	return f == nil || f.root == nil || f.root.match(s, row)
}

// Rows gives the rows that match, in the order of the snapshot.
func (f *Filter) Rows(s *Snapshot) []int32 {
	set := f.Run(s)
	rows := make([]int32, 0, set.Count())
	set.Each(0, len(set), func(row int32) { rows = append(rows, row) })
	return rows
}

// Run asks all rows, block by block, on several processors where it is worth it.
func (f *Filter) Run(s *Snapshot) Bitmap {
	set := newBitmap(s.Len())
	if f == nil || f.root == nil {
		set.fill(s.Len())
		return set
	}
	run := f.root.bind(s)
	InParallel(s.Len(), func(_ int, parts iter.Seq2[int, int]) {
		sc, m := new(scratch), new(Mask)
		for from, to := range parts {
			for ; from < to; from += BlockRows {
				n := min(BlockRows, to-from)
				fillMask(m, n)
				run(m, sc, from, n)
				copy(set[from/64:], m[:(n+63)/64])
			}
		}
	})
	return set
}

// IsAll says that the filter is the one that matches every row by having no members.
func (f *Filter) IsAll() bool { return f.Name() == everything }

// Name is the same for filters that ask the same in the same words, for who keeps answers
// by it; "" if the filter is too long to be worth remembering.
func (f *Filter) Name() string {
	if f == nil {
		return everything
	}
	return f.name
}
