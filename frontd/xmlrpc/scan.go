// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// parser reads one document that is wholly in memory. Its methods leave pos
// where they stopped; after an error it is of no further use.
type parser struct {
	s      string
	pos    int
	line   int    // line ends before s
	what   string // it should be: a call, an answer
	limits Limits
	count  int // values begun

	valueTags, memberTags int // upper bounds, by checkChars
	values                slab[Value]
	members               slab[Member]
}

func (p *parser) malformed(format string, args ...any) *Error {
	return p.fail(FaultParse, parsePrefix, format, args)
}

func (p *parser) invalid(format string, args ...any) *Error {
	return p.fail(FaultInvalid, "not an XML-RPC "+p.what+": ", format, args)
}

func (p *parser) fail(code int, prefix, format string, args []any) *Error {
	line := 1 + p.line + strings.Count(p.s[:p.pos], "\n")
	return &Error{code, fmt.Sprintf("%sline %d: ", prefix, line) + fmt.Sprintf(format, args...)}
}

func (p *parser) has(prefix string) bool { return strings.HasPrefix(p.s[p.pos:], prefix) }

// run is character data up to the next tag: pieces of text, references, CDATA
// sections, with comments left out.
type run struct {
	length int    // bytes when joined
	blank  bool   // nothing but white space
	pieces int    // more than 1: must be joined
	only   string // the piece, if there is one
}

func (r *run) add(piece string, out *strings.Builder) {
	if piece == "" {
		return
	}
	r.length += len(piece)
	r.pieces++
	r.only = piece
	r.blank = r.blank && allBytes(piece, isSpace)
	if out != nil {
		out.WriteString(piece)
	}
}

func (r *run) addRune(c rune, out *strings.Builder) {
	r.length += utf8.RuneLen(c)
	r.pieces += 2 // it is not in the document as it is
	r.blank = r.blank && c < utf8.RuneSelf && isSpace(byte(c))
	if out != nil {
		out.WriteRune(c)
	}
}

// scan reads a run, and writes its text to out unless that is nil. It ends at the "<" of a tag.
func (p *parser) scan(out *strings.Builder) (run, error) {
	r := run{blank: true}
	from := p.pos
	for p.pos < len(p.s) {
		switch p.s[p.pos] {
		default:
			p.pos++
			continue
		case ']':
			if p.has("]]>") {
				return r, p.malformed("\"]]>\" outside of CDATA")
			}
			p.pos++
			continue
		case '\r':
			r.add(p.s[from:p.pos], out)
			p.lineEnd(&r, out)
		case '&':
			r.add(p.s[from:p.pos], out)
			c, err := p.reference()
			if err != nil {
				return r, err
			}
			r.addRune(c, out)
		case '<':
			r.add(p.s[from:p.pos], out)
			tag, err := p.special(&r, out)
			if tag || err != nil {
				return r, err
			}
		}
		from = p.pos
	}
	return r, p.malformed("the document ends too early")
}

// lineEnd reads CR or CRLF as LF (XML 1.0, 2.11). Of CRLF it drops the CR, so that one
// piece stays one piece where it can.
func (p *parser) lineEnd(r *run, out *strings.Builder) {
	p.pos++
	if !p.has("\n") {
		r.addRune('\n', out)
	}
}

// special reads what begins with "<" and may stand within text. tag says that it is a tag, and
// has not been read.
func (p *parser) special(r *run, out *strings.Builder) (tag bool, err error) {
	switch {
	case p.has("<!--"):
		return false, p.comment()
	case p.has("<![CDATA["):
		return false, p.cdata(r, out)
	case p.has("<!"):
		return false, p.malformed("DOCTYPE and other declarations are refused")
	case p.has("<?"):
		return false, p.malformed("processing instructions are refused")
	}
	return true, nil
}

func (p *parser) comment() error {
	const open = "<!--"
	end := strings.Index(p.s[p.pos+len(open):], "--")
	if end < 0 {
		return p.malformed("a comment does not end")
	}
	p.pos += len(open) + end
	if !p.has("-->") {
		return p.malformed("\"--\" inside a comment")
	}
	p.pos += len("-->")
	return nil
}

func (p *parser) cdata(r *run, out *strings.Builder) error {
	const open = "<![CDATA["
	n := strings.Index(p.s[p.pos+len(open):], "]]>")
	if n < 0 {
		return p.malformed("a CDATA section does not end")
	}
	p.pos += len(open)
	end := p.pos + n
	for {
		n := strings.IndexByte(p.s[p.pos:end], '\r')
		if n < 0 {
			break
		}
		r.add(p.s[p.pos:p.pos+n], out)
		p.pos += n
		p.lineEnd(r, out)
	}
	r.add(p.s[p.pos:end], out)
	p.pos = end + len("]]>")
	return nil
}

// join returns the text of a run that began at start and has just been read.
func (p *parser) join(start int, r run) string {
	if r.pieces <= 1 {
		return r.only
	}
	var out strings.Builder
	out.Grow(r.length)
	p.pos = start
	p.scan(&out) //nolint:errcheck // it has been read without error once
	return out.String()
}

// text reads a run and returns its text.
func (p *parser) text() (string, error) {
	start := p.pos
	r, err := p.scan(nil)
	if err != nil {
		return "", err
	}
	return p.join(start, r), nil
}

// gap reads a run where only white space and comments may be.
func (p *parser) gap() error {
	p.skipSpace()
	if p.pos+1 < len(p.s) && p.s[p.pos] == '<' && p.s[p.pos+1] != '!' && p.s[p.pos+1] != '?' {
		return nil // by far the most gaps
	}
	r, err := p.scan(nil)
	if err == nil && !r.blank {
		return p.invalid("text where an element should be")
	}
	return err
}
