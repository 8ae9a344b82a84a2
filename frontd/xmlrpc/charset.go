// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

type charset uint8

const (
	charsetNone charset = iota // not named
	charsetUTF8                // US-ASCII too: it is a part of it
	charsetLatin1
	charsetOther
)

// charsetNamed knows the names of IANA's registry that clients send, and "utf8",
// which is not in it.
func charsetNamed(name []byte) charset {
	switch strings.ToLower(string(name)) {
	case "":
		return charsetNone
	case "utf-8", "utf8", "us-ascii", "ascii":
		return charsetUTF8
	case "iso-8859-1", "latin1":
		return charsetLatin1
	}
	return charsetOther
}

// load strips byte order mark and prolog from body, and makes the rest the text
// that p reads, in UTF-8 if the body keeps its promise (see checkChars).
func (p *parser) load(body []byte, transport string) error {
	rest, bom := bytes.CutPrefix(body, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(rest, []byte("\xff\xfe")) || bytes.HasPrefix(rest, []byte("\xfe\xff")) {
		return p.malformed("UTF-16 is not supported, send UTF-8")
	}
	// XML wants the prolog at the very start; several old clients send a newline first.
	rest = bytes.TrimLeft(rest, spaces)
	var declared []byte
	if isProlog(rest) {
		n, encoding, ok := prolog(rest)
		if !ok {
			return p.malformed("the XML declaration is not one")
		}
		declared, rest = encoding, rest[n:]
	}
	p.line = bytes.Count(body[:len(body)-len(rest)], []byte("\n"))
	set := charsetUTF8
	for _, name := range [][]byte{declared, []byte(transport)} { // the later decides
		switch c := charsetNamed(name); c {
		case charsetNone:
		case charsetOther:
			return p.malformed("charset %q is not supported, send UTF-8", cut(string(name)))
		default:
			set = c
		}
	}
	if set == charsetLatin1 && !bom {
		p.s = fromLatin1(rest)
	} else {
		p.s = string(rest)
	}
	return nil
}

func isProlog(b []byte) bool {
	return len(b) > 5 && string(b[:5]) == "<?xml" && isSpace(b[5])
}

// prolog reads an XML declaration (XML 1.0, production 23) at the start of b, and
// returns its length and the encoding it names, if any.
func prolog(b []byte) (n int, encoding []byte, ok bool) {
	b = b[:min(len(b), maxProlog)]
	end := bytes.Index(b, []byte("?>"))
	if end < 0 {
		return 0, nil, false
	}
	rest := b[5:end]
	version, rest, ok := pseudo(rest, "version")
	if !ok || len(version) < 3 || string(version[:2]) != "1." || !allBytes(version[2:], isDigit) {
		return 0, nil, false
	}
	if value, after, ok := pseudo(rest, "encoding"); ok {
		if len(value) == 0 || !isLetter(value[0]) || !allBytes(value, isEncoding) {
			return 0, nil, false
		}
		encoding, rest = value, after
	}
	if value, after, ok := pseudo(rest, "standalone"); ok {
		if string(value) != "yes" && string(value) != "no" {
			return 0, nil, false
		}
		rest = after
	}
	return end + 2, encoding, len(bytes.TrimLeft(rest, spaces)) == 0
}

// pseudo reads white space, name, "=" and a quoted value.
func pseudo(b []byte, name string) (value, rest []byte, ok bool) {
	trimmed := bytes.TrimLeft(b, spaces)
	rest, ok = bytes.CutPrefix(trimmed, []byte(name))
	if !ok || len(trimmed) == len(b) {
		return nil, b, false
	}
	rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, spaces), []byte("="))
	rest = bytes.TrimLeft(rest, spaces)
	if !ok || len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return nil, b, false
	}
	end := bytes.IndexByte(rest[1:], rest[0])
	if end < 0 {
		return nil, b, false
	}
	return rest[1 : 1+end], rest[end+2:], true
}

// fromLatin1 is the one copy of a body in ISO-8859-1.
func fromLatin1(b []byte) string {
	n := len(b)
	for _, c := range b {
		n += int(c >> 7)
	}
	var s strings.Builder
	s.Grow(n)
	for _, c := range b {
		if c < utf8.RuneSelf {
			s.WriteByte(c)
		} else {
			s.WriteByte(0xc0 | c>>6)
			s.WriteByte(0x80 | c&0x3f)
		}
	}
	return s.String()
}

// checkChars refuses invalid UTF-8 and what XML 1.0 does not count as a
// character, in the first n bytes. It passes every byte, so it counts tags on the way.
func (p *parser) checkChars(n int) error {
	for i := 0; i < n; {
		if c := p.s[i]; c < utf8.RuneSelf {
			if c < ' ' && !isSpace(c) {
				p.pos = i
				return p.malformed("control character U+%04X", c)
			}
			if c == '<' {
				p.countTag(p.s[i:])
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(p.s[i:])
		if r == utf8.RuneError && size == 1 {
			p.pos = i
			return p.malformed("byte 0x%02X is not UTF-8", p.s[i])
		}
		if !isChar(r) {
			p.pos = i
			return p.malformed("character U+%04X", r)
		}
		i += size
	}
	return nil
}

// countTag counts what looks like a value or a member. There may be fewer, since
// comments and CDATA may hold the like, but never more.
func (p *parser) countTag(s string) {
	switch {
	case strings.HasPrefix(s, "<value"):
		p.valueTags++
	case strings.HasPrefix(s, "<member"):
		p.memberTags++
	}
}

// isChar is production 2 of XML 1.0.
func isChar(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r <= 0xd7ff, r >= 0xe000 && r <= 0xfffd, r >= 0x10000 && r <= utf8.MaxRune:
		return true
	}
	return false
}
