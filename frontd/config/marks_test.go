// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"nuconntrack/frontd/table"
)

func TestMarks(t *testing.T) {
	c := mustParse(t, `hide = ["127.0.0.0/8", "::1", "udp and dport 53", "user monitor", "class bulk"]
uid_mask = 65535
users_file = "credential:users"
[[class]]
name = "bulk"
mark = "0x10/0xf0"
[[class]]
name = "voice.gold-1"
mark = 0x20
`+authSection)
	if want := (Marks{0xffff, "credential:users", []table.Class{{Name: "bulk", Value: 0x10, Mask: 0xf0}, {Name: "voice.gold-1", Value: 0x20, Mask: 0xffffffff}}}); !reflect.DeepEqual(c.Marks, want) {
		t.Errorf("marks %+v, want %+v", c.Marks, want)
	}
	if len(c.Hide) != 5 || c.Hide[0] != "127.0.0.0/8" {
		t.Errorf("hide %q", c.Hide)
	}
	if again := mustParse(t, c.String()); !reflect.DeepEqual(again.Marks, c.Marks) || !reflect.DeepEqual(again.Hide, c.Hide) {
		t.Errorf("read back: %+v, %q", again.Marks, again.Hide)
	}
}

// The example in the reference is one.
func TestReferenceClass(t *testing.T) {
	_, rest, _ := strings.Cut(Reference(), "#[[class]]\n")
	example, _, _ := strings.Cut("#[[class]]\n"+rest, "\n\n")
	c := mustParse(t, authSection+strings.ReplaceAll(example, "#", ""))
	if len(c.Marks.Classes) != 1 || c.Marks.Classes[0].Name != "voice" {
		t.Errorf("%+v from %q", c.Marks, example)
	}
}

func TestMarksErrors(t *testing.T) {
	class := func(name, mark string) string { return "\n[[class]]\nname = " + name + "\nmark = " + mark + "\n" }
	for name, test := range map[string]struct{ text, key, says string }{
		"mask no number":         {`uid_mask = "all"`, "uid_mask", "0xffff"},
		"mask with a mask":       {`uid_mask = "1/1"`, "uid_mask", "mask"},
		"mask too large":         {`uid_mask = "0x100000000"`, "uid_mask", "32 bits"},
		"mask negative":          {`uid_mask = -1`, "uid_mask", "mask"},
		"mask an array":          {`uid_mask = ["1"]`, "uid_mask", "mask"},
		"users without mask":     {`users_file = "/etc/x"`, "users_file", "uid_mask"},
		"users relative":         {"uid_mask = 1\nusers_file = \"x\"", "users_file", "absolute"},
		"hide no array":          {`hide = "127.0.0.0/8"`, "hide", "array"},
		"hide no text":           {`hide = [127]`, "hide", "127"},
		"hide nonsense":          {`hide = ["hide and seek"]`, "hide", "neither a network nor an expression"},
		"hide empty":             {`hide = [""]`, "hide", "neither"},
		"hide a network too far": {`hide = ["10.0.0.0/33"]`, "hide", "10.0.0.0/33"},
		"hide by users unknown":  {`hide = ["udp", "user zoe"]`, "hide", `"user zoe": column 1: there is no user`},
		"hide by class unknown":  {`hide = ["class x"]` + class(`"a"`, "1"), "hide", "no class"},
		"class without name":     {"\n[[class]]\nmark = 1", "class.name", "name"},
		"class without mark":     {"\n[[class]]\nname = \"a\"", "class.mark", "mark"},
		"class of another key":   {"\n[[class]]\nname = \"a\"\nmark = 1\nrate = 5", "class.rate", ""},
		"class with a space":     {class(`"a b"`, "1"), "class.name", "a b"},
		"class with a long name": {class(`"`+strings.Repeat("x", 65)+`"`, "1"), "class.name", "64"},
		"class mark no number":   {class(`"a"`, `"red"`), "class.mark", "red"},
		"class outside mask":     {class(`"a"`, `"0x11/0xf0"`), "class.mark", "outside"},
		"class without bits":     {class(`"a"`, `"0/0"`), "class.mark", "every mark"},
		"class twice":            {class(`"a"`, "1") + class(`"a"`, "2"), "class.name", "twice"},
		"class of the same mark": {class(`"a"`, "1") + class(`"b"`, `"0x1/0xffffffff"`), "class.mark", `"a" before it`},
		"class never reached":    {class(`"a"`, `"0x10/0x10"`) + class(`"b"`, `"0x30/0xf0"`), "class.mark", "no mark is left"},
		"class a table":          {"\n[class]\nname = \"a\"\nmark = 1", "class", "[[class]]"},
	} {
		t.Run(name, func(t *testing.T) {
			at := test.text + authSection
			_, err := Parse([]byte(at), "f.toml", Override{})
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Key != test.key || !strings.Contains(err.Error(), test.says) || wrong.Line == 0 {
				t.Errorf("got %v, want a mistake at %s with %q", err, test.key, test.says)
			}
		})
	}
	// Classes may overlap as long as each has marks of its own.
	mustParse(t, authSection+class(`"a"`, `"0x30/0xf0"`)+class(`"b"`, `"0x10/0x10"`))
}
