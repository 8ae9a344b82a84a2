// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// Self is the name that stands for the user a process was started as.
const Self = "self"

// An Account is a user of this system.
type Account struct {
	Name   string
	UID    uint32
	GID    uint32 // primary group; of a number that is not listed, that number
	Groups []int  // all groups, the primary one included; only with Listed
	Listed bool   // false for a number that /etc/passwd does not have
}

// Lookup finds a user by name or number. A number need not be listed; a name has to be.
// Without cgo only /etc/passwd and /etc/group are read, so that users of directory
// services are found by number alone.
func Lookup(nameOrUID string) (Account, error) {
	if uid, err := strconv.ParseUint(nameOrUID, 10, 32); err == nil {
		if uid == math.MaxUint32 { // (uid_t)-1 means "leave as it is" to the kernel
			return Account{}, fmt.Errorf("look up user %q: not a user id", nameOrUID)
		}
		u, err := user.LookupId(strconv.FormatUint(uid, 10))
		var unknown user.UnknownUserIdError
		if errors.As(err, &unknown) || errors.Is(err, os.ErrNotExist) {
			return Account{Name: nameOrUID, UID: uint32(uid), GID: uint32(uid)}, nil
		}
		if err != nil {
			return Account{}, fmt.Errorf("look up user %q: %w", nameOrUID, err)
		}
		return account(u)
	}
	u, err := user.Lookup(nameOrUID)
	if err != nil {
		return Account{}, fmt.Errorf("look up user %q: %w", nameOrUID, err)
	}
	return account(u)
}

func account(u *user.User) (Account, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return Account{}, fmt.Errorf("read uid of user %q: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return Account{}, fmt.Errorf("read gid of user %q: %w", u.Username, err)
	}
	a := Account{Name: u.Username, UID: uint32(uid), GID: uint32(gid), Listed: true}
	ids, err := u.GroupIds()
	if err != nil {
		return Account{}, fmt.Errorf("read groups of user %q: %w", u.Username, err)
	}
	for _, id := range ids {
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return Account{}, fmt.Errorf("read groups of user %q: %w", u.Username, err)
		}
		a.Groups = append(a.Groups, int(n))
	}
	return a, nil
}

// SingleUID reports whether this process is in a user namespace that maps one uid:
// there is nobody else to become there.
func SingleUID() bool {
	b, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && mapsOne(string(b))
}

// mapsOne reads the three columns of uid_map, see user_namespaces(7).
func mapsOne(uidMap string) bool {
	fields := strings.Fields(uidMap)
	return len(fields) == 3 && fields[2] == "1"
}

// DefaultUser says whom a daemon becomes when nobody told it: name where the process
// may become somebody else, and else Self.
func DefaultUser(name string) string {
	if os.Geteuid() != 0 || SingleUID() {
		return Self
	}
	return name
}
