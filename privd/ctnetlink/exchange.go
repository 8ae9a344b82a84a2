// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// MaxTogether is how many requests are given to the kernel at once. It queues all the
// answers before the first is read, and those of so many fit into a receive buffer of the
// default size, 208 KiB, were each as large as the kernel makes them, which is a page: one
// that did not fit would be lost.
const MaxTogether = 32

// exchange sends n requests and reads the kernel's answers: for each a connection, which
// decode reads, or without decode an acknowledgement. The errors are by request; what the
// kernel refuses to one does not touch the others.
func (c *Conn) exchange(op string, n int, build func(i int, seq uint32) (request, error), decode func(i int, answer []byte) error) []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	errs := make([]error, n)
	for from := 0; from < n; from += MaxTogether {
		c.sock.exchange(op, from, errs[from:min(n, from+MaxTogether)], build, decode)
	}
	return errs
}

// exchange is for the requests from number first on, one for each place in errs.
func (s *socket) exchange(op string, first int, errs []error, build func(i int, seq uint32) (request, error), decode func(i int, answer []byte) error) {
	wrap := func(err error) error { return fmt.Errorf("conntrack %s: %w", op, err) }
	var sent [MaxTogether]int // the place of each that is sent
	requests := make([]request, 0, MaxTogether)
	for i := range errs {
		seq, err := s.ready()
		var r request
		if err == nil {
			r, err = build(first+i, seq)
		}
		if err != nil {
			errs[i] = wrap(err)
			continue
		}
		sent[len(requests)] = i
		requests = append(requests, r)
	}
	if len(requests) == 0 {
		return
	}
	lost := s.send(requests...)
	for k, r := range requests {
		var answer []byte
		var errno unix.Errno
		if lost == nil {
			answer, errno, lost = s.answer(r.seq, decode != nil)
		}
		i := sent[k]
		switch {
		case lost != nil: // and so are the answers behind it
			errs[i] = wrap(lost)
		case errno != 0:
			errs[i] = &Error{Op: op, Errno: errno}
		case decode != nil:
			if err := decode(first+i, answer); err != nil {
				errs[i] = wrap(err)
			}
		}
	}
	if lost != nil {
		s.drop()
	}
}

// answer reads the answer to request seq, which is one packet of one message. The kernel
// handles the requests of a packet in their order, so that no other can come before.
func (s *socket) answer(seq uint32, wanted bool) ([]byte, unix.Errno, error) {
	b, err := s.receive()
	if err != nil {
		return nil, 0, err
	}
	return answerIn(b, seq, s.port, wanted)
}

// answerIn looks for the answer in a packet: the message of a connection if one is
// wanted, else an acknowledgement, and in both cases an error of the kernel instead.
func answerIn(b []byte, seq, port uint32, wanted bool) (answer []byte, errno unix.Errno, err error) {
	m, rest, err := cutMessage(b)
	if err != nil {
		return nil, 0, err
	}
	if len(rest) != 0 || m.seq != seq || m.port != port {
		return nil, 0, malformed("answer to %d of %d, with %d bytes more, for %d of %d",
			m.seq, m.port, len(rest), seq, port)
	}
	switch {
	case m.typ == unix.NLMSG_ERROR:
		if errno, err = m.errno(); err == nil && errno == 0 && wanted {
			err = malformed("nothing but an acknowledgement")
		}
		return nil, errno, err
	case m.typ == messageType(ctNew) && wanted:
		return m.bytes, 0, nil
	}
	return nil, 0, malformed("message of type %#x", m.typ)
}
