// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// maxAccounts bounds the lines that are read of each file of accounts.
const maxAccounts = 100_000

// Accounts are the users and groups of this machine as they were when they were read.
type Accounts struct {
	Users  map[uint32]string // the first name of each uid
	Groups map[string]uint32
	uids   map[string]uint32
}

// UID returns the uid of a user.
func (a *Accounts) UID(name string) (uint32, bool) {
	uid, ok := a.uids[name]
	return uid, ok
}

// ReadAccounts reads /etc/passwd and /etc/group (passwd(5), group(5)), each of which may be missing.
// Users whom only another source of nsswitch.conf(5) knows are not found: that would take
// libraries of the system and, often, the network.
func ReadAccounts() (*Accounts, error) { return readAccounts("/etc/passwd", "/etc/group") }

func readAccounts(users, groups string) (*Accounts, error) {
	a := &Accounts{Users: map[uint32]string{}, Groups: map[string]uint32{}, uids: map[string]uint32{}}
	err := readIDs(users, func(name string, id uint32) {
		if _, known := a.Users[id]; !known {
			a.Users[id] = name
		}
		a.uids[name] = id
	})
	return a, errors.Join(err, readIDs(groups, func(name string, id uint32) { a.Groups[name] = id }))
}

// readIDs tells of each line its first and third part.
func readIDs(path string, tell func(name string, id uint32)) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read accounts: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 64<<20))
	lines.Buffer(nil, 1<<20) // a group may have many members
	for range maxAccounts {
		if !lines.Scan() {
			break
		}
		parts := strings.SplitN(lines.Text(), ":", 4)
		if len(parts) < 4 || parts[0] == "" {
			continue
		}
		if id, err := strconv.ParseUint(parts[2], 10, 32); err == nil {
			tell(parts[0], uint32(id))
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read accounts of %s: %w", path, err)
	}
	return nil
}
