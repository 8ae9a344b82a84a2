// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"fmt"
	"io"
)

// ReadCall reads r to its end and returns the call in it. It reads at most
// one byte more than l.Bytes.
//
// A body that is refused gives an *Error; a failing r gives its error, wrapped.
func ReadCall(r io.Reader, l Limits) (*Call, error) {
	p, err := readDocument(r, l, "call")
	if err != nil {
		return nil, err
	}
	return p.call()
}

// readDocument reads r to its end and makes it the text of a parser, its characters checked.
// what is the kind of document that the texts of errors name.
func readDocument(r io.Reader, l Limits, what string) (*parser, error) {
	l = l.orDefaults()
	body, err := readBody(r, l.Bytes)
	if err != nil {
		return nil, err
	}
	p := &parser{limits: l, what: what}
	if err := p.load(body, l.Charset); err != nil {
		return nil, err
	}
	if err := p.checkChars(len(p.s)); err != nil {
		return nil, err
	}
	return p, nil
}

// readBody grows its buffer only as bytes come, so that nobody reserves memory by
// announcing a length.
func readBody(r io.Reader, limit int64) ([]byte, error) {
	buf := make([]byte, 0, min(firstRead, limit+1))
	idle := 0
	for {
		if len(buf) == cap(buf) {
			bigger := make([]byte, len(buf), min(2*int64(cap(buf)), limit+1))
			copy(bigger, buf)
			buf = bigger
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return nil, &Error{FaultInvalid, fmt.Sprintf("the body is longer than %d bytes", limit)}
		}
		if err == io.EOF {
			return buf, nil
		}
		if err == nil && n == 0 {
			if idle++; idle == idleReads {
				err = io.ErrNoProgress
			}
		} else {
			idle = 0
		}
		if err != nil {
			return nil, fmt.Errorf("read body: %w", err)
		}
	}
}
