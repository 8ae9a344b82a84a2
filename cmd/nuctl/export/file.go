// SPDX-License-Identifier: GPL-2.0-or-later

package export

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// bufferSize is how much is written at once, in bytes.
const bufferSize = 256 << 10

// ErrExists means that there is a file and that nobody said that it may go.
var ErrExists = errors.New("the file exists")

// File is being written beside the place where it will be. Not safe for concurrent use.
type File struct {
	path      string
	overwrite bool
	tmp       *os.File // nil after Commit or Abort
	out       *bufio.Writer
}

// Create begins a file that only its owner may read. If something of that name is there it must
// be a regular file, and without overwrite the error is ErrExists.
func Create(path string, overwrite bool) (*File, error) {
	if path == "" {
		return nil, errors.New("create file: it has no name")
	}
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("create file: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("create %q: there is something that is not a regular file", path)
	case !overwrite:
		return nil, fmt.Errorf("create %q: %w", path, ErrExists)
	}
	// In the same folder: only there can it be renamed in one step. CreateTemp's mode is 0600.
	tmp, err := os.CreateTemp(filepath.Dir(path), ".nuctl-export-*")
	if err != nil {
		return nil, fmt.Errorf("create file: %w", err)
	}
	return &File{path: path, overwrite: overwrite, tmp: tmp, out: bufio.NewWriterSize(tmp, bufferSize)}, nil
}

// Write adds to the file.
func (f *File) Write(p []byte) (int, error) { return f.out.Write(p) }

// Commit puts the file in its place once all of it is on the disk. On an error nothing is
// there that was not before.
func (f *File) Commit() error {
	defer f.Abort()
	if err := f.out.Flush(); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	if err := f.tmp.Sync(); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	if f.overwrite {
		if err := os.Rename(f.tmp.Name(), f.path); err != nil {
			return fmt.Errorf("rename file: %w", err)
		}
		return f.close()
	}
	err := unix.Renameat2(unix.AT_FDCWD, f.tmp.Name(), unix.AT_FDCWD, f.path, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		// The file system does not know how. A link does not write over anything either.
		err = os.Link(f.tmp.Name(), f.path)
		if err == nil {
			err = os.Remove(f.tmp.Name())
		}
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("rename to %q: %w", f.path, ErrExists)
	case err != nil:
		return fmt.Errorf("rename file: %w", err)
	}
	return f.close()
}

func (f *File) close() error {
	tmp := f.tmp
	f.tmp = nil
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("close file: %w", err)
	}
	return nil
}

// Abort removes what was written. After Commit it does nothing.
func (f *File) Abort() {
	if f.tmp == nil {
		return
	}
	_ = os.Remove(f.tmp.Name())
	_ = f.tmp.Close()
	f.tmp = nil
}
