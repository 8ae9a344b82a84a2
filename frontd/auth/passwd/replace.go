// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lockPoll is how often a lock that somebody else holds is tried.
const lockPoll = 50 * time.Millisecond

// lockFolder opens a folder and locks it (flock), until it is closed. A lock file would do
// as well, but stay behind in /etc for ever; the password file itself will not do, as it is
// replaced. Whoever may read the folder can hold the lock, a taken-over daemon too: ctx
// bounds the wait.
func lockFolder(ctx context.Context, path string) (*os.File, error) {
	dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, fmt.Errorf("lock folder: %w", err)
	}
	for {
		err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return dir, nil
		}
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			dir.Close()
			return nil, fmt.Errorf("lock folder %q: %w", path, err)
		}
		select {
		case <-ctx.Done():
			dir.Close()
			return nil, fmt.Errorf("lock folder %q, which another editor holds: %w", path, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// replace puts data in place of the file at path, in the folder dir. old is whose the file
// was; nil: there was none.
func replace(dir *os.File, path string, data []byte, old *syscall.Stat_t) (err error) {
	// A name that nobody can foresee and O_EXCL: who may write to the folder cannot have
	// laid a file or link there. The mode is for the owner alone until group and contents
	// are right.
	name := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()+".tmp")
	tmp, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(name)
		}
	}()
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	if err := giveOwner(tmp, dir, old); err != nil {
		return err
	}
	// After the change of owner, which clears bits, and past the umask.
	if err := tmp.Chmod(Mode); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(name, path); err != nil {
		return err
	}
	// The new contents are in place now, whatever comes: an error here must not
	// take them away, and name is gone.
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("%q is replaced, but may not survive a power failure: %w", path, err)
	}
	return nil
}

// giveOwner makes tmp belong to whom the old file belonged to, or to the group of the
// folder: that is how BSD does it and what a folder of root:nuconntrack needs for
// the daemon to read its first password file.
func giveOwner(tmp, dir *os.File, old *syscall.Stat_t) error {
	if old == nil {
		info, err := dir.Stat()
		if err != nil {
			return err
		}
		folder, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return errors.New("the folder's owner is not known")
		}
		if err := tmp.Chown(-1, int(folder.Gid)); err != nil && !mayNot(err) {
			return err
		}
		return nil
	}
	err := tmp.Chown(int(old.Uid), int(old.Gid))
	if mayNot(err) {
		err = tmp.Chown(-1, int(old.Gid))
	}
	if err != nil {
		return fmt.Errorf("keep the group %d of the file: %w", old.Gid, err)
	}
	return nil
}

// mayNot says whether a change of owner failed because the caller may not, and not because
// of the file. EINVAL is an owner whom the caller's user namespace does not map.
func mayNot(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EINVAL)
}
