// SPDX-License-Identifier: GPL-2.0-or-later

package strict

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const values = `yes = true
many = 12
half = 0.5
name = "x"
none = []
list = [1, "a"]
[below]
key = 1
[[each]]
key = 1
[[each]]
key = 2
`

func TestValues(t *testing.T) {
	root := Read([]byte(values), "f")
	if !root.Boolean("yes") || root.Boolean("absent") {
		t.Error("booleans")
	}
	if root.Integer("many", 1, 0, 12) != 12 || root.Integer("absent", 7, 0, 1) != 7 {
		t.Error("integers")
	}
	if root.Share("half", 1, 1) != 0.5 || root.Share("absent", 0.25, 1) != 0.25 {
		t.Error("shares")
	}
	if root.Text("name") != "x" || root.Text("absent") != "" {
		t.Error("texts")
	}
	if l := root.List("none"); l == nil || len(l) != 0 || root.List("absent") != nil || len(root.List("list")) != 2 {
		t.Error("lists")
	}
	if keys := root.Table("below").Keys(); !slices.Equal(keys, []string{"key"}) || len(root.Table("absent").Keys()) != 0 {
		t.Error("tables")
	}
	if each := root.Tables("each", 2); len(each) != 2 || each[1].Value("key") != int64(2) {
		t.Error("arrays of tables")
	}
	if err := root.Err(); err != nil {
		t.Errorf("error %v", err)
	}
}

func TestMistakes(t *testing.T) {
	tests := map[string]struct {
		read func(root Table)
		line int
		key  string
	}{
		"boolean":             {func(r Table) { r.Boolean("many") }, 2, "many"},
		"integer":             {func(r Table) { r.Integer("half", 0, 0, 1) }, 3, "half"},
		"integer too low":     {func(r Table) { r.Integer("many", 0, 13, 20) }, 2, "many"},
		"integer too high":    {func(r Table) { r.Integer("many", 0, 0, 11) }, 2, "many"},
		"share":               {func(r Table) { r.Share("name", 1, 1) }, 4, "name"},
		"share too high":      {func(r Table) { r.Share("many", 1, 1) }, 2, "many"},
		"text":                {func(r Table) { r.Text("list") }, 6, "list"},
		"list":                {func(r Table) { r.List("name") }, 4, "name"},
		"table":               {func(r Table) { r.Table("many") }, 2, "many"},
		"table for an array":  {func(r Table) { r.Table("each") }, 9, "each"},
		"tables":              {func(r Table) { r.Tables("below", 1) }, 7, "below"},
		"tables of numbers":   {func(r Table) { r.Tables("list", 9) }, 6, "list"},
		"too many tables":     {func(r Table) { r.Tables("each", 1) }, 9, "each"},
		"unknown key":         {func(r Table) { r.Only("yes", "many", "half", "name", "none", "list", "below") }, 9, "each"},
		"unknown key below":   {func(r Table) { r.Table("below").Only() }, 8, "below.key"},
		"in the second table": {func(r Table) { r.Tables("each", 2)[1].Text("key") }, 12, "each.key"},
		"key that is missing": {func(r Table) { r.Fail("absent", "missing") }, 0, "absent"},
		"the table as such":   {func(r Table) { r.Table("below").Fail("", "bad") }, 7, "below"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := Read([]byte(values), "f")
			test.read(root)
			root.Fail("yes", "a later mistake")
			var all Errors
			if !errors.As(root.Err(), &all) {
				t.Fatalf("got %v, want two mistakes", root.Err())
			}
			if !slices.ContainsFunc(all, func(e *Error) bool {
				return e.File == "f" && e.Line == test.line && e.Key == test.key && e.Reason != ""
			}) {
				t.Errorf("got %v, want line %d and key %q", root.Err(), test.line, test.key)
			}
		})
	}
}

func TestRepeatingHostileText(t *testing.T) {
	for _, got := range []string{Quote("\x1b[2J\u202e\n"), Show("\x1b\n"), plain("a\x1b\u202e\n")} {
		if strings.ContainsAny(got, "\x1b\u202e\n") {
			t.Errorf("%q steers a terminal", got)
		}
	}
	for _, got := range []string{Quote(strings.Repeat("ä", 1000)), plain(strings.Repeat("ä", 1000))} {
		if len(got) > 2*maxShown || strings.ContainsRune(got, '\uFFFD') {
			t.Errorf("cut to %q", got)
		}
	}
}
