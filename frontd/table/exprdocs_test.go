// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"os"
	"slices"
	"strings"
	"testing"

	"nuconntrack/frontd/table/expr"
)

// documentation is where users look the language up.
func documentation(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/expressions.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, from)
	part, _, ended := strings.Cut(rest, to)
	if !ok || !ended {
		t.Fatalf("the documentation has nothing between %q and %q", from, to)
	}
	return part
}

func TestExprDocumentationHasAllNames(t *testing.T) {
	got := between(t, documentation(t), "<!-- names -->\n", "<!-- end of names -->")
	if want := exprTable(); got != want {
		t.Errorf("docs/expressions.md has other names than the code; it should have\n%s", want)
	}
}

func TestExprDocumentationExamples(t *testing.T) {
	s := randomRows(2000, 5)
	examples := 0
	for line := range strings.Lines(between(t, documentation(t), "## Examples", "## Names")) {
		text, ok := strings.CutPrefix(line, "    ")
		if !ok {
			continue
		}
		examples++
		text = strings.TrimSpace(text)
		f, err := ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		checkMatch(t, f, s)
		if !slices.ContainsFunc(goodExprs, func(g goodExpr) bool { return g.text == text }) {
			t.Errorf("%s: no test says what it means", text)
		}
	}
	if examples != 12 {
		t.Errorf("%d examples", examples)
	}
}

func TestExprHelp(t *testing.T) {
	help := ExprHelp()
	for line := range strings.Lines(help) {
		if len(strings.TrimSuffix(line, "\n")) > 79 {
			t.Errorf("too long for a terminal: %s", line)
		}
	}
	for _, example := range ExprExamples() {
		if _, err := ParseExpr(example[0]); err != nil || !strings.Contains(help, example[0]) {
			t.Errorf("%s: %v", example[0], err)
		}
	}
	for _, name := range exprShorthands() {
		if !strings.Contains(help, name) {
			t.Errorf("the help lacks %s", name)
		}
	}
}

// TestExprNames: every name works, its canonical form is one of the names, and no word of
// the grammar is hidden by a name.
func TestExprNames(t *testing.T) {
	for _, name := range exprNames() {
		w, ok := vocabulary{}.Word(name)
		f, isField := exprField(w.Field)
		if !ok || !isField || exprName(f) != w.Field {
			t.Errorf("%s means %+v, found %v", name, w, ok)
		}
		if again, _ := (vocabulary{}).Word(w.Field); again.Field != w.Field || again.Not || again.Value != "" {
			t.Errorf("%s prints as %s, which means %+v", name, w.Field, again)
		}
		if !strings.Contains(name, " ") && expr.Quote(name) != name {
			t.Errorf("%s cannot be written", name)
		}
	}
	for _, f := range Fields() {
		if w, ok := (vocabulary{}).Word(f.Name); ok != f.Filter || ok && w.Value != "" {
			t.Errorf("the field %s means %+v", f.Name, w)
		}
	}
}
