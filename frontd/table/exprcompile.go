// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"slices"
	"strings"

	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/table/expr"
)

// exprMember is the member of a filter that holds an expression.
const exprMember = "expr"

// ParseExpr makes a filter of an expression: one whose only member is expr. The error is a
// *FilterError with the column.
func ParseExpr(text string) (*Filter, error) {
	return CompileFilter(map[string]Operand{exprMember: text})
}

// Expr is the expression of the filter in canonical form, which asks the same; empty if
// the filter was made without one.
func (f *Filter) Expr() string {
	if f == nil {
		return ""
	}
	return f.expression
}

// compileExpr also says how many values the expression names.
func (f *Filter) compileExpr(value Operand) (node, int, error) {
	text, ok := value.(string)
	if !ok {
		return nil, 0, reason.NotExpr.Of()
	}
	x, err := expr.Parse(text, vocabulary{})
	if err != nil {
		return nil, 0, err
	}
	c := exprCompiler{filter: f}
	test, err := c.compile(x)
	if err != nil {
		return nil, 0, err
	}
	f.expression = x.String()
	return test, c.values, nil
}

// exprCompiler makes nodes of an expression, the same that members of filters become.
type exprCompiler struct {
	filter *Filter // for what it uses
	values int
}

func (c *exprCompiler) compile(x expr.Expr) (node, error) {
	switch x := x.(type) {
	case expr.All:
		nodes, err := c.compileAll(x)
		slices.SortStableFunc(nodes, func(a, b node) int { return a.cost() - b.cost() })
		return every(nodes), err
	case expr.Any:
		nodes, err := c.compileAll(x)
		return some(nodes), err
	case expr.Not:
		inner, err := c.compile(x.X)
		return not{inner}, err
	}
	return c.test(x.(*expr.Test)) // there is nothing else
}

func (c *exprCompiler) compileAll(parts []expr.Expr) ([]node, error) {
	nodes := make([]node, 0, len(parts))
	for _, part := range parts {
		compiled, err := c.compile(part)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, compiled)
	}
	return nodes, nil
}

func (c *exprCompiler) test(t *expr.Test) (node, error) {
	f, ok := exprField(t.Field)
	if !ok {
		return nil, &expr.Error{Column: t.Column, Reason: reason.NoName.Of(Quoted(t.Field))}
	}
	c.values += max(1, len(t.Values))
	var wanted alternatives
	if f.class == classFlag {
		if err := wanted.addFlag(true); err != nil {
			return nil, err
		}
	}
	for _, v := range t.Values {
		if err := wanted.addExprValue(&f, t.Op, v.Text); err != nil {
			return nil, &expr.Error{Column: v.Column, Reason: reasonOf(err)}
		}
	}
	wanted.tidy()
	if f.needs != 0 {
		c.filter.uses = append(c.filter.uses, use{field: f, column: t.Column, member: exprMember, texts: wanted.texts})
	}
	return newTest(f, wanted), nil
}

// addExprValue reads one value of an expression: what a filter's string may hold, and the
// units of the field. Texts are taken as they are.
func (a *alternatives) addExprValue(f *Field, op expr.Op, text string) error {
	ordered := f.class == classNumber || f.class == classTime
	switch {
	case op != expr.Equal && !ordered:
		return reason.NoOrder.Of(op)
	case f.class != classText && strings.ContainsAny(text, "<>=!"):
		return reason.NotValue.Of(Quoted(text))
	}
	digits, err := f.unit.digits(text)
	if err != nil {
		return err
	}
	if op != expr.Equal {
		digits = string(op) + digits
	}
	return a.addString(f, digits)
}
