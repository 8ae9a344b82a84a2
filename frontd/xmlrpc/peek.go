// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

// PeekSession looks at the beginning of a body, which may be cut anywhere, and
// returns the method's name and the first parameter, if that is a string (typed or not) and ends
// within prefix. It is there to decide whether a caller may send more.
//
// ok says that first was found; without it, method is still given where it was
// readable. What follows is not looked at, so the body may turn out to be bad.
// If ReadCall accepts the whole body, it says the same; only where
// Limits.Charset overrules the prolog may characters beyond ASCII differ.
//
// The caller bounds prefix; the cost is linear in it.
func PeekSession(prefix []byte) (method, first string, ok bool) {
	p := parser{limits: Limits{}.orDefaults(), what: "call"}
	if p.load(prefix, "") != nil {
		return "", "", false
	}
	method, err := p.head()
	if err != nil || p.checkChars(p.pos) != nil {
		return "", "", false
	}
	first, err = p.firstString()
	if err != nil || p.checkChars(p.pos) != nil {
		return method, "", false
	}
	return method, first, true
}

// firstString reads from the end of methodName to the end of the first value.
func (p *parser) firstString() (string, error) {
	if err := p.needed("methodCall", "params"); err != nil {
		return "", err
	}
	if err := p.child("params", "param"); err != nil {
		return "", err
	}
	if err := p.child("param", "value"); err != nil {
		return "", err
	}
	empty, err := p.open("value")
	if err != nil || empty {
		return "", err
	}
	start := p.pos
	r, err := p.scan(nil)
	if err != nil {
		return "", err
	}
	if p.has("</") {
		return p.join(start, r), p.end("value")
	}
	if !r.blank {
		return "", p.mixed()
	}
	text, err := p.content("string")
	if err != nil {
		return "", err
	}
	if err := p.gap(); err != nil {
		return "", err
	}
	return text, p.end("value")
}
