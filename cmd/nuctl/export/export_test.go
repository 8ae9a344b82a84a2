// SPDX-License-Identifier: GPL-2.0-or-later

package export

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// content wants a folder with one file, or none.
func content(t *testing.T, dir, want string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want == "" {
		if len(entries) != 0 {
			t.Errorf("%v is left", entries)
		}
		return
	}
	data, err := os.ReadFile(filepath.Join(dir, "table"))
	if err != nil || string(data) != want || len(entries) != 1 {
		t.Errorf("%q, %v, %v", data, err, entries)
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "table")
	write := func(text string, overwrite bool) (*File, error) {
		f, err := Create(path, overwrite)
		if err != nil {
			return nil, err
		}
		_, err = f.Write([]byte(text))
		return f, err
	}
	f, err := write("one", false)
	if err != nil {
		t.Fatal(err)
	}
	f.Abort()
	content(t, dir, "")
	if f, err = write("two", false); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Abort()
	content(t, dir, "two")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := write("three", false); !errors.Is(err, ErrExists) {
		t.Errorf("over another: %v", err)
	}
	content(t, dir, "two")
	if f, err = write("four", true); err != nil {
		t.Fatal(err)
	}
	f.Abort()
	content(t, dir, "two")
	if f, err = write("five", true); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	content(t, dir, "five")
}

// TestFileComesInBetween: somebody makes one of that name while the table is written.
func TestFileComesInBetween(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "table")
	f, err := Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); !errors.Is(err, ErrExists) {
		t.Errorf("%v", err)
	}
	content(t, dir, "another")
}

func TestCreateRefuses(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/nowhere", link); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		path      string
		overwrite bool
	}{
		"a folder":              {dir, true},
		"a folder, not to go":   {dir, false},
		"a device":              {"/dev/null", true},
		"a link":                {link, true},
		"a link, not to go":     {link, false},
		"in no folder":          {filepath.Join(dir, "none", "table"), true},
		"in a file as a folder": {"/dev/null/table", false},
		"nothing":               {"", false},
	} {
		if f, err := Create(test.path, test.overwrite); err == nil {
			t.Errorf("%s: made", name)
			f.Abort()
		}
	}
}

func TestBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		b := Bar{Out: &out}
		b.Show(0, 1000, 0)
		for range 50 { // too soon
			b.Show(100, 1000, 1e6)
		}
		if n := strings.Count(out.String(), "\r"); n != 1 {
			t.Errorf("%d lines at once", n)
		}
		time.Sleep(10 * time.Second)
		b.Show(500, 1000, 5e6)
		if !strings.Contains(out.String(), "[===============               ]  50%  500 of 1000  5.0 MB  10s left") {
			t.Errorf("%q", out.String())
		}
		b.Show(1000, 1000, 1e7)
		if !strings.Contains(out.String(), "100%  1000 of 1000") {
			t.Errorf("%q", out.String())
		}
		out.Reset()
		b.End()
		if strings.TrimSpace(out.String()) != "" {
			t.Errorf("left %q", out.String())
		}
		for _, all := range [][2]int{{0, 0}, {5, 0}, {7, 5}, {1 << 40, 1 << 41}} {
			out.Reset()
			time.Sleep(time.Second)
			b.Show(all[0], all[1], 1<<60)
			if len(out.String()) > barLine+1 {
				t.Errorf("%v: %q", all, out.String())
			}
		}
		silent := Bar{}
		silent.Show(1, 2, 3)
		silent.End()
	})
}
