// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"nuconntrack/ipc"
)

// markedRows are rows that differ in their marks; the last has none.
func markedRows(meaning *Meaning, marks ...uint32) *Snapshot {
	rows := make([]record, len(marks)+1)
	for i := range rows {
		rows[i].Family, rows[i].ID = ipc.FamilyIPv4, uint32(i)
		if i < len(marks) {
			rows[i].has, rows[i].mark = hasMark, marks[i]
		}
	}
	s := fill(rows, nil)
	s.meaning = meaning
	return s
}

func TestMeaningValues(t *testing.T) {
	m := NewMeaning(0xff0, NewUsers(map[uint32]string{0: "root", 1: "zoe", 255: "ann"}),
		[]Class{{"voice", 0x1, 0xf}, {"bulk", 0x0, 0xe}})
	whole := NewMeaning(0xffffffff, nil, nil)
	tests := []struct {
		name    string
		meaning *Meaning
		mark    uint32
		want    string // user_id, username, authenticated, class
	}{
		{"a user and a class", m, 0x11, "1 zoe true voice"},
		{"the largest user", m, 0xff0, "255 ann true bulk"},
		{"a user without a name", m, 0x20, "2 - true bulk"},
		{"nobody is not root", m, 0x1, "0 - false voice"},
		{"other bits are no user", m, 0xf000f002, "0 - false -"},
		{"the first class that fits", NewMeaning(0, nil, []Class{{"a", 1, 1}, {"b", 3, 3}}), 3, "- - - a"},
		{"the whole mark", whole, 0xffffffff, "4294967295 - true -"},
		{"no meaning", nil, 0x11, "- - - -"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := markedRows(test.meaning, test.mark)
			for row, want := range []string{test.want, "- - " + map[bool]string{true: "false", false: "-"}[test.meaning != nil && test.meaning.uidMask != 0] + " -"} {
				var got []string
				for _, name := range []string{"user_id", "username", "authenticated", "class"} {
					f, _ := FieldNamed(name)
					if v, ok := f.Value(s, int32(row)); ok {
						got = append(got, v.String())
					} else {
						got = append(got, "-")
					}
				}
				if strings.Join(got, " ") != want {
					t.Errorf("row %d: %v, want %s", row, got, want)
				}
			}
		})
	}
}

func TestMeaningFilters(t *testing.T) {
	m := NewMeaning(0xff, NewUsers(map[uint32]string{5: "zoe", 6: "ann"}), []Class{{"voice", 0x100, 0x100}})
	s := markedRows(m, 0, 5, 6, 7, 0x105) // and one without a mark
	tests := map[string]string{
		"user zoe":              "[1 4]",
		"user zoe,ann":          "[1 2 4]",
		"user != zoe":           "[0 2 3 5]",
		"username nobody":       "[]",
		"uid 5":                 "[1 4]",
		"uid 6-7":               "[2 3]",
		"user_id > 5":           "[2 3]",
		"uid 0":                 "[0]",
		"authenticated":         "[1 2 3 4]",
		"not authenticated":     "[0 5]",
		"class voice":           "[4]",
		"class = voice and tcp": "[]",
		"class != voice":        "[0 1 2 3 5]",
	}
	for text, want := range tests {
		f, err := ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := fmt.Sprint(f.Rows(s)); got != want {
			t.Errorf("%s: rows %s, want %s", text, got, want)
		}
		if err := m.Check(f); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if got := fmt.Sprint(must(t, map[string]Operand{"user_id": []any{int64(5), "7"}, "authenticated": true}).Rows(s)); got != "[1 3 4]" {
		t.Errorf("members: rows %s", got)
	}
}

func must(t *testing.T, members map[string]Operand) *Filter {
	t.Helper()
	f, err := CompileFilter(members)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What is not configured does not exist, and says so where it stands.
func TestMeaningCheck(t *testing.T) {
	users, classes := NewMeaning(1, nil, nil), NewMeaning(0, nil, []Class{{"voice", 1, 1}, {"bulk", 2, 2}})
	tests := []struct {
		name    string
		meaning *Meaning
		members map[string]Operand
		want    string
	}{
		{"a user without uid_mask", nil, map[string]Operand{"username": "zoe"}, `filter member "username": there is no user in the marks here: uid_mask is not configured`},
		{"a user id, only classes", classes, map[string]Operand{"user_id": ">5"}, "uid_mask"},
		{"not authenticated", nil, map[string]Operand{"authenticated": false}, "uid_mask"},
		{"in an expression", classes, map[string]Operand{"expr": "tcp and not (udp or user zoe)"}, "column 21: there is no user"},
		{"a class without classes", users, map[string]Operand{"class": "!voice"}, "[[class]]"},
		{"a class that is none", classes, map[string]Operand{"class": []any{"voice", "Bulk"}}, `there is no class "Bulk", only bulk, voice`},
		{"a class in an expression", classes, map[string]Operand{"expr": "class bulk or class x"}, "column 15"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.meaning.Check(must(t, test.members))
			var wrong *FilterError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if err := (*Meaning)(nil).Check(nil); err != nil {
		t.Error(err)
	}
}
