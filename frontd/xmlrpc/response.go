// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import "io"

// Response is a methodResponse. Its strings share memory with the body that it was read
// from: clone what outlives it.
type Response struct {
	Value Value  // what the method returned; 'nothing' beside a Fault
	Fault *Fault // nil if the method returned
}

// Fault is what a server says went wrong.
type Fault struct {
	Code int64
	Text string
}

// ReadResponse is ReadCall for what a server answers. A fault is no error: it is in the
// Response.
func ReadResponse(r io.Reader, l Limits) (*Response, error) {
	p, err := readDocument(r, l, "answer")
	if err != nil {
		return nil, err
	}
	return p.response()
}

// response reads the whole document, after checkChars has passed all of it.
func (p *parser) response() (*Response, error) {
	p.reserve()
	if err := p.root("methodResponse", "<params> or <fault>"); err != nil {
		return nil, err
	}
	more, err := p.next("methodResponse")
	if err != nil {
		return nil, err
	}
	if !more {
		return nil, p.invalid("there is neither <params> nor <fault>")
	}
	var response Response
	if p.has("<fault") {
		response.Fault, err = p.fault()
	} else {
		response.Value, err = p.result()
	}
	if err != nil {
		return nil, err
	}
	if err := p.close("methodResponse"); err != nil {
		return nil, err
	}
	return &response, nil
}

// result reads <params> with the one value that an answer has.
func (p *parser) result() (Value, error) {
	params, err := p.params()
	if err != nil {
		return Value{}, err
	}
	if len(params) != 1 {
		return Value{}, p.invalid("%d values returned in place of one", len(params))
	}
	return params[0], nil
}

// fault reads <fault>. Its struct has two members and may have no more.
func (p *parser) fault() (*Fault, error) {
	if err := p.child("fault", "value"); err != nil {
		return nil, err
	}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if err := p.gap(); err != nil {
		return nil, err
	}
	if err := p.end("fault"); err != nil {
		return nil, err
	}
	var f Fault
	var code, text bool
	for _, m := range v.Members {
		switch {
		case m.Name == "faultCode" && m.Value.Kind == KindInt:
			f.Code, code = m.Value.Int, true
		case m.Name == "faultString" && m.Value.Kind == KindString:
			f.Text, text = m.Value.Text, true
		}
	}
	if len(v.Members) != 2 || !code || !text {
		return nil, p.invalid("the fault is not a struct of faultCode and faultString")
	}
	return &f, nil
}
