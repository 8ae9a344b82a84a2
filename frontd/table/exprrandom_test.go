// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"nuconntrack/frontd/table/expr"
)

// randomExpr writes an expression in any spelling, and says by other means than the
// parser's which rows it asks for.
func randomExpr(t *testing.T, rnd *rand.Rand, s *Snapshot, depth int) (text string, match func(row int32) bool) {
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	switch kind := rnd.IntN(8); {
	case depth == 0 || kind < 2:
		return randomTest(t, rnd, s)
	case kind < 4:
		inner, matches := randomExpr(t, rnd, s, depth-1)
		return pick("not ", "!", "NOT  ") + "(" + inner + ")", func(row int32) bool { return !matches(row) }
	default:
		parts := make([]string, 2+rnd.IntN(2))
		matches := make([]func(int32) bool, len(parts))
		for i := range parts {
			parts[i], matches[i] = randomExpr(t, rnd, s, depth-1)
			parts[i] = "(" + parts[i] + ")"
		}
		if kind < 6 {
			return strings.Join(parts, pick(" and ", "&&", " And\n")), func(row int32) bool {
				return !slices.ContainsFunc(matches, func(m func(int32) bool) bool { return !m(row) })
			}
		}
		return strings.Join(parts, pick(" or ", "||", "\tOR ")), func(row int32) bool {
			return slices.ContainsFunc(matches, func(m func(int32) bool) bool { return m(row) })
		}
	}
}

// randomTest asks for what a member of a filter can ask for, too.
func randomTest(t *testing.T, rnd *rand.Rand, s *Snapshot) (string, func(row int32) bool) {
	f := fieldTable[rnd.IntN(len(fieldTable))]
	operand := randomOperand(rnd, s, f)
	if values, ok := operand.([]any); ok && f.class == classFlag {
		operand = values[0]
	}
	member, err := CompileFilter(map[string]Operand{f.Name: operand})
	if err != nil {
		t.Fatalf("%s %v: %v", f.Name, operand, err)
	}
	name := []string{f.Name, exprName(f), strings.ToUpper(f.Name)}[rnd.IntN(3)]
	text := name
	switch v := operand.(type) {
	case bool:
		text += []string{"=", " eq ", " == "}[rnd.IntN(3)] + fmt.Sprint(v)
	case []any:
		for i, one := range v {
			text += []string{" ", " , "}[min(i, 1)] + expr.Quote(fmt.Sprint(one))
		}
	case string:
		value, not := strings.CutPrefix(v, "!")
		op, value := cutComparison(value)
		switch {
		case not && op == "":
			op = []string{"!=", " ne ", "!"}[rnd.IntN(3)]
		case not:
			text = "not " + text
		}
		if op == "" {
			op = []string{"=", " ", " eq "}[rnd.IntN(3)]
		}
		text += op + expr.Quote(value)
	}
	return text, func(row int32) bool { return member.Match(s, row) }
}

func TestExprRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	s := randomRows(700, 21)
	telling := 0
	for range 1500 {
		text, match := randomExpr(t, rnd, s, 4)
		f, err := ParseExpr(text)
		var bad *FilterError
		if errors.As(err, &bad) && strings.Contains(bad.Reason.Error(), "more than") {
			continue // too long or too deep
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		rows := f.Rows(s)
		if len(rows) > 0 && len(rows) < s.Len() {
			telling++
		}
		for row := range int32(s.Len()) {
			_, found := slices.BinarySearch(rows, row)
			if want := match(row); found != want || f.Match(s, row) != want {
				t.Fatalf("row %d: %v, want %v, by\n%s", row, found, want, text)
			}
		}
		checkAgain(t, f)
	}
	if telling < 500 {
		t.Errorf("only %d expressions tell rows apart", telling)
	}
}

func FuzzParseExpr(f *testing.F) {
	for _, g := range goodExprs {
		f.Add(g.text)
	}
	for _, seed := range []string{"tcp port 22", "((((", `helper "`, "a!b", "rate > 1.5.5k", "é", "\"\\\"", "age 1d1d", "! ! !", "nat nat", "not\x00"} {
		f.Add(seed)
	}
	s := randomRows(200, 3)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseExpr(text)
		if err != nil {
			var bad *FilterError
			if !errors.As(err, &bad) || bad.Member != "expr" || len(err.Error()) > 1000 ||
				bad.Column < 1 || bad.Column > len([]rune(text))+1 {
				t.Fatalf("error %q", err)
			}
			return
		}
		if len(filter.Expr()) > expr.MaxLength {
			t.Fatalf("canonical form of %d bytes", len(filter.Expr()))
		}
		checkMatch(t, filter, s)
		again, err := ParseExpr(filter.Expr())
		if err != nil || again.Expr() != filter.Expr() || !slices.Equal(again.Rows(s), filter.Rows(s)) {
			t.Fatalf("%q means %q, which means %q: %v", text, filter.Expr(), again.Expr(), err)
		}
	})
}

// BenchmarkExpr asks a million rows, as a first page does.
func BenchmarkExpr(b *testing.B) {
	for _, text := range []string{
		"proto tcp and dst 10.0.0.0/8 and dport 80,443 and not state established and rate > 100k",
		"(host 10.1.0.0/16 or port 443) and not (udp or icmp and unreplied)",
		strings.Repeat("nat or ", expr.MaxTests-1) + "nat",
	} {
		b.Run(text[:min(len(text), 24)], func(b *testing.B) {
			s := millionRows()
			b.ReportAllocs()
			for b.Loop() {
				f, err := ParseExpr(text)
				if err != nil {
					b.Fatal(err)
				}
				f.Run(s)
			}
		})
	}
}

func BenchmarkParseExpr(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseExpr("proto tcp and dst 10.0.0.0/8 and dport 80,443 and not state established and rate > 100k"); err != nil {
			b.Fatal(err)
		}
	}
}
