// SPDX-License-Identifier: GPL-2.0-or-later

// Package users knows the names of the users whose ids stand in the marks of connections. It
// says nothing of who may log in, and nobody gets any right by it: names are for reading and
// filtering. Its input is one file, which the administrator writes: the machine's passwd(5), or a
// list of its own.
package users

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/table"
)

// Limits of a file.
const (
	MaxFile  = 16 << 20 // bytes
	MaxUsers = 100_000
	MaxName  = 256 // bytes
)

// systemFile has the users of this machine.
const systemFile = "/etc/passwd"

// settled is how long ago a file must have changed for its times to tell the next change:
// see the file system with the longest ticks, FAT with 2 s.
const settled = 2 * time.Second

// Source gives the names as the file has them now.
type Source struct {
	path   string
	system bool
	log    *slog.Logger

	mu      sync.Mutex // guards the rest
	users   *table.Users
	read    mark // of the file that users are of; zero: read again
	refused mark // of the file whose mistake was logged last
}

// mark tells one state of a file from the next.
type mark struct {
	ino         uint64
	size        int64
	mtime, ctim unix.Timespec
}

// New reads the file, lines "id,name"; "" is the machine's passwd(5), which may be missing. Users
// whom only another source of nsswitch.conf(5) knows have no names.
func New(path string, log *slog.Logger) (*Source, error) {
	s := &Source{path: path, log: log}
	if path == "" {
		s.path, s.system = systemFile, true
	}
	return s, s.reload()
}

// Path is the file that is read.
func (s *Source) Path() string { return s.path }

// Users gives the names, which are read again when the file has changed. If the new ones are no
// good, that is logged and the former ones stay.
func (s *Source) Users() *table.Users {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.reload(); err != nil {
		now, _ := s.state() // what is not there has no state, and is logged once too
		if now != s.refused || s.read != (mark{}) {
			s.log.Warn("names of users cannot be used, the former ones stay", "file", s.path, "error", err)
		}
		s.refused, s.read = now, mark{}
	}
	return s.users
}

func (s *Source) reload() error {
	looked := time.Now() // before the file was: what takes long here settles nothing
	now, err := s.state()
	if err != nil {
		return err
	}
	if s.users != nil && now == s.read {
		return nil
	}
	names, err := s.names()
	if err != nil {
		return err
	}
	s.users, s.read = table.NewUsers(names), now
	if looked.Sub(time.Unix(now.ctim.Unix())) < settled {
		s.read = mark{} // it may change again and look the same
	}
	return nil
}

func (s *Source) state() (mark, error) {
	var st unix.Stat_t
	err := unix.Stat(s.path, &st)
	if s.system && errors.Is(err, fs.ErrNotExist) {
		return mark{}, nil
	}
	if err != nil {
		return mark{}, fmt.Errorf("read users: %w", &fs.PathError{Op: "stat", Path: s.path, Err: err})
	}
	return mark{st.Ino, st.Size, st.Mtim, st.Ctim}, nil
}

func (s *Source) names() (map[uint32]string, error) {
	if s.system {
		accounts, err := auth.ReadAccounts()
		if err != nil {
			return nil, err
		}
		return accounts.Users, nil
	}
	// O_NONBLOCK: opening a named pipe must not hang.
	f, err := os.OpenFile(s.path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	defer f.Close()
	const othersWrite fs.FileMode = 0o002
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read users: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read users: %s is not a regular file", s.path)
	case info.Mode()&othersWrite != 0:
		return nil, fmt.Errorf("read users: %s has mode %#o: others may write it", s.path, info.Mode().Perm())
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	names, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("read users: %s: %w", s.path, err)
	}
	return names, nil
}

// Parse reads lines "id,name": the id in decimal, up to 4294967295, each once; space around
// both is ignored, and lines that are empty or begin with # are. The error names the line.
func Parse(data []byte) (map[uint32]string, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("more than %d bytes", MaxFile)
	}
	users := make(map[uint32]string)
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		id, name, err := parseLine(line)
		if err == nil {
			switch _, twice := users[id]; {
			case twice:
				err = fmt.Errorf("the id %d is there twice", id)
			case len(users) == MaxUsers:
				err = fmt.Errorf("more than %d users", MaxUsers)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		users[id] = name
	}
	return users, nil
}

func parseLine(line string) (id uint32, name string, err error) {
	digits, name, ok := strings.Cut(line, ",")
	if !ok {
		return 0, "", errors.New("no comma: a line is id,name")
	}
	n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 32)
	if err != nil {
		return 0, "", fmt.Errorf("%.40q is not an id from 0 to 4294967295", digits)
	}
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return 0, "", errors.New("the name is empty")
	case len(name) > MaxName:
		return 0, "", fmt.Errorf("the name has %d bytes, more than %d", len(name), MaxName)
	case !utf8.ValidString(name), strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return 0, "", fmt.Errorf("the name %.40q has characters that cannot be printed", name)
	}
	return uint32(n), name, nil
}
