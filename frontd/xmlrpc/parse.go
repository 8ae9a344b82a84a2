// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import "slices"

// linearNames is how many members are compared each with each; beyond, they are sorted.
const linearNames = 12

// call reads the whole document, after checkChars has passed all of it.
func (p *parser) call() (*Call, error) {
	p.reserve()
	method, err := p.head()
	if err != nil {
		return nil, err
	}
	call := &Call{Method: method}
	more, err := p.next("methodCall")
	if err != nil {
		return nil, err
	}
	if more {
		if call.Params, err = p.params(); err != nil {
			return nil, err
		}
		err = p.close("methodCall")
	} else {
		err = p.finish()
	}
	if err != nil {
		return nil, err
	}
	return call, nil
}

// reserve makes room for all values and members that there can be.
func (p *parser) reserve() {
	p.values = newSlab[Value](min(p.valueTags, p.limits.Values))
	p.members = newSlab[Member](min(p.memberTags, p.limits.Values)) // each holds a value
}

// root reads up to the end of the root's tag, which must have content.
func (p *parser) root(name, content string) error {
	if err := p.misc(); err != nil {
		return err
	}
	if p.pos == len(p.s) {
		return p.malformed("there is no document")
	}
	found, empty, err := p.start()
	if err != nil {
		return err
	}
	if found != name || empty {
		return p.invalid("the root is <%s>, not a <%s> with %s", printable(found), name, content)
	}
	return nil
}

// close reads the end of the root after its last child, and that of the document.
func (p *parser) close(root string) error {
	if err := p.gap(); err != nil {
		return err
	}
	if err := p.end(root); err != nil {
		return err
	}
	return p.finish()
}

// finish reads what may follow the root.
func (p *parser) finish() error {
	if err := p.misc(); err != nil {
		return err
	}
	if p.pos < len(p.s) {
		return p.malformed("something follows the root element")
	}
	return nil
}

// head reads up to the end of methodName.
func (p *parser) head() (string, error) {
	if err := p.root("methodCall", "a <methodName>"); err != nil {
		return "", err
	}
	if err := p.needed("methodCall", "methodName"); err != nil {
		return "", err
	}
	method, err := p.content("methodName")
	if err != nil {
		return "", err
	}
	if method == "" || len(method) > MaxMethodName || !allBytes(method, isMethod) {
		return "", p.invalid("the method name %q is none", cut(method))
	}
	return method, nil
}

// open reads a tag that is known not to be an end tag. It must be of the element called name.
func (p *parser) open(name string) (empty bool, err error) {
	found, empty, err := p.start()
	if err == nil && found != name {
		return false, p.invalid("element <%s> where <%s> should be", printable(found), name)
	}
	return empty, err
}

// missing reports the lack of an element at an end tag.
func (p *parser) missing(name string) error { return p.invalid("<%s> is missing", name) }

// next reads the gap before a child of the element called parent, or the parent's end.
func (p *parser) next(parent string) (more bool, err error) {
	if err := p.gap(); err != nil {
		return false, err
	}
	if p.has("</") {
		return false, p.end(parent)
	}
	return true, nil
}

// content reads an element that holds text only.
func (p *parser) content(name string) (string, error) {
	empty, err := p.open(name)
	if err != nil || empty {
		return "", err
	}
	text, err := p.text()
	if err != nil {
		return "", err
	}
	return text, p.end(name)
}

func (p *parser) params() ([]Value, error) {
	if empty, err := p.open("params"); err != nil || empty {
		return nil, err
	}
	n := 0
	for ; ; n++ {
		more, err := p.next("params")
		if err != nil {
			return nil, err
		}
		if !more {
			return p.values.take(n), nil
		}
		v, err := p.param()
		if err != nil {
			return nil, err
		}
		p.values.push(v)
	}
}

func (p *parser) param() (Value, error) {
	if err := p.child("param", "value"); err != nil {
		return Value{}, err
	}
	v, err := p.value(0)
	if err != nil {
		return Value{}, err
	}
	if err := p.gap(); err != nil {
		return Value{}, err
	}
	return v, p.end("param")
}

// child opens the element called name and reads up to the tag of its first child, which must not be
// missing.
func (p *parser) child(name, first string) error {
	empty, err := p.open(name)
	if err != nil {
		return err
	}
	if empty {
		return p.missing(first)
	}
	return p.needed(name, first)
}

// needed reads the gap before an element that must follow inside parent.
func (p *parser) needed(parent, name string) error {
	more, err := p.next(parent)
	if err == nil && !more {
		return p.missing(name)
	}
	return err
}

// value reads a <value> that has depth arrays and structs around it.
func (p *parser) value(depth int) (Value, error) {
	empty, err := p.open("value")
	if err != nil {
		return Value{}, err
	}
	if p.count++; p.count > p.limits.Values {
		return Value{}, p.invalid("more than %d values", p.limits.Values)
	}
	if empty {
		return Value{Kind: KindString}, nil
	}
	start := p.pos
	r, err := p.scan(nil)
	if err != nil {
		return Value{}, err
	}
	if p.has("</") {
		return Value{Kind: KindString, Text: p.join(start, r)}, p.end("value")
	}
	if !r.blank {
		return Value{}, p.mixed()
	}
	v, err := p.typed(depth)
	if err != nil {
		return Value{}, err
	}
	if err := p.gap(); err != nil {
		return Value{}, err
	}
	return v, p.end("value")
}

// mixed reports an element beside text in a <value>, if it is one.
func (p *parser) mixed() error {
	name, _, err := p.start()
	if err != nil {
		return err
	}
	return p.invalid("text beside <%s> in <value>", printable(name))
}

// typed reads the element in a <value>.
func (p *parser) typed(depth int) (Value, error) {
	name, empty, err := p.start()
	if err != nil {
		return Value{}, err
	}
	if name == "array" || name == "struct" {
		if depth == p.limits.Depth {
			return Value{}, p.invalid("more than %d arrays and structs inside each other", p.limits.Depth)
		}
		if name == "array" {
			return p.array(empty, depth+1)
		}
		return p.structure(empty, depth+1)
	}
	kind, ok := scalarKind(name)
	if !ok {
		return Value{}, p.invalid("unknown type <%s>", printable(name))
	}
	text := ""
	if !empty {
		if text, err = p.text(); err != nil {
			return Value{}, err
		}
		if err := p.end(name); err != nil {
			return Value{}, err
		}
	}
	return p.scalar(kind, name, text)
}

func (p *parser) array(empty bool, depth int) (Value, error) {
	if empty {
		return Value{}, p.missing("data")
	}
	if err := p.needed("array", "data"); err != nil {
		return Value{}, err
	}
	empty, err := p.open("data")
	if err != nil {
		return Value{}, err
	}
	n := 0
	for ; !empty; n++ {
		more, err := p.next("data")
		if err != nil {
			return Value{}, err
		}
		if !more {
			break
		}
		v, err := p.value(depth)
		if err != nil {
			return Value{}, err
		}
		p.values.push(v)
	}
	if err := p.gap(); err != nil {
		return Value{}, err
	}
	return Value{Kind: KindArray, Items: p.values.take(n)}, p.end("array")
}

func (p *parser) structure(empty bool, depth int) (Value, error) {
	n := 0
	for ; !empty; n++ {
		more, err := p.next("struct")
		if err != nil {
			return Value{}, err
		}
		if !more {
			break
		}
		m, err := p.member(depth)
		if err != nil {
			return Value{}, err
		}
		p.members.push(m)
	}
	members := p.members.take(n)
	if name, twice := duplicate(members); twice {
		return Value{}, p.invalid("member %q stands twice", cut(name))
	}
	return Value{Kind: KindStruct, Members: members}, nil
}

func (p *parser) member(depth int) (m Member, err error) {
	if err := p.child("member", "name"); err != nil {
		return m, err
	}
	if m.Name, err = p.content("name"); err != nil {
		return m, err
	}
	if err := p.needed("member", "value"); err != nil {
		return m, err
	}
	if m.Value, err = p.value(depth); err != nil {
		return m, err
	}
	if err := p.gap(); err != nil {
		return m, err
	}
	return m, p.end("member")
}

// duplicate finds a name that stands twice. It sorts rather than hashes: one struct may hold
// as many members as the sender likes, with names of his choice.
func duplicate(members []Member) (string, bool) {
	if len(members) <= linearNames {
		for i := range members {
			for j := range i {
				if members[i].Name == members[j].Name {
					return members[i].Name, true
				}
			}
		}
		return "", false
	}
	names := make([]string, len(members))
	for i := range members {
		names[i] = members[i].Name
	}
	slices.Sort(names)
	for i := 1; i < len(names); i++ {
		if names[i] == names[i-1] {
			return names[i], true
		}
	}
	return "", false
}
