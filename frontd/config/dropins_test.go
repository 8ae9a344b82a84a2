// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// write makes files below a new folder and returns the path of its frontd.toml. A name that
// ends in / is a folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "frontd.toml")
}

func TestDropIns(t *testing.T) {
	c, err := Load(write(t, map[string]string{
		"frontd.toml":                "max_page = 1\nhosts = [\"a\", \"b\"]\nmulticall = true" + authSection + "[auth.roles]\nann = \"viewer\"\nbob = \"viewer\"\n",
		"frontd.d/20-second.toml":    "max_page = 3\n[auth.roles]\nann = \"operator\"\n",
		"frontd.d/10-first.toml":     "max_page = 2\nhosts = [\"c\"]\n",
		"frontd.d/30.toml.dpkg-dist": "not read = at all",
		"frontd.d/.31.toml":          "neither = this",
		"frontd.d/README":            "nor this",
		"other.d/40.toml":            "nor this",
	}), Override{})
	if err != nil {
		t.Fatal(err)
	}
	if c.View.MaxPage != 3 || !slices.Equal(c.Hosts, []string{"c"}) || !c.Multicall {
		t.Errorf("page %d, hosts %q, multicall %t", c.View.MaxPage, c.Hosts, c.Multicall)
	}
	if c.Auth.RoleOf("ann").Name != "operator" || c.Auth.RoleOf("bob").Name != "viewer" {
		t.Errorf("roles %v", c.Auth.Roles)
	}
}

func TestReferenceIsADropIn(t *testing.T) {
	c, err := Load(write(t, map[string]string{"frontd.toml": "max_page = 1" + authSection, "frontd.d/x.toml": Reference()}), Override{})
	if err != nil {
		t.Fatal(err)
	}
	if want := mustParse(t, Reference()).String(); c.String() != want {
		t.Errorf("got\n%s\nwant\n%s", c, want)
	}
}

func TestBadDropIns(t *testing.T) {
	many := map[string]string{"frontd.toml": authSection}
	for i := range maxDropIns + 1 {
		many[fmt.Sprintf("frontd.d/%d.toml", i)] = ""
	}
	crowd := map[string]string{"frontd.toml": authSection}
	for i := range maxEntries + 1 {
		crowd[fmt.Sprintf("frontd.d/%d", i)] = ""
	}
	bad := func(text string) map[string]string {
		return map[string]string{"frontd.toml": "max_page = 1" + authSection, "frontd.d/10.toml": "# fine\n", "frontd.d/20.toml": text}
	}
	for name, test := range map[string]struct {
		files  map[string]string
		change func(dir string) error
		says   []string
	}{
		"unknown key":        {bad("\nlisen = 1"), nil, []string{"frontd.d/20.toml: line 2: key lisen: unknown key"}},
		"out of bounds":      {bad("max_page = 0"), nil, []string{"frontd.d/20.toml: line 1: key max_page: 0 is not in"}},
		"not TOML":           {bad("max_page"), nil, []string{"frontd.d/20.toml: line 1"}},
		"too large":          {bad("#" + strings.Repeat("x", 1<<20)), nil, []string{"20.toml: larger than"}},
		"section twice":      {bad("[auth]\nbackend = \"none\"\n"), nil, []string{"frontd.toml: line 4: key auth.file", "asks for no password"}},
		"mistakes in both":   {map[string]string{"frontd.toml": "max_page = 0" + authSection, "frontd.d/1.toml": "max_body = 0"}, nil, []string{"frontd.toml: line 1: key max_page", "frontd.d/1.toml: line 1: key max_body"}},
		"too many":           {many, nil, []string{"frontd.d: more than 100 files"}},
		"too many of others": {crowd, nil, []string{"frontd.d: more than 1000 entries"}},
		"a file for folder":  {map[string]string{"frontd.toml": authSection, "frontd.d": ""}, nil, []string{"frontd.d: it stands where"}},
		"a folder for file":  {map[string]string{"frontd.toml": authSection, "frontd.d/x.toml/": ""}, nil, []string{"x.toml: not a regular file"}},
		"others may write": {bad(""), func(dir string) error { return os.Chmod(dir+"/frontd.d/20.toml", 0o666) },
			[]string{"20.toml: mode is 0666: others may write it"}},
		"others may add": {bad(""), func(dir string) error { return os.Chmod(dir+"/frontd.d", 0o777) },
			[]string{"frontd.d: mode is 0777: others may write it"}},
		"dangling link": {bad(""), func(dir string) error { return os.Symlink("/nonexistent/x", dir+"/frontd.d/30.toml") },
			[]string{"30.toml: no such file"}},
		"a named pipe": {bad(""), func(dir string) error { return unix.Mkfifo(dir+"/frontd.d/30.toml", 0o644) },
			[]string{"30.toml: not a regular file"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, test.files)
			if test.change != nil {
				if err := test.change(filepath.Dir(path)); err != nil {
					t.Fatal(err)
				}
			}
			c, err := Load(path, Override{})
			if c != nil || err == nil {
				t.Fatalf("got %v, %v", c, err)
			}
			for _, says := range test.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%v\ndoes not say %q", err, says)
				}
			}
		})
	}
}

// TestEveryMistakeIsTold: a mistake must not hide the others, and must not make what is right look
// wrong.
func TestEveryMistakeIsTold(t *testing.T) {
	_, err := Parse([]byte("lisen = 1\nmax_page = 0\nmax_age = \"soon\"\nlisten = [\"nowhere\"]\nmulticall = 1\n[auth]\nbackend = \"file\"\nrole = \"tenant\"\n"+
		"[auth.roles]\nann = \"tenant\"\nbob = \"nobody\"\n[roles.tenant]\nbase = \"viewer\"\nzones = [70000]\n"), "f", Override{})
	var all Errors
	if !errors.As(err, &all) {
		t.Fatalf("got %v", err)
	}
	if !slices.IsSortedFunc(all, func(a, b *Error) int { return a.Line - b.Line }) {
		t.Errorf("not in the order of their lines:\n%v", err)
	}
	var keys []string
	for _, e := range all {
		keys = append(keys, e.Key)
		if e.Line == 0 || e.File != "f" {
			t.Errorf("no place: %v", e)
		}
	}
	slices.Sort(keys)
	want := []string{"auth", "auth.roles.bob", "lisen", "listen", "max_age", "max_page", "multicall", "roles.tenant.zones"}
	if !slices.Equal(keys, want) {
		t.Errorf("mistakes at %q, want %q\n%v", keys, want, err)
	}
}
