// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Mode is the mode of every file written: the owner edits, the group (the daemon's)
// reads, nobody else sees the hashes.
const Mode fs.FileMode = 0o640

// Edit changes the password file at path: it takes the lock of the folder, reads the
// file, lets change work on it, and puts the result in place, so that readers see the
// old contents or the new, never a part. A file that does not exist begins empty. If change
// returns an error the file stays as it was, and the error is returned as it is.
//
// Two Edits at once wait for each other, until ctx is done. Editors that know nothing of
// the lock (htpasswd, vi) are not kept out. A symbolic link is followed, and stays.
// Anything but a regular file is refused.
//
// The new file has mode Mode, and the group of the old one or, if there was none, of
// the folder, where the caller may give it that. The owner is kept where the caller may;
// if an existing file's group cannot be kept, nothing is written, since that would
// hand the hashes to another group and hide them from the daemon.
func Edit(ctx context.Context, path string, change func(*File) error) error {
	path, err := resolve(path)
	if err != nil {
		return err
	}
	dir, err := lockFolder(ctx, filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close() // gives the lock back

	old, data, err := readOld(path)
	if err != nil {
		return err
	}
	file, err := Parse(data)
	if err != nil {
		return err
	}
	if err := change(file); err != nil {
		return err
	}
	data = file.Bytes()
	if len(data) > MaxFile {
		return fmt.Errorf("write password file: more than %d bytes", MaxFile)
	}
	if err := replace(dir, path, data, old); err != nil {
		return fmt.Errorf("write password file: %w", err)
	}
	return nil
}

// resolve follows symbolic links, so that it is their target that is replaced.
func resolve(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("find password file: %w", err)
	}
	if _, err := os.Lstat(path); err == nil {
		return "", fmt.Errorf("find password file: %q is a symbolic link to nothing", path)
	}
	return path, nil
}

// readOld reads the file at path and tells whose it is; of one that does not exist both
// are nil.
func readOld(path string) (*syscall.Stat_t, []byte, error) {
	file, info, err := Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	data, err := ReadAll(file)
	if err != nil {
		return nil, nil, err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, nil, errors.New("read password file: its owner is not known")
	}
	return owner, data, nil
}

// Open opens a password file for reading. Anything but a regular file is refused,
// without waiting on a pipe or waking a device.
func Open(path string) (*os.File, fs.FileInfo, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open password file: %w", err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%q is not a regular file", path)
	}
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("open password file: %w", err)
	}
	return file, info, nil
}

// ReadAll reads the contents that Open opened. One byte beyond MaxFile is enough for
// Parse to refuse it.
func ReadAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read password file: %w", err)
	}
	return data, nil
}
