// SPDX-License-Identifier: GPL-2.0-or-later

package expr

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"nuconntrack/frontd/reason"
)

// letters is a vocabulary: a to m take values, flag is one, and yes stands for a 1.
type letters struct{}

func (letters) Word(name string) (Word, bool) {
	switch {
	case name == "flag":
		return Word{Field: name, Flag: true}, true
	case name == "unflag":
		return Word{Field: "flag", Flag: true, Not: true}, true
	case name == "yes":
		return Word{Field: "a", Value: "1"}, true
	case name == "a long":
		return Word{Field: "b"}, true
	case len(name) == 1 && name >= "a" && name <= "m":
		return Word{Field: name}, true
	}
	return Word{}, false
}

func (letters) Suggest(name string) (reason.Reason, bool) {
	return reason.Write.Of(strings.Repeat("a", len(name))), true
}

func eq(field string, values ...string) Expr {
	t := &Test{Field: field, Op: Equal}
	for _, v := range values {
		t.Values = append(t.Values, Value{Text: v})
	}
	return t
}

// placeless takes the columns off.
func placeless(x Expr) Expr {
	switch x := x.(type) {
	case All:
		for _, part := range x {
			placeless(part)
		}
	case Any:
		for _, part := range x {
			placeless(part)
		}
	case Not:
		placeless(x.X)
	case *Test:
		x.Column = 0
		for i := range x.Values {
			x.Values[i].Column = 0
		}
	}
	return x
}

func TestParse(t *testing.T) {
	a, b, c := eq("a", "1"), eq("b", "2"), eq("c", "3")
	for text, want := range map[string]Expr{
		"a 1":                           a,
		"yes":                           a,
		"a long 2":                      b,
		"a 1 and b 2 and c 3":           All{a, b, c},
		"a 1 and (b 2 and c 3)":         All{a, b, c},
		"a 1 or b 2 and c 3":            Any{a, All{b, c}},
		"(a 1 or b 2) and c 3":          All{Any{a, b}, c},
		"a 1 or (b 2 or c 3)":           Any{a, b, c},
		"not a 1 and b 2":               All{Not{a}, b},
		"not (a 1 and b 2)":             Not{All{a, b}},
		"not not (a 1 and b 2) and c 3": All{a, b, c},
		"not a != 1":                    a,
		"not unflag":                    eq("flag"),
		"unflag = false":                eq("flag"),
		"flag != true":                  Not{eq("flag")},
		`a 1,"x y",""`:                  eq("a", "1", "x y", ""),
		`a "eq","NOT"`:                  eq("a", "eq", "NOT"),
		"a ge 5":                        &Test{Field: "a", Op: GreaterOrEqual, Values: []Value{{Text: "5"}}},
	} {
		x, err := Parse(text, letters{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !reflect.DeepEqual(placeless(x), want) {
			t.Errorf("%s is %s, %#v", text, x, x)
		}
		again, err := Parse(x.String(), letters{})
		if err != nil || !reflect.DeepEqual(placeless(again), want) {
			t.Errorf("%s prints as %s, which is %v, %v", text, x, again, err)
		}
	}
}

func TestParseColumns(t *testing.T) {
	x, err := Parse("not  a \"é\" , 5", letters{})
	if err != nil {
		t.Fatal(err)
	}
	want := Not{&Test{Field: "a", Op: Equal, Column: 6, Values: []Value{{"é", 8}, {"5", 14}}}}
	if !reflect.DeepEqual(x, Expr(want)) {
		t.Errorf("%#v", x)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, column := range map[string]int{
		"": 1, "z 1": 1, "a": 2, "a 1 b 2": 5, "a 1 2": 5, "a 1,": 5, "a < 1,2": 6, "flag < 1": 6, "yes 1": 5,
		"(a 1": 5, "a 1)": 4, "a \"é": 3, "a é": 3, "a 1 & b 2": 5, strings.Repeat(" ", MaxLength) + "a": MaxLength + 1,
		strings.Repeat("not ", MaxDepth+1) + "yes":                            4*MaxDepth + 1,
		strings.Repeat("yes or ", MaxTests) + "yes":                           7*MaxTests + 1,
		strings.Repeat("yes or ", 50) + "zzz":                                 351,
		strings.Repeat("a<1||", 60) + "a " + strings.Repeat("1,", 1896) + "1": 4095 + 1,
	} {
		_, err := Parse(text, letters{})
		var bad *Error
		if !errors.As(err, &bad) || bad.Column != column || bad.Reason.Error() == "" {
			t.Errorf("%.60q: %v, want column %d", text, err, column)
		}
	}
}
