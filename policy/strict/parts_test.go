// SPDX-License-Identifier: GPL-2.0-or-later

package strict

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestReadAllJoins(t *testing.T) {
	root := ReadAll(
		Part{"a", []byte("one = 1\nlist = [1, 2]\n[t]\nx = 1\ny = 1\n[[each]]\nn = 1\n[[each]]\nn = 2\n")},
		Part{"b", []byte("list = [3]\nt.y = 2\n[t.z]\ndeep = true\n")},
		Part{"c", []byte("[[each]]\nn = 3\n")},
		Part{"empty", nil},
	)
	if err := root.Err(); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(root.List("list"), []any{int64(3)}) || root.Integer("one", 0, 0, 9) != 1 {
		t.Errorf("at the top: %v", root.values)
	}
	below := root.Table("t")
	if below.Integer("x", 0, 0, 9) != 1 || below.Integer("y", 0, 0, 9) != 2 || !below.Table("z").Boolean("deep") {
		t.Errorf("in the table: %v", below.values)
	}
	if each := root.Tables("each", 9); len(each) != 1 || each[0].Integer("n", 0, 0, 9) != 3 {
		t.Errorf("array of tables: %v", each)
	}
}

func TestReadAllNamesThePart(t *testing.T) {
	parts := []Part{
		{"a", []byte("both = 1\nonly = 1\n[t]\nx = 1\n[[each]]\nn = 1\nm = 1\n[[each]]\n")},
		{"b", []byte("\nboth = 2\n[t]\n\ny = 1\n[[each]]\nn = 3\n")},
	}
	for name, test := range map[string]struct {
		fail func(Table)
		file string
		line int
		key  string
	}{
		"in the first":          {func(r Table) { r.Fail("only", "bad") }, "a", 2, "only"},
		"in both":               {func(r Table) { r.Fail("both", "bad") }, "b", 2, "both"},
		"the first one's below": {func(r Table) { r.Table("t").Fail("x", "bad") }, "a", 4, "t.x"},
		"the second's below":    {func(r Table) { r.Table("t").Fail("y", "bad") }, "b", 5, "t.y"},
		"a table of both":       {func(r Table) { r.Table("t").Fail("", "bad") }, "b", 3, "t"},
		"an element":            {func(r Table) { r.Tables("each", 9)[0].Fail("n", "bad") }, "b", 7, "each.n"},
		"missing in an element": {func(r Table) { r.Tables("each", 9)[0].Fail("m", "bad") }, "b", 6, "each.m"},
		"unknown":               {func(r Table) { r.Only("both", "t", "each") }, "a", 2, "only"},
		"nowhere":               {func(r Table) { r.Fail("none", "bad") }, "a", 0, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			root := ReadAll(parts...)
			test.fail(root)
			var e *Error
			if !errors.As(root.Err(), &e) || e.File != test.file || e.Line != test.line || e.Key != test.key {
				t.Errorf("got %+v", e)
			}
		})
	}
	root := ReadAll(parts[0], Part{"c", []byte("= 1")})
	if err := root.Err(); err == nil || !strings.HasPrefix(err.Error(), "c: line 1") || len(root.Keys()) != 0 {
		t.Errorf("a part that is not TOML: %v, keys %q", err, root.Keys())
	}
}

func TestEveryMistakeIsKept(t *testing.T) {
	root := Read([]byte("a = 1\nb = 'x'\nc = 3\n[t]\nd = 1\n"), "f")
	root.Only("b", "t")
	root.Boolean("b")
	root.Integer("b", 0, 0, 9)     // the second about a key
	root.Fail("absent", "missing") // what stands in for something wrong
	root.Table("t").Text("d")
	var all Errors
	if !errors.As(root.Err(), &all) || len(all) != 4 {
		t.Fatalf("got %v", root.Err())
	}
	for i, key := range []string{"a", "b", "c", "t.d"} {
		if all[i].Key != key || all[i].File != "f" || all[i].Line == 0 {
			t.Errorf("mistake %d: %+v, want key %s", i, all[i], key)
		}
	}
	var b strings.Builder
	for i := range 2 * maxErrors {
		fmt.Fprintf(&b, "k%d = 1\n", i)
	}
	many := Read([]byte(b.String()), "f")
	many.Only()
	if !errors.As(many.Err(), &all) || len(all) != maxErrors+1 || !strings.Contains(all[maxErrors].Reason, "left out") {
		t.Errorf("of %d mistakes %d are told: %v", 2*maxErrors, len(all), all[len(all)-1])
	}
}

// TestMistakesStandInOrder: first those of the first part, by their lines; those without a line after
// them.
func TestMistakesStandInOrder(t *testing.T) {
	root := ReadAll(Part{"a", []byte("one = 1\ntwo = 2\n[t]\n")}, Part{"b", []byte("one = 3\nthree = 3\n")})
	root.Table("t").Fail("", "the table")
	root.Fail("three", "in the second")
	root.Fail("one", "the second counts")
	root.Fail("two", "in the first")
	root.Only("one", "t", "three")
	want := "a: line 2: key two: in the first\na: line 3: key t: the table\n" +
		"b: line 1: key one: the second counts\nb: line 2: key three: in the second"
	if err := root.Err(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	first := ReadAll(Part{"a", []byte("one = 1\n")})
	first.Fail("absent", "missing")
	first.Fail("one", "bad")
	if err, want := first.Err(), "a: line 1: key one: bad\na: key absent: missing"; err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
