// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// set returns a change that gives a user a hash.
func set(user, hash string) func(*File) error {
	return func(f *File) error { return f.Set(user, hash) }
}

func mustEdit(t *testing.T, path string, change func(*File) error) {
	t.Helper()
	if err := Edit(t.Context(), path, change); err != nil {
		t.Fatal(err)
	}
}

// names lists a folder, so that temporary files left behind show.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return strings.Join(list, " ")
}

func TestEdit(t *testing.T) {
	// Not parallel: the umask belongs to the process.
	defer unix.Umask(unix.Umask(0o077))
	tests := map[string]struct {
		mode   fs.FileMode // 0: no file
		before string
		want   string
	}{
		"new file":             {0, "", "ann:" + bcryptAlice + "\n"},
		"file for the owner":   {0o600, "# c\n", "# c\nann:" + bcryptAlice + "\n"},
		"file for all to read": {0o644, "ann:x\nbob:y\n", "ann:" + bcryptAlice + "\nbob:y\n"},
		"file for all to edit": {0o666, "", "ann:" + bcryptAlice + "\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "passwd")
			if test.mode != 0 {
				if err := os.WriteFile(path, []byte(test.before), test.mode); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(path, test.mode); err != nil {
					t.Fatal(err)
				}
			}
			mustEdit(t, path, set("ann", bcryptAlice))
			data, err := os.ReadFile(path)
			if err != nil || string(data) != test.want {
				t.Errorf("contents %q, %v", data, err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode() != Mode {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			if got := names(t, dir); got != "passwd" {
				t.Errorf("the folder holds %s", got)
			}
		})
	}
}

func TestEditRefuses(t *testing.T) {
	errMind := errors.New("changed my mind")
	tests := map[string]struct {
		make   func(t *testing.T, path string) error
		change func(*File) error
		want   string
	}{
		"change fails": {func(t *testing.T, path string) error {
			return os.WriteFile(path, []byte("ann:x\n"), 0o600)
		}, func(f *File) error { f.Delete("ann"); return errMind }, "changed my mind"},
		"file with a user twice": {func(t *testing.T, path string) error {
			return os.WriteFile(path, []byte("ann:x\nann:y\n"), 0o600)
		}, nil, "line 1 and on line 2"},
		"file too large": {func(t *testing.T, path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("#", MaxFile+1)), 0o600)
		}, nil, "more than 1048576 bytes"},
		"file gets too large": {func(t *testing.T, path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("#", MaxFile-10)+"\n"), 0o600)
		}, set("ann", bcryptAlice), "more than 1048576 bytes"},
		"folder": {func(t *testing.T, path string) error {
			return os.Mkdir(path, 0o700)
		}, nil, "not a regular file"},
		"pipe": {func(t *testing.T, path string) error {
			return unix.Mkfifo(path, 0o600)
		}, nil, "not a regular file"},
		"device": {func(t *testing.T, path string) error {
			return os.Symlink("/dev/null", path)
		}, nil, "not a regular file"},
		"link to nothing": {func(t *testing.T, path string) error {
			return os.Symlink("nothing", path)
		}, nil, "symbolic link to nothing"},
		"link to itself": {func(t *testing.T, path string) error {
			return os.Symlink("passwd", path)
		}, nil, "find password file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "passwd")
			if err := test.make(t, path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			change := test.change
			if change == nil {
				change = func(*File) error { t.Error("change was called"); return nil }
			}
			err := Edit(t.Context(), path, change)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Edit: %v, want an error with %q", err, test.want)
			}
			after, _ := os.Lstat(path)
			if !os.SameFile(before, after) || after.ModTime() != before.ModTime() {
				t.Error("the file was touched")
			}
			if got := names(t, dir); got != "passwd" {
				t.Errorf("the folder holds %s", got)
			}
		})
	}
	if err := Edit(t.Context(), filepath.Join(t.TempDir(), "no", "passwd"), set("ann", bcryptAlice)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Edit in a folder that is not there: %v", err)
	}
}

func TestEditFollowsLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	path, target := filepath.Join(dir, "passwd"), filepath.Join(elsewhere, "real")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	mustEdit(t, path, set("ann", bcryptAlice))
	if link, err := os.Readlink(path); err != nil || link != target {
		t.Errorf("the link is now %q, %v", link, err)
	}
	if data, err := os.ReadFile(target); err != nil || !strings.HasPrefix(string(data), "ann:") {
		t.Errorf("the target holds %q, %v", data, err)
	}
}

// TestEditNeverTorn reads as fast as it can while the file grows and shrinks.
func TestEditNeverTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "passwd")
	versions := make(map[string]bool)
	var file File
	for i := range 500 {
		if err := file.Set(fmt.Sprint("user", i), bcryptAlice); err != nil {
			t.Fatal(err)
		}
	}
	full := file.Bytes()
	versions[string(full)] = true
	mustEdit(t, path, func(f *File) error { *f = *parse(t, string(full)); return nil })
	file.Delete("user0")
	versions[string(file.Bytes())] = true
	if err := file.Set("user0", bcryptAlice); err != nil {
		t.Fatal(err)
	}
	versions[string(file.Bytes())] = true

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var readers sync.WaitGroup
	readers.Go(func() {
		for ctx.Err() == nil {
			data, err := os.ReadFile(path)
			if err != nil || !versions[string(data)] {
				t.Errorf("a reader saw %d bytes that nobody wrote, %v", len(data), err)
				return
			}
		}
	})
	// user0 moves to the end once, then goes and comes there.
	for range 20 {
		mustEdit(t, path, func(f *File) error { f.Delete("user0"); return nil })
		mustEdit(t, path, set("user0", bcryptAlice))
	}
	cancel()
	readers.Wait()
}

// TestEditorsAtOnce loses no user to another editor who read the file before.
func TestEditorsAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "passwd")
	var editors sync.WaitGroup
	for i := range 8 {
		editors.Go(func() {
			if err := Edit(t.Context(), path, set(fmt.Sprint("user", i), bcryptAlice)); err != nil {
				t.Error(err)
			}
		})
	}
	editors.Wait()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if users := parse(t, string(data)).Users(); len(users) != 8 {
		t.Errorf("left of 8 users: %q", users)
	}
}

func TestEditGivesUpOnLock(t *testing.T) {
	dir := t.TempDir()
	holder, err := lockFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(dir, "passwd")
	if err := Edit(ctx, path, set("ann", bcryptAlice)); !errors.Is(err, context.Canceled) {
		t.Errorf("Edit: %v, want the error of the context", err)
	}
	if got := names(t, dir); got != "" {
		t.Errorf("the folder holds %s", got)
	}
	holder.Close()
	mustEdit(t, path, set("ann", bcryptAlice))
}

func TestEditKeepsOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: gives a file to another user")
	}
	dir := t.TempDir()
	owner := func(path string) (int, int) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		st := info.Sys().(*syscall.Stat_t)
		return int(st.Uid), int(st.Gid)
	}
	old := filepath.Join(dir, "old")
	if err := os.WriteFile(old, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(old, 12345, 23456); errors.Is(err, unix.EINVAL) {
		t.Skip("needs a root who has other users: this user namespace maps one")
	} else if err != nil {
		t.Fatal(err)
	}
	mustEdit(t, old, set("ann", bcryptAlice))
	if uid, gid := owner(old); uid != 12345 || gid != 23456 {
		t.Errorf("the file belongs to %d:%d now", uid, gid)
	}
	if err := os.Chown(dir, -1, 34567); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(dir, "fresh")
	mustEdit(t, fresh, set("ann", bcryptAlice))
	if uid, gid := owner(fresh); uid != 0 || gid != 34567 {
		t.Errorf("a new file belongs to %d:%d, want the folder's group", uid, gid)
	}
}
