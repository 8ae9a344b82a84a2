// SPDX-License-Identifier: GPL-2.0-or-later

package expr

import (
	"slices"
	"strings"
)

// Expr is what an expression means: an All, an Any, a Not or a *Test. String writes it in
// canonical form, which reads as the same again.
type Expr interface {
	String() string
}

// All holds where every one of its parts does. It has two at least, none of them an All.
type All []Expr

// Any holds where one of its parts does. It has two at least, none of them an Any.
type Any []Expr

// Not holds where X does not, so also for a connection that lacks what X asks for. X is
// never a Not.
type Not struct{ X Expr }

// Test asks one thing of a connection.
type Test struct {
	Field  string // the name that the Vocabulary gave
	Op     Op
	Values []Value // with Equal any of them will do, else there is one; none for a flag
	Column int     // of the name
}

// Value is one value as it was written, without quotation marks.
type Value struct {
	Text   string
	Column int
}

// Op is a comparison.
type Op string

// The comparisons. What is written != is a Not of Equal.
const (
	Equal          Op = "="
	Less           Op = "<"
	LessOrEqual    Op = "<="
	Greater        Op = ">"
	GreaterOrEqual Op = ">="

	unequal Op = "!="
)

func (x All) String() string {
	return join(x, " and ", func(part Expr) bool { _, weaker := part.(Any); return weaker })
}

func (x Any) String() string {
	return join(x, " or ", func(Expr) bool { return false })
}

func (x Not) String() string {
	if _, isTest := x.X.(*Test); isTest {
		return "not " + x.X.String()
	}
	return "not (" + x.X.String() + ")"
}

func (t *Test) String() string {
	var b strings.Builder
	b.WriteString(t.Field)
	if t.Op != Equal {
		b.WriteString(" " + string(t.Op))
	}
	for i, v := range t.Values {
		b.WriteString([]string{" ", ","}[min(i, 1)])
		b.WriteString(Quote(v.Text))
	}
	return b.String()
}

func join(parts []Expr, between string, enclosed func(Expr) bool) string {
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteString(between)
		}
		if enclosed(part) {
			b.WriteString("(" + part.String() + ")")
		} else {
			b.WriteString(part.String())
		}
	}
	return b.String()
}

// Quote writes a value so that it reads as itself: in quotation marks where it needs them.
func Quote(value string) string {
	_, isOp := opWord(value)
	if value != "" && !isOp && keyword(value) == tokenWord && !strings.ContainsFunc(value, notInWord) {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// negate takes two nots for none.
func negate(x Expr) Expr {
	if n, twice := x.(Not); twice {
		return n.X
	}
	return Not{x}
}

// all joins parts by and.
func all(parts []Expr) Expr { return joined[All](parts) }

// anyOf joins parts by or.
func anyOf(parts []Expr) Expr { return joined[Any](parts) }

// joined makes parts one list. Parentheses that change nothing leave no trace.
func joined[List interface {
	~[]Expr
	Expr
}](parts []Expr) Expr {
	var flat List
	for _, part := range parts {
		if inner, ok := part.(List); ok {
			flat = append(flat, inner...)
		} else {
			flat = append(flat, part)
		}
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return slices.Clip(flat)
}
