// SPDX-License-Identifier: GPL-2.0-or-later

package users

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	got, err := Parse([]byte("# ours\n\n1000,zoe\r\n 4294967295 , Ann Onymous, the second \n0,root"))
	want := map[uint32]string{1000: "zoe", 4294967295: "Ann Onymous, the second", 0: "root"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for name, test := range map[string]struct{ text, says string }{
		"no comma":        {"1,a\n1000", "line 2: no comma"},
		"no id":           {",zoe", "is not an id"},
		"a negative id":   {"-1,zoe", "is not an id"},
		"an id too large": {"4294967296,zoe", "is not an id"},
		"hexadecimal":     {"0x10,zoe", "is not an id"},
		"a header":        {"id,name", "line 1"},
		"no name":         {"1, ", "empty"},
		"a long name":     {"1," + strings.Repeat("x", MaxName+1), "257 bytes"},
		"an escape":       {"1,a\x1b[31m", "printed"},
		"bad UTF-8":       {"1,a\xff", "printed"},
		"twice":           {"1,a\n2,b\n1,c", "line 3: the id 1 is there twice"},
		"a large file":    {strings.Repeat("#", MaxFile+1), "more than"},
	} {
		if got, err := Parse([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, %v; want %q", name, got, err, test.says)
		}
	}
}

func TestTooMany(t *testing.T) {
	var b bytes.Buffer
	for i := range MaxUsers + 1 {
		fmt.Fprintf(&b, "%d,u\n", i)
	}
	if _, err := Parse(b.Bytes()); err == nil || !strings.Contains(err.Error(), "line 100001") {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("1000,zoe\n# x\n"))
	f.Add([]byte("1,a\n1,b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		users, err := Parse(data)
		for id, name := range users {
			if err != nil || name == "" || len(name) > MaxName || strings.ContainsAny(name, "\n\x1b") {
				t.Fatalf("%d is %q, %v", id, name, err)
			}
		}
	})
}

// TestSource: the file counts as it is now, and one that is no good changes nothing but the log.
func TestSource(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := New(path, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a file that is not there")
	}
	write("1,a\nx")
	if _, err := New(path, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "line 2") {
		t.Error(err)
	}
	write("1,a\n2,b\n")
	var log bytes.Buffer
	s, err := New(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Users().Len(); n != 2 {
		t.Errorf("%d users", n)
	}
	write("1,a\n2,b\n3,c\n")
	if n := s.Users().Len(); n != 3 {
		t.Errorf("%d users after a change", n)
	}
	write("1,a,\n2")
	for range 3 {
		if n := s.Users().Len(); n != 3 {
			t.Errorf("%d users after a mistake", n)
		}
	}
	if n := strings.Count(log.String(), "former ones stay"); n != 1 || !strings.Contains(log.String(), "line 2") {
		t.Errorf("the log has it %d times: %s", n, &log)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if n := s.Users().Len(); n != 3 {
		t.Errorf("%d users without the file", n)
	}
	write("7,z\n")
	if n := s.Users().Len(); n != 1 {
		t.Errorf("%d users after it was mended", n)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	if s.Users(); !strings.Contains(log.String(), "others may write it") {
		t.Errorf("log %s", &log)
	}
}

func TestSystem(t *testing.T) {
	s, err := New("", slog.New(slog.DiscardHandler))
	if err != nil || s.Users().Len() == 0 {
		t.Errorf("%v, %d users", err, s.Users().Len())
	}
}
