// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"fmt"
	"sync"

	"nuconntrack/ipc"

	"golang.org/x/sys/unix"
)

// A Conn reads, deletes and changes single connections. It is safe for concurrent use;
// one call waits for another, each at most for a few seconds.
type Conn struct {
	mu   sync.Mutex // guards sock, from a request to its answer
	sock *socket
}

// Dial opens a Conn in the network namespace of the calling thread.
func Dial() (*Conn, error) {
	sock, err := openSocket(answerSize)
	if err != nil {
		return nil, err
	}
	return &Conn{sock: sock}, nil
}

// Close ends the Conn after the call that is under way. It may be called twice.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sock.close()
	return nil
}

// Get reads the connection that the kernel finds by the target's original tuple in its
// zone; the reply tuple and the id are not part of that search. Whether it is the one
// that was meant shows when its Target is compared: it may be a later connection of the
// same tuple, or one that has this tuple as its reply.
//
// The error is an ErrNotFound when there is none.
func (c *Conn) Get(t ipc.Target) (e Entry, err error) {
	err = c.exchange("get", func(seq uint32) (request, error) {
		return encodeGet(t, seq)
	}, func(answer []byte) error {
		e, err = decodeEntry(answer)
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

// Delete removes the connection, if the one that the kernel finds by the original tuple
// still has the id that was read; else the error is an ErrNotFound.
func (c *Conn) Delete(e Entry) error {
	return c.exchange("delete", func(seq uint32) (request, error) {
		return encodeDelete(e, seq)
	}, nil)
}

// SetMark sets the bits of the connmark that are in mask to those of value, which has no
// other bits. The kernel does not compare the id: a connection that took the tuple since
// it was read gets the mark. Read again.
func (c *Conn) SetMark(e Entry, value, mask uint32) error {
	return c.exchange("set mark", func(seq uint32) (request, error) {
		return encodeMark(e, value, mask, seq)
	}, nil)
}

// FixTimeout makes the connection end after so many seconds, 1 to ipc.MaxTimeout,
// whatever its traffic. It cannot be undone: later calls fail with EPERM. With EBUSY the
// status is no longer the one that was read, and the kernel has changed the timeout
// without fixing it. The kernel does not compare the id. Read again, after a failure too.
func (c *Conn) FixTimeout(e Entry, seconds uint32) error {
	return c.exchange("fix timeout", func(seq uint32) (request, error) {
		return encodeTimeout(e, seconds, seq)
	}, nil)
}

// exchange sends one request and reads the kernel's answer: a connection, which decode
// reads, or without decode an acknowledgement.
func (c *Conn) exchange(op string, build func(seq uint32) (request, error), decode func([]byte) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	seq, err := c.sock.ready()
	if err != nil {
		return fmt.Errorf("conntrack %s: %w", op, err)
	}
	r, err := build(seq)
	if err != nil {
		return fmt.Errorf("conntrack %s: %w", op, err)
	}
	errno, err := c.sock.ask(r, decode)
	switch {
	case err != nil:
		c.sock.drop()
		return fmt.Errorf("conntrack %s: %w", op, err)
	case errno != 0:
		return &Error{Op: op, Errno: errno}
	}
	return nil
}

// ask sends r and reads its answer, which is one packet of one message.
func (s *socket) ask(r request, decode func([]byte) error) (unix.Errno, error) {
	if err := s.send(r); err != nil {
		return 0, err
	}
	b, err := s.receive()
	if err != nil {
		return 0, err
	}
	answer, errno, err := answerIn(b, r.seq, s.port, decode != nil)
	if err != nil || errno != 0 || decode == nil {
		return errno, err
	}
	return 0, decode(answer)
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
