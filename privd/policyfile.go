// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"errors"
	"fmt"
	"io"
	"os"

	"nuconntrack/policy"

	"golang.org/x/sys/unix"
)

// othersMayWrite are the permission bits of group and others.
const othersMayWrite = 0o022

// LoadPolicy reads the policy file. The file must be a regular one of root, as this user
// namespace sees it, or of owner, the user that privd was started as, and nobody else
// may be able to write it. It is read with the rights that privd has by then: it must be
// readable to the user that privd becomes.
//
// Without a file the rules are policy.None, and found is false.
func LoadPolicy(path string, owner uint32) (rules *policy.Rules, found bool, err error) {
	// O_NONBLOCK: a FIFO in that place must not stop the helper.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return policy.None(), false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read policy: %w", err)
	}
	defer f.Close()
	if err := trusted(f, owner); err != nil {
		return nil, false, fmt.Errorf("read policy %q: %w", path, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, policy.MaxFileSize+1))
	if err != nil {
		return nil, false, fmt.Errorf("read policy: %w", err)
	}
	rules, err = policy.Parse(data, path)
	if err != nil {
		return nil, false, fmt.Errorf("read policy: %w", err)
	}
	return rules, true, nil
}

// trusted looks at the open file, not at the path, which may be another one by then.
func trusted(f *os.File, owner uint32) error {
	var stat unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &stat); err != nil {
		return err
	}
	switch {
	case stat.Mode&unix.S_IFMT != unix.S_IFREG:
		return errors.New("not a regular file")
	case stat.Uid != 0 && stat.Uid != owner:
		return fmt.Errorf("it belongs to uid %d: it must belong to root", stat.Uid)
	case stat.Mode&othersMayWrite != 0:
		return fmt.Errorf("its mode is %#o: others than its owner may write it (chmod go-w)", stat.Mode&0o7777)
	}
	return nil
}
