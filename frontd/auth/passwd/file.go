// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A line is one line of a file without its end. entry is false for comments, blank lines
// and lines that cannot be used; such stay as they are.
type line struct {
	raw   string
	entry bool
	user  string
	hash  string
	rest  string // from a second colon on: Apache ignores it, so do we, and keep it
}

func (l line) text() string {
	if !l.entry || l.raw != "" {
		return l.raw
	}
	return l.user + ":" + l.hash + l.rest
}

// A Problem is a line that no user can log in by. It does not spoil the file.
type Problem struct {
	// Line counts from 1.
	Line int
	Err  error
}

func (p Problem) Error() string { return fmt.Sprintf("line %d: %v", p.Line, p.Err) }

// File is the contents of a password file: lines user:hash, comments that begin with #,
// and blank lines; space around a line is ignored, as Apache does. It is not safe for concurrent
// change. The zero value is an empty file.
type File struct {
	lines    []line
	index    map[string]int // user → lines
	problems []Problem
}

// Parse reads the contents of a file. Lines without a colon or with a user name that
// is not acceptable become Problems; hashes are not looked at. A file beyond MaxFile,
// MaxLines or MaxUsers, and a user who is there twice, are errors: which of the two lines holds is
// nothing to be guessed.
func Parse(data []byte) (*File, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("parse password file: more than %d bytes", MaxFile)
	}
	f := &File{index: make(map[string]int)}
	text := strings.TrimSuffix(string(data), "\n")
	if text == "" {
		return f, nil
	}
	number := 0
	for raw := range strings.SplitSeq(text, "\n") {
		if number++; number > MaxLines {
			return nil, fmt.Errorf("parse password file: more than %d lines", MaxLines)
		}
		l, err := parseLine(raw)
		if err != nil {
			f.problems = append(f.problems, Problem{Line: number, Err: err})
		}
		if l.entry {
			if first, twice := f.index[l.user]; twice {
				return nil, fmt.Errorf("parse password file: user %q on line %d and on line %d", l.user, first+1, number)
			}
			if len(f.index) == MaxUsers {
				return nil, fmt.Errorf("parse password file: more than %d users", MaxUsers)
			}
			f.index[l.user] = number - 1
		}
		f.lines = append(f.lines, l)
	}
	return f, nil
}

// parseLine reads one line. The error says why it cannot be used.
func parseLine(raw string) (line, error) {
	l := line{raw: raw}
	text := strings.Trim(raw, " \t\r")
	if text == "" || text[0] == '#' {
		return l, nil
	}
	user, hash, ok := strings.Cut(text, ":")
	if !ok {
		return l, errors.New("no colon")
	}
	if err := CheckName(user); err != nil {
		return l, err
	}
	if i := strings.IndexByte(hash, ':'); i >= 0 {
		hash, l.rest = hash[:i], hash[i:]
	}
	l.entry, l.user, l.hash = true, user, hash
	return l, nil
}

// Problems returns the lines that cannot be used, in order. It is as Parse found them.
func (f *File) Problems() []Problem { return slices.Clone(f.problems) }

// Users returns the names in the order of the file.
func (f *File) Users() []string {
	users := make([]string, 0, len(f.index))
	for _, l := range f.lines {
		if l.entry {
			users = append(users, l.user)
		}
	}
	return users
}

// Lookup returns the stored hash of a user and its line, counted from 1.
func (f *File) Lookup(user string) (hash string, line int, ok bool) {
	i, ok := f.index[user]
	if !ok {
		return "", 0, false
	}
	return f.lines[i].hash, i + 1, true
}

// Set gives a user this hash: in place if the user is there, else in a new last line. A
// hash that no login would accept is an error, as are a name that is not acceptable and
// one user more than fits. Nothing is changed then.
func (f *File) Set(user, hash string) error {
	if err := CheckName(user); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	if user[0] == '#' {
		return errors.New("set password: a line that begins with # would be a comment")
	}
	if _, err := ParseDigest(hash); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	if i, ok := f.index[user]; ok {
		f.lines[i].raw, f.lines[i].hash = "", hash
		return nil
	}
	if len(f.index) >= MaxUsers || len(f.lines) >= MaxLines {
		return fmt.Errorf("set password: there are %d users or %d lines already", MaxUsers, MaxLines)
	}
	if f.index == nil {
		f.index = make(map[string]int)
	}
	f.index[user] = len(f.lines)
	f.lines = append(f.lines, line{entry: true, user: user, hash: hash})
	return nil
}

// Delete removes a user and says whether there was one.
func (f *File) Delete(user string) bool {
	at, ok := f.index[user]
	if !ok {
		return false
	}
	f.lines = slices.Delete(f.lines, at, at+1)
	delete(f.index, user)
	for other, i := range f.index {
		if i > at {
			f.index[other] = i - 1
		}
	}
	return true
}

// Bytes returns the contents. Lines that were not set are as they were, byte for byte;
// the last one ends with a newline.
func (f *File) Bytes() []byte {
	var b strings.Builder
	for _, l := range f.lines {
		b.WriteString(l.text())
		b.WriteByte('\n')
	}
	return []byte(b.String())
}
