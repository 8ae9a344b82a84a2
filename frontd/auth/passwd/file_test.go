// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func parse(t *testing.T, text string) *File {
	t.Helper()
	file, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return file
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		text     string
		users    []string
		problems []string
	}{
		"empty":               {"", nil, nil},
		"comments and blanks": {"# a:b\n\n  \t\n \t# c:d\n", nil, nil},
		"no last newline":     {"ann:x\nbob:y", []string{"ann", "bob"}, nil},
		"CRLF":                {"ann:x\r\n\r\n# c\r\nbob:y\r\n", []string{"ann", "bob"}, nil},
		"space around":        {"  ann:x  \n", []string{"ann"}, nil},
		"no colon":            {"ann\nbob:y\n", []string{"bob"}, []string{"line 1: no colon"}},
		"no user":             {"\n:x\n", nil, []string{"line 2: user name is empty"}},
		"bad user":            {"a\u202en:x\nbob:y\n", []string{"bob"}, []string{"line 1: user name contains the control or format character U+202E"}},
		"space before colon":  {"ann :x\n", nil, []string{"line 1: user name begins or ends with a space"}},
		"byte order mark":     {"\ufeffann:x\n", nil, []string{"line 1: user name contains the control or format character U+FEFF"}},
		"binary":              {"\x00\xff\xfe\n\x01:\x02\n", nil, []string{"line 1: no colon", "line 2: user name contains the control or format character U+0001"}},
		"half a line":         {"ann:x\nbo", []string{"ann"}, []string{"line 2: no colon"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file := parse(t, test.text)
			if got := file.Users(); !slices.Equal(got, test.users) {
				t.Errorf("users %q, want %q", got, test.users)
			}
			var problems []string
			for _, p := range file.Problems() {
				problems = append(problems, p.Error())
			}
			if !slices.Equal(problems, test.problems) {
				t.Errorf("problems %q, want %q", problems, test.problems)
			}
			want := test.text
			if want != "" && !strings.HasSuffix(want, "\n") {
				want += "\n"
			}
			if got := string(file.Bytes()); got != want {
				t.Errorf("written back as %q", got)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	var users strings.Builder
	for i := range MaxUsers {
		fmt.Fprintf(&users, "user%d:x\n", i)
	}
	parse(t, users.String())
	tests := map[string]struct{ text, want string }{
		"twice":               {"ann:x\nbob:y\n# c\nann:z\n", `user "ann" on line 1 and on line 4`},
		"twice, but for case": {"ann:x\nAnn:y\n ann:z\r\n", `user "ann" on line 1 and on line 3`},
		"too many users":      {users.String() + "one:x\n", "more than 10000 users"},
		"too large":           {strings.Repeat("#", MaxFile+1), "more than 1048576 bytes"},
		"too many lines":      {strings.Repeat("\n", MaxFile), "more than 40000 lines"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file, err := Parse([]byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) || file != nil {
				t.Errorf("Parse: %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestEditing(t *testing.T) {
	const before = "# head\nann:x\n\nbob:{SHA}abc:Bob, room 5\r\nno colon\n# between\ncid:z"
	tests := map[string]struct {
		edit func(t *testing.T, f *File)
		want string
	}{
		"nothing": {func(t *testing.T, f *File) {}, before + "\n"},
		"add": {func(t *testing.T, f *File) {
			if err := f.Set("dan", bcryptAlice); err != nil {
				t.Error(err)
			}
		}, before + "\ndan:" + bcryptAlice + "\n"},
		"change in place": {func(t *testing.T, f *File) {
			if err := f.Set("ann", argonSmall); err != nil {
				t.Error(err)
			}
		}, strings.Replace(before, "ann:x", "ann:"+argonSmall, 1) + "\n"},
		"change keeps further fields": {func(t *testing.T, f *File) {
			if err := f.Set("bob", bcryptAlice); err != nil {
				t.Error(err)
			}
		}, strings.Replace(before, "{SHA}abc:Bob, room 5\r", bcryptAlice+":Bob, room 5", 1) + "\n"},
		"delete": {func(t *testing.T, f *File) {
			if !f.Delete("ann") || f.Delete("ann") {
				t.Error("Delete: not once")
			}
		}, strings.Replace(before, "ann:x\n", "", 1) + "\n"},
		"delete one, change those behind": {func(t *testing.T, f *File) {
			f.Delete("ann")
			if err := f.Set("cid", bcryptAlice); err != nil {
				t.Error(err)
			}
			if hash, line, ok := f.Lookup("cid"); !ok || hash != bcryptAlice || line != 6 {
				t.Errorf("Lookup: %q on line %d, %v", hash, line, ok)
			}
		}, "# head\n\nbob:{SHA}abc:Bob, room 5\r\nno colon\n# between\ncid:" + bcryptAlice + "\n"},
		"delete and add again": {func(t *testing.T, f *File) {
			f.Delete("cid")
			if err := f.Set("cid", bcryptAlice); err != nil {
				t.Error(err)
			}
		}, strings.TrimSuffix(before, "z") + bcryptAlice + "\n"},
		"delete nobody": {func(t *testing.T, f *File) {
			for _, user := range []string{"", "no colon", "# head", "Ann", "ann "} {
				if f.Delete(user) {
					t.Errorf("Delete(%q): true", user)
				}
			}
		}, before + "\n"},
		"what may not be set": {func(t *testing.T, f *File) {
			for user, hash := range map[string]string{
				"ann":      "plain text",
				"bob":      "{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=",
				"cid":      bcryptAlice + "\nroot:x",
				"new":      "",
				"x:y":      bcryptAlice,
				"a\nb":     bcryptAlice,
				"":         bcryptAlice,
				"#comment": bcryptAlice,
				" ann":     bcryptAlice,
			} {
				if err := f.Set(user, hash); err == nil {
					t.Errorf("Set(%q, %q): accepted", user, hash)
				}
			}
		}, before + "\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file := parse(t, before)
			test.edit(t, file)
			if got := string(file.Bytes()); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestZeroFile(t *testing.T) {
	var file File
	if _, _, ok := file.Lookup("ann"); ok || file.Delete("ann") || len(file.Bytes()) != 0 {
		t.Error("the zero File is not empty")
	}
	if err := file.Set("ann", bcryptAlice); err != nil {
		t.Fatal(err)
	}
	if got := string(file.Bytes()); got != "ann:"+bcryptAlice+"\n" {
		t.Errorf("got %q", got)
	}
}

func TestSetKeepsTheBounds(t *testing.T) {
	var file File
	for i := range MaxUsers {
		if err := file.Set(fmt.Sprint("user", i), bcryptAlice); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Set("one more", bcryptAlice); err == nil {
		t.Error("more users than a file may have")
	}
	if err := file.Set("user7", argonSmall); err != nil {
		t.Errorf("change in a full file: %v", err)
	}
	if _, err := Parse(file.Bytes()); err != nil {
		t.Errorf("a full file is not accepted: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "ann:x", "ann:x\nann:y", "# c\r\n bob:{SHA}x:y:z \r\n\n", ":\n::\n#:\n", "\x00:\xff", "no colon",
		"ann:" + bcryptAlice + "\nbob:" + argonSmall + "\n",
	} {
		f.Add([]byte(seed), "ann")
	}
	f.Fuzz(func(t *testing.T, data []byte, user string) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		back := file.Bytes()
		if want := bytes.TrimSuffix(data, []byte("\n")); !bytes.Equal(bytes.TrimSuffix(back, []byte("\n")), want) {
			t.Fatalf("written back as %q", back)
		}
		users := file.Users()
		for _, name := range users {
			if err := CheckName(name); err != nil {
				t.Errorf("user %q: %v", name, err)
			}
		}
		if file.Set(user, bcryptAlice) == nil {
			again := parse(t, string(file.Bytes()))
			if hash, _, ok := again.Lookup(user); !ok || hash != bcryptAlice {
				t.Errorf("user %q set, but read back as %q", user, hash)
			}
			if !slices.Contains(users, user) {
				users = append(users, user)
			}
			if !slices.Equal(again.Users(), users) {
				t.Errorf("users %q became %q", users, again.Users())
			}
		}
		for _, name := range users {
			if !file.Delete(name) {
				t.Errorf("user %q cannot be deleted", name)
			}
		}
		if left := parse(t, string(file.Bytes())).Users(); len(left) != 0 {
			t.Errorf("left: %q", left)
		}
	})
}
