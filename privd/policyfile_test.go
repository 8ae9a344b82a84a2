// SPDX-License-Identifier: GPL-2.0-or-later

package privd_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nuconntrack/policy"
	"nuconntrack/privd"

	"golang.org/x/sys/unix"
)

func TestLoadPolicy(t *testing.T) {
	self := uint32(os.Getuid())
	const good = "[kill]\nallow = true\n"
	for _, c := range []struct {
		name    string
		make    func(path string) error
		owner   uint32
		want    string // in the error; empty: none
		missing bool
	}{
		{"mode 0644", write(good, 0o644), self, "", false},
		{"mode 0600", write(good, 0o600), self, "", false},
		{"empty", write("", 0o644), self, "", false},
		{"missing", func(string) error { return nil }, self, "", true},
		{"group may write", write(good, 0o664), self, "others than its owner may write it", false},
		{"others may write", write(good, 0o646), self, "others than its owner may write it", false},
		{"all may write", write(good, 0o666), self, "others than its owner may write it", false},
		{"not TOML", write("[kill\n", 0o644), self, "policy.toml: line", false},
		{"unknown key", write("[kill]\nallowed = true\n", 0o644), self, "allowed", false},
		{"too large", write(strings.Repeat("#\n", policy.MaxFileSize/2+1), 0o644), self, "larger than", false},
		{"a folder", func(p string) error { return os.Mkdir(p, 0o700) }, self, "not a regular file", false},
		{"a FIFO", func(p string) error { return unix.Mkfifo(p, 0o600) }, self, "not a regular file", false},
		{"a link to nothing", func(p string) error { return os.Symlink("/nowhere/at/all", p) }, self, "", true},
		{"a device", func(p string) error { return os.Symlink("/dev/zero", p) }, self, "not a regular file", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "policy.toml")
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			rules, found, err := privd.LoadPolicy(path, c.owner)
			switch {
			case c.want != "":
				if err == nil || !strings.Contains(err.Error(), c.want) || rules != nil {
					t.Errorf("%v, %v; want an error with %q", rules, err, c.want)
				}
			case err != nil || found == c.missing || rules == nil:
				t.Errorf("found %t, %v", found, err)
			}
		})
	}
	t.Run("file error stays visible", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "policy.toml")
		if err := write("x = 1", 0o644)(path); err != nil {
			t.Fatal(err)
		}
		_, _, err := privd.LoadPolicy(path, self)
		var at *policy.FileError
		if !errors.As(err, &at) || at.Line != 1 {
			t.Errorf("%v is not an error with a line", err)
		}
	})
}

// Only root can give a file to somebody else.
func TestPolicyOfAnotherUserIsRefused(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: it gives a file to another user")
	}
	path := filepath.Join(t.TempDir(), "policy.toml")
	if err := write("", 0o644)(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 4711, -1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := privd.LoadPolicy(path, 0); err == nil || !strings.Contains(err.Error(), "belongs to uid 4711") {
		t.Errorf("a file of a stranger: %v", err)
	}
	if _, _, err := privd.LoadPolicy(path, 4711); err != nil {
		t.Errorf("a file of the user who started privd: %v", err)
	}
	if err := os.Chown(path, 0, -1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := privd.LoadPolicy(path, 4711); err != nil {
		t.Errorf("a file of root: %v", err)
	}
}

func write(text string, mode os.FileMode) func(string) error {
	return func(path string) error {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
}
