// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"sync"

	"nuconntrack/ipc"
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
func (c *Conn) Get(t ipc.Target) (Entry, error) {
	entries, errs := c.GetAll([]ipc.Target{t})
	return entries[0], errs[0]
}

// GetAll is Get for several, each with an error of its own. They are sent together, at
// most MaxTogether at a time.
func (c *Conn) GetAll(targets []ipc.Target) ([]Entry, []error) {
	entries := make([]Entry, len(targets))
	errs := c.exchange("get", len(targets), func(i int, seq uint32) (request, error) {
		return encodeGet(targets[i], seq)
	}, func(i int, answer []byte) (err error) {
		entries[i], err = decodeEntry(answer)
		return err
	})
	for i, err := range errs {
		if err != nil {
			entries[i] = Entry{}
		}
	}
	return entries, errs
}

// Delete removes the connection, if the one that the kernel finds by the original tuple
// still has the id that was read; else the error is an ErrNotFound.
func (c *Conn) Delete(e Entry) error { return c.DeleteAll([]Entry{e})[0] }

// DeleteAll is Delete for several, as GetAll is Get.
func (c *Conn) DeleteAll(entries []Entry) []error {
	return c.exchange("delete", len(entries), func(i int, seq uint32) (request, error) {
		return encodeDelete(entries[i], seq)
	}, nil)
}

// SetMark sets the bits of the connmark that are in mask to those of value, which has no
// other bits. The kernel does not compare the id: a connection that took the tuple since
// it was read gets the mark. Read again.
func (c *Conn) SetMark(e Entry, value, mask uint32) error {
	return c.exchange("set mark", 1, func(_ int, seq uint32) (request, error) {
		return encodeMark(e, value, mask, seq)
	}, nil)[0]
}

// FixTimeout makes the connection end after so many seconds, 1 to ipc.MaxTimeout,
// whatever its traffic. It cannot be undone: later calls fail with EPERM. With EBUSY the
// status is no longer the one that was read, and the kernel has changed the timeout
// without fixing it. The kernel does not compare the id. Read again, after a failure too.
func (c *Conn) FixTimeout(e Entry, seconds uint32) error {
	return c.exchange("fix timeout", 1, func(_ int, seq uint32) (request, error) {
		return encodeTimeout(e, seconds, seq)
	}, nil)[0]
}
