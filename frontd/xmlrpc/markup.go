// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// misc reads what may be around the root: white space and comments. It ends at
// the end of the document or at the "<" of a tag.
func (p *parser) misc() error {
	for {
		p.skipSpace()
		switch {
		case p.pos == len(p.s):
			return nil
		case p.s[p.pos] != '<' || p.has("<![CDATA["):
			return p.malformed("text outside of the root element")
		}
		var r run
		if tag, err := p.special(&r, nil); tag || err != nil {
			return err
		}
	}
}

func (p *parser) skipSpace() {
	for p.pos < len(p.s) && isSpace(p.s[p.pos]) {
		p.pos++
	}
}

// start reads a start tag, or an empty element's tag.
func (p *parser) start() (name string, empty bool, err error) {
	p.pos++ // the "<"
	if name, err = p.name(); err != nil {
		return "", false, err
	}
	if p.has(">") {
		p.pos++
		return name, false, nil
	}
	if err := p.attributes(); err != nil {
		return "", false, err
	}
	if p.has("/>") {
		p.pos += 2
		return name, true, nil
	}
	if !p.has(">") {
		return "", false, p.malformed("the tag <%s is broken", printable(name))
	}
	p.pos++
	return name, false, nil
}

func (p *parser) name() (string, error) {
	from := p.pos
	if from == len(p.s) || p.s[from] < utf8.RuneSelf && !isNameStart(p.s[from]) {
		return "", p.malformed("a name is missing")
	}
	for p.pos < len(p.s) {
		if c := p.s[p.pos]; c < utf8.RuneSelf {
			if !isName(c) {
				break
			}
			p.pos++
			continue
		}
		r, size := utf8.DecodeRuneInString(p.s[p.pos:])
		if !isNameRune(r, p.pos == from) {
			break
		}
		p.pos += size
	}
	if p.pos == from {
		return "", p.malformed("a name is missing")
	}
	return p.s[from:p.pos], nil
}

// attributes reads attributes and white space up to the end of a tag. They mean nothing here, but
// the rules of XML hold for them.
func (p *parser) attributes() error {
	var seen [maxAttributes]string
	for n := 0; ; n++ {
		before := p.pos
		p.skipSpace()
		if p.pos == before || p.has(">") || p.has("/") {
			return nil
		}
		if n == maxAttributes {
			return p.invalid("more than %d attributes", maxAttributes)
		}
		name, err := p.name()
		if err != nil {
			return err
		}
		if slices.Contains(seen[:n], name) {
			return p.malformed("attribute %q stands twice", cut(name))
		}
		seen[n] = name
		if err := p.attributeValue(); err != nil {
			return err
		}
	}
}

func (p *parser) attributeValue() error {
	p.skipSpace()
	if !p.has("=") {
		return p.malformed("an attribute has no value")
	}
	p.pos++
	p.skipSpace()
	if !p.has(`"`) && !p.has("'") {
		return p.malformed("an attribute's value is not quoted")
	}
	quote := p.s[p.pos]
	for p.pos++; p.pos < len(p.s); {
		switch p.s[p.pos] {
		case quote:
			p.pos++
			return nil
		case '<':
			return p.malformed("\"<\" in an attribute")
		case '&':
			if _, err := p.reference(); err != nil {
				return err
			}
		default:
			p.pos++
		}
	}
	return p.malformed("the document ends too early")
}

// end reads the end tag of the element called name, after its content.
func (p *parser) end(name string) error {
	if !p.has("</") {
		other, _, err := p.start()
		if err != nil {
			return err
		}
		return p.invalid("element <%s> in <%s>", printable(other), name)
	}
	p.pos += 2
	found, err := p.name()
	if err != nil {
		return err
	}
	if found != name {
		return p.malformed("</%s> where </%s> should be", printable(found), name)
	}
	p.skipSpace()
	if !p.has(">") {
		return p.malformed("the tag </%s is broken", name)
	}
	p.pos++
	return nil
}

// printable returns an element's name as it may stand in an error text.
func printable(name string) string { return strings.ToValidUTF8(cut(name), "?") }

// reference reads "&name;" or "&#number;".
func (p *parser) reference() (rune, error) {
	s := p.s[p.pos:]
	for _, e := range [...]struct {
		text string
		c    rune
	}{{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}} {
		if strings.HasPrefix(s, e.text) {
			p.pos += len(e.text)
			return e.c, nil
		}
	}
	digits, ok := strings.CutPrefix(s, "&#")
	if !ok {
		end := 1
		for end < len(s) && isName(s[end]) {
			end++
		}
		return 0, p.malformed("unknown entity %q", cut(s[:end]))
	}
	base := rune(10)
	if strings.HasPrefix(digits, "x") {
		base, digits = 16, digits[1:]
	}
	var c rune
	n := 0
	for ; n < len(digits) && digit(digits[n]) < base; n++ {
		// Beyond the last character it stays there, so it never wraps round.
		c = min(c*base+digit(digits[n]), utf8.MaxRune+1)
	}
	if n == 0 || n == len(digits) || digits[n] != ';' || !isChar(c) {
		return 0, p.malformed("bad character reference %q", cut(s[:min(len(s), len(s)-len(digits)+n+1)]))
	}
	p.pos += len(s) - len(digits) + n + 1
	return c, nil
}

// digit returns the value of a hexadecimal digit, or 16.
func digit(c byte) rune {
	switch {
	case isDigit(c):
		return rune(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	}
	return 16
}
