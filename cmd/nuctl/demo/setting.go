// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"nuconntrack/cmd/privilege"
)

// setting is what differs between the demo and this machine's own table: who runs as whom, and
// who may read what.
type setting struct {
	host bool

	privd  string // whom privd becomes, by name, or privilege.Self
	frontd string // the same for frontd
	peer   string // whom privd serves: frontd
	audit  string // where privd writes its audit, as its --audit has it

	parent, prefix string      // of the folder, if none is given
	folder         fs.FileMode // its mode

	readsPolicy, readsConfig, readsPassword reader
}

// reader is who may read a file. The zero value is whoever makes it, and nobody else.
type reader struct {
	uid, gid int // -1: as they are
	mode     fs.FileMode
}

func (r reader) write(path string, text []byte) error {
	if err := os.WriteFile(path, text, 0o600); err != nil || r.mode == 0 {
		return err
	}
	if err := os.Chown(path, r.uid, r.gid); err != nil {
		return err
	}
	return os.Chmod(path, r.mode)
}

// demoSetting is for a namespace that maps a single uid: there is nobody to become. The folder
// has the helper's socket and the password, and is for its owner only.
func demoSetting() setting {
	return setting{privd: privilege.Self, frontd: privilege.Self, peer: "0", audit: "auto",
		prefix: "nuctl-demo-", folder: 0o700}
}

const (
	// hostParent is where the folder goes: root's own, and open to be passed through, which what
	// TMPDIR names need not be.
	hostParent = "/run"
	// journalSocket is there where a journal is.
	journalSocket = "/run/systemd/journal/socket"
	// overflowID stands for every uid and gid that is unknown in a user namespace; privd
	// never serves it (user_namespaces(7)).
	overflowID = 65534
)

// errNotRoot is what anybody else is told.
var errNotRoot = errors.New("this machine's own connections are for root only: start it with sudo " +
	"(from the source tree: sudo make run-host), or try `nuctl demo`, which needs no root")

// hostSetting finds users for the daemons. The folder may be passed through by all, and read by
// nobody but root: what is in it has modes of its own.
func hostSetting() (setting, error) {
	// The root of a namespace with one uid has no other users to turn the daemons into.
	if os.Geteuid() != 0 || privilege.SingleUID() {
		return setting{}, errNotRoot
	}
	frontd, privd, err := chooseAccounts(privilege.Lookup)
	if err != nil {
		return setting{}, err
	}
	s := setting{host: true, privd: privd.Name, frontd: frontd.Name, peer: frontd.Name,
		audit: "stderr", parent: hostParent, prefix: "nuctl-host-", folder: 0o711,
		readsPolicy:   reader{uid: 0, gid: int(privd.GID), mode: 0o640},
		readsConfig:   reader{uid: 0, gid: int(frontd.GID), mode: 0o640},
		readsPassword: reader{uid: caller(os.Getenv("SUDO_UID")), gid: -1, mode: 0o400},
	}
	if _, err := os.Stat(journalSocket); err == nil {
		s.audit = "journal"
	}
	return s, nil
}

// caller is whoever called sudo: the password on the terminal is theirs, so its file may be, too.
func caller(sudoUID string) int {
	uid, err := strconv.ParseUint(sudoUID, 10, 31)
	if err != nil {
		return 0
	}
	return int(uid)
}

// nothingTracked looks at how many connections there are. A kernel without the module has
// none, and no such file.
func nothingTracked(folder string) bool {
	count, err := os.ReadFile(filepath.Join(folder, "nf_conntrack_count"))
	return err != nil || strings.TrimSpace(string(count)) == "0"
}

// chooseAccounts takes the users that the packages make, or else others that every
// distribution has and that own nothing. It is not the user who called sudo: all programs of theirs
// could then speak to privd, without any password.
func chooseAccounts(lookup func(string) (privilege.Account, error)) (frontd, privd privilege.Account, err error) {
	frontd, ok := firstFit(lookup, privilege.Account{}, "nuconntrack", "daemon", "games")
	if ok {
		privd, ok = firstFit(lookup, frontd, privdName, "bin", "sys")
	}
	if !ok {
		return frontd, privd, fmt.Errorf("find users for the daemons: none that fit; make two with " +
			"`useradd --system nuconntrack` and `useradd --system nuconntrack-privd`")
	}
	return frontd, privd, nil
}

// firstFit returns the first account that is neither root's nor the overflow one and shares
// neither user nor group with the other one.
func firstFit(lookup func(string) (privilege.Account, error), other privilege.Account, names ...string) (privilege.Account, bool) {
	for _, name := range names {
		a, err := lookup(name)
		switch {
		case err != nil, !a.Listed:
		case a.UID == 0, a.GID == 0, a.UID == overflowID, a.GID == overflowID:
		case a.UID == other.UID, a.GID == other.GID:
		default:
			return a, true
		}
	}
	return privilege.Account{}, false
}
