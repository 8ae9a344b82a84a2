// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

// multicall is the method whose parameter is an array of calls, each a struct of methodName
// and params.
const multicall = "system.multicall"

// PeekSession looks at the beginning of a body, which may be cut anywhere, and
// returns the method's name and the first parameter, if that is a string (typed or not) and ends
// within prefix. Of system.multicall it is the first parameter of the first call. It is there to
// decide whether a caller may send more.
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
	first, err = p.firstString(method)
	if err != nil || p.checkChars(p.pos) != nil {
		return method, "", false
	}
	return method, first, true
}

// firstString reads from the end of methodName to the end of the first value.
func (p *parser) firstString(method string) (string, error) {
	if err := p.needed("methodCall", "params"); err != nil {
		return "", err
	}
	if err := p.into("params", "param", "value"); err != nil {
		return "", err
	}
	if method != multicall {
		return p.stringValue()
	}
	if err := p.into("value", "array", "data", "value", "struct", "member"); err != nil {
		return "", err
	}
	return p.firstOfCall()
}

// firstOfCall reads from the first member of a call of many to the end of its first parameter.
func (p *parser) firstOfCall() (string, error) {
	for {
		if err := p.child("member", "name"); err != nil {
			return "", err
		}
		name, err := p.content("name")
		if err != nil {
			return "", err
		}
		if err := p.needed("member", "value"); err != nil {
			return "", err
		}
		if name == "params" {
			break
		}
		// The method's name may come first, and nothing else.
		if _, err := p.stringValue(); err != nil {
			return "", err
		}
		if err := p.gap(); err != nil {
			return "", err
		}
		if err := p.end("member"); err != nil {
			return "", err
		}
		if err := p.needed("struct", "member"); err != nil {
			return "", err
		}
	}
	if err := p.into("value", "array", "data", "value"); err != nil {
		return "", err
	}
	return p.stringValue()
}

// into opens all of these elements but the last, each the first child of the one before it.
func (p *parser) into(names ...string) error {
	for i, name := range names[1:] {
		if err := p.child(names[i], name); err != nil {
			return err
		}
	}
	return nil
}

// stringValue reads a value that must be a string.
func (p *parser) stringValue() (string, error) {
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
