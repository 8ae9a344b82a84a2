// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"bytes"
	"errors"
	"fmt"
)

// body says what an answer holds.
type body int

const (
	bodyParams body = iota + 1
	bodyFault
)

// scanner walks over an answer once, without keeping anything but the names of open
// elements. It reads the part of XML that a front daemon writes: a prolog, elements
// without attributes, text. Comments, CDATA, DOCTYPE and processing instructions are
// refused; entities and characters are left to the decoder, which is strict about them.
type scanner struct {
	rest     []byte
	open     [][]byte
	elements int
	body     body
	rooted   bool
}

// scanShape says whether data is one methodResponse within the limits, and what is in it.
func scanShape(data []byte) (body, error) {
	s := scanner{rest: bytes.TrimLeft(data, " \t\r\n")}
	if bytes.HasPrefix(s.rest, []byte("<?xml ")) {
		_, after, ok := bytes.Cut(s.rest, []byte("?>"))
		if !ok {
			return 0, errors.New("prolog without an end")
		}
		s.rest = after
	}
	for {
		at := bytes.IndexByte(s.rest, '<')
		text := s.rest
		if at >= 0 {
			text = s.rest[:at]
		}
		if len(s.open) == 0 && len(bytes.TrimLeft(text, " \t\r\n")) > 0 {
			return 0, errors.New("text outside of the answer")
		}
		if at < 0 {
			break
		}
		if err := s.tag(s.rest[at+1:]); err != nil {
			return 0, err
		}
	}
	switch {
	case len(s.open) > 0:
		return 0, fmt.Errorf("ends inside of %q", s.open[len(s.open)-1])
	case s.body == 0:
		return 0, errors.New("no methodResponse with params or fault")
	}
	return s.body, nil
}

// tag takes what follows a '<'.
func (s *scanner) tag(data []byte) error {
	window := data[:min(len(data), maxName+3)]
	end := bytes.IndexByte(window, '>')
	if end < 0 {
		return fmt.Errorf("not a tag: %q", window)
	}
	s.rest = data[end+1:]
	name := data[:end]
	if closing, ok := bytes.CutPrefix(name, []byte("/")); ok {
		return s.leave(closing)
	}
	name, empty := bytes.CutSuffix(name, []byte("/"))
	if err := s.enter(name); err != nil {
		return err
	}
	if empty {
		return s.leave(name)
	}
	return nil
}

func (s *scanner) enter(name []byte) error {
	if !validName(name) {
		return fmt.Errorf("not a tag: %q", name)
	}
	if s.elements++; s.elements > maxElements {
		return fmt.Errorf("more than %d elements", maxElements)
	}
	switch len(s.open) {
	case 0:
		if s.rooted || string(name) != "methodResponse" {
			return fmt.Errorf("%q in the place of one methodResponse", name)
		}
		s.rooted = true
	case 1:
		if err := s.content(name); err != nil {
			return err
		}
	case maxDepth:
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	s.open = append(s.open, name)
	return nil
}

// content takes the name of what is directly inside of methodResponse.
func (s *scanner) content(name []byte) error {
	if s.body != 0 {
		return fmt.Errorf("%q beside the answer", name)
	}
	switch string(name) {
	case "params":
		s.body = bodyParams
	case "fault":
		s.body = bodyFault
	default:
		return fmt.Errorf("%q in the place of params or fault", name)
	}
	return nil
}

func (s *scanner) leave(name []byte) error {
	name = bytes.TrimRight(name, " \t\r\n")
	last := len(s.open) - 1
	if last < 0 || !bytes.Equal(s.open[last], name) {
		return fmt.Errorf("%q ends what it did not begin", name)
	}
	s.open = s.open[:last]
	return nil
}

func validName(name []byte) bool {
	if len(name) == 0 || len(name) > maxName {
		return false
	}
	for _, c := range name {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.':
		default:
			return false
		}
	}
	return true
}
