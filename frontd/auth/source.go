// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"nuconntrack/frontd/auth/passwd"
)

const (
	// settled is how long ago a file must have changed for what was read to be trusted
	// as long as its times stay the same: a second change within one tick of the
	// file system's clock leaves them as they are. FAT's ticks are the longest, 2 s.
	settled = 2 * time.Second
	// maxProblems is how many bad lines of one state of a file are logged.
	maxProblems = 20

	othersWrite fs.FileMode = 0o002
	othersRead  fs.FileMode = 0o004
)

// users is what a login needs of a password file. It does not change.
type users struct {
	digests map[string]passwd.Digest
	// refused are users with a hash that is not accepted.
	refused map[string]bool
	// dummy is a digest that costs what most of digests cost, hashed for users who
	// are not there or whose own digest costs nothing. What it says of a password must be ignored.
	dummy passwd.Digest
}

// state tells one state of a file from the next.
type state struct {
	dev, ino       uint64
	size           int64
	mtime, changed syscall.Timespec // changed cannot be set back as mtime can
	mode           fs.FileMode
}

// A source reads a password file and keeps what it read while the file stays the same.
type source struct {
	path   string
	log    *slog.Logger
	legacy bool // accept SHA-1

	mu     sync.Mutex // guards the rest, and keeps reading to one login at a time
	users  *users     // nil: read again
	state  state      // of users
	logged state      // the last one whose problems were logged
}

// load returns the users of the file as it is now.
func (s *source) load() (*users, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	looked := time.Now() // before the file was: what takes long here settles nothing
	file, info, err := passwd.Open(s.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	now, err := stateOf(info)
	if err != nil {
		return nil, err
	}
	if s.users != nil && now == s.state {
		return s.users, nil
	}
	s.users = nil
	if now.mode&othersWrite != 0 {
		return nil, fmt.Errorf("password file %q has mode %#o: others may write it", s.path, now.mode)
	}
	data, err := passwd.ReadAll(file)
	if err != nil {
		return nil, err
	}
	parsed, err := passwd.Parse(data)
	if err != nil {
		return nil, err
	}
	loaded, problems := digest(parsed, s.legacy)
	s.report(now, problems)
	changed := time.Unix(now.changed.Unix())
	if looked.Sub(changed) > settled {
		s.users, s.state = loaded, now
	}
	return loaded, nil
}

// stateOf takes what Stat said of the opened file.
func stateOf(info fs.FileInfo) (state, error) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return state{}, errors.New("stat password file: no times")
	}
	return state{
		dev: st.Dev, ino: st.Ino, size: st.Size,
		mtime: st.Mtim, changed: st.Ctim,
		mode: info.Mode().Perm(),
	}, nil
}

// digest parses all hashes, and chooses the dummy.
func digest(file *passwd.File, legacy bool) (*users, []passwd.Problem) {
	parse := passwd.ParseDigest
	if legacy {
		parse = passwd.ParseLegacy
	}
	problems := file.Problems()
	u := &users{digests: make(map[string]passwd.Digest), refused: make(map[string]bool)}
	count := make(map[passwd.Work]int)
	most := 0
	for _, name := range file.Users() {
		hash, line, _ := file.Lookup(name)
		d, err := parse(hash)
		if err != nil {
			u.refused[name] = true
			problems = append(problems, passwd.Problem{Line: line, Err: fmt.Errorf("user %q cannot log in: %w", name, err)})
			continue
		}
		u.digests[name] = d
		count[d.Work()]++
		if most == 0 || count[d.Work()] > most && !free(d) || free(u.dummy) && !free(d) {
			most, u.dummy = count[d.Work()], d
		}
	}
	return u, problems
}

// free reports whether verifying costs no time to speak of. Where others' digests do, such a one
// is no dummy.
func free(d passwd.Digest) bool { return d.Work().Kind == passwd.SHA1 }

// report logs what is wrong with a state of the file, once.
func (s *source) report(now state, problems []passwd.Problem) {
	if now == s.logged {
		return
	}
	s.logged = now
	if now.mode&othersRead != 0 {
		s.log.Warn("password file can be read by others", "file", s.path, "mode", fmt.Sprintf("%#o", now.mode))
	}
	for i, p := range problems {
		if i == maxProblems {
			s.log.Warn("password file has more bad lines", "file", s.path, "more", len(problems)-i)
			return
		}
		s.log.Warn("password file has a bad line", "file", s.path, "line", p.Line, "reason", p.Err.Error())
	}
}
