// SPDX-License-Identifier: GPL-2.0-or-later

package strict

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// scanKeys goes through a TOML file and tells visit the path and the line of
// every table header and every key outside of values, in the order of the file;
// paths are those of Table. It returns the line where keys or values nest
// deeper than maxNesting, else 0.
//
// It exists because the TOML library does not tell where a key stands, and
// recurses into values as deep as they go. It follows the grammar as far as it
// needs to and stops at what it does not understand: in a file that is not
// TOML the library is the one to complain.
func scanKeys(data []byte, visit func(path []string, line int)) (tooDeep int) {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} { // what the library skips
		if rest, found := bytes.CutPrefix(data, []byte(mark)); found {
			data = rest
			break
		}
	}
	s := keyScanner{rest: data, line: 1, elements: map[string]int{}}
	var prefix []string
	for s.skipBlank(); len(s.rest) > 0; s.skipBlank() {
		line, header, array := s.line, s.accept("["), false
		if header {
			array = s.accept("[")
		}
		key, ok := s.key()
		if len(key) > maxNesting {
			return line
		}
		switch {
		case !ok:
			return 0
		case header && s.accept("]"):
			prefix = s.resolve(key, array)
			visit(prefix, line)
		case !header && s.accept("="):
			visit(append(slices.Clip(prefix), key...), line)
		default:
			return 0
		}
		if line := s.skipValue(); line > 0 {
			return line
		}
	}
	return 0
}

type keyScanner struct {
	rest     []byte
	line     int
	elements map[string]int // elements seen so far of each array of tables
}

// resolve returns the path that a header opens, counting arrays of tables.
func (s *keyScanner) resolve(key []string, array bool) []string {
	var path []string
	for i, part := range key {
		path = append(path, part)
		name := strings.Join(path, "\x00")
		if array && i == len(key)-1 {
			s.elements[name]++
		}
		if n := s.elements[name]; n > 0 {
			path = append(path, "#"+strconv.Itoa(n-1))
		}
	}
	return path
}

func (s *keyScanner) accept(token string) bool {
	if !bytes.HasPrefix(s.rest, []byte(token)) {
		return false
	}
	s.advance(len(token))
	return true
}

// advance moves over n bytes, or to the end, and counts their lines.
func (s *keyScanner) advance(n int) {
	n = min(n, len(s.rest))
	s.line += bytes.Count(s.rest[:n], []byte("\n"))
	s.rest = s.rest[n:]
}

// skipBlank moves over white space, newlines and comments.
func (s *keyScanner) skipBlank() {
	for len(s.rest) > 0 {
		switch s.rest[0] {
		case ' ', '\t', '\r', '\n':
			s.advance(1)
		case '#':
			s.skipComment()
		default:
			return
		}
	}
}

func (s *keyScanner) skipComment() {
	end := bytes.IndexByte(s.rest, '\n')
	if end < 0 {
		end = len(s.rest)
	}
	s.rest = s.rest[end:]
}

// skipSpace moves over white space within a line.
func (s *keyScanner) skipSpace() { s.rest = bytes.TrimLeft(s.rest, " \t") }

// key reads a key of one or more parts with dots between and white space after.
func (s *keyScanner) key() (parts []string, ok bool) {
	for {
		s.skipSpace()
		var part string
		if len(s.rest) > 0 && (s.rest[0] == '"' || s.rest[0] == '\'') {
			text := s.rest
			s.skipString()
			text = text[:len(text)-len(s.rest)]
			if len(text) < 2 {
				return nil, false
			}
			part = string(text[1 : len(text)-1])
			if unquoted, err := strconv.Unquote(string(text)); err == nil && text[0] == '"' {
				part = unquoted
			}
		} else {
			end := bytes.IndexAny(s.rest, " \t\r\n.=[]{}\"'#")
			if end <= 0 {
				return nil, false
			}
			part = string(s.rest[:end])
			s.rest = s.rest[end:]
		}
		parts = append(parts, part)
		s.skipSpace()
		if len(parts) > maxNesting || !s.accept(".") {
			return parts, true
		}
	}
}

// skipValue moves to the end of the line on which a value ends. It returns the
// line where the value nests too deep, else 0.
func (s *keyScanner) skipValue() (tooDeep int) {
	depth := 0
	for len(s.rest) > 0 {
		switch s.rest[0] {
		case '\n':
			if depth <= 0 {
				return 0
			}
			s.advance(1)
		case '#':
			s.skipComment()
		case '"', '\'':
			s.skipString()
		case '[', '{':
			if depth++; depth > maxNesting {
				return s.line
			}
			s.advance(1)
		case ']', '}':
			depth--
			s.advance(1)
		default:
			s.advance(1)
		}
	}
	return 0
}

// skipString moves over a string of one of TOML's four kinds.
func (s *keyScanner) skipString() {
	quote := s.rest[0]
	triple := bytes.Repeat([]byte{quote}, 3)
	long := bytes.HasPrefix(s.rest, triple)
	n := 1
	if long {
		n = 3
	}
	for n < len(s.rest) {
		switch {
		case s.rest[n] == '\\' && quote == '"':
			n += 2
			continue
		case long && bytes.HasPrefix(s.rest[n:], triple):
			// Up to two quotes before the closing three are text.
			n += 3
			for i := 0; i < 2 && n < len(s.rest) && s.rest[n] == quote; i++ {
				n++
			}
			s.advance(n)
			return
		case !long && s.rest[n] == quote:
			s.advance(n + 1)
			return
		case !long && s.rest[n] == '\n':
			s.advance(n)
			return
		}
		n++
	}
	s.advance(n)
}
