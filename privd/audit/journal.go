// SPDX-License-Identifier: GPL-2.0-or-later

package audit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// JournalSocket is where journald takes entries.
const JournalSocket = "/run/systemd/journal/socket"

// A Journal sends entries to journald, one datagram each.
//
// The socket is not connected: journald may be restarted, and after the sandbox is up no
// new socket can be made. It blocks, with a time limit: only in a blocking call does the
// kernel wait for room in the queue of a socket that one is not connected to.
type Journal struct {
	fd    int
	to    *unix.SockaddrUnix
	spare sync.Pool // *native; each of those who write takes one
}

// native is an entry as it is sent, and what it is made of.
type native struct {
	fields fields
	packet []byte
}

// OpenJournal opens a socket for entries that go to path, JournalSocket outside of tests.
func OpenJournal(path string) (*Journal, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open journal socket: %w", err)
	}
	wait := unix.NsecToTimeval(int64(WriteTime))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("set time limit of journal socket: %w", err)
	}
	return &Journal{
		fd: fd, to: &unix.SockaddrUnix{Name: path},
		spare: sync.Pool{New: func() any { return new(native) }},
	}, nil
}

// Close closes the socket; Write must not be called after it.
func (j *Journal) Close() error { return unix.Close(j.fd) }

// Write sends an entry. An entry that is too large for a datagram would have to go by a
// file; ours never is.
func (j *Journal) Write(e Entry) error {
	n := j.spare.Get().(*native)
	defer j.spare.Put(n)
	n.fields.set(&e)
	n.packet = appendNative(n.packet[:0], &n.fields)
	return j.send(n.packet)
}

func (j *Journal) send(b []byte) error {
	if len(b) > MaxEntry {
		return fmt.Errorf("write audit entry: %d bytes, at most %d", len(b), MaxEntry)
	}
	for {
		err := unix.Sendto(j.fd, b, unix.MSG_NOSIGNAL, j.to)
		switch err {
		case nil:
			return nil
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			err = os.ErrDeadlineExceeded
		}
		return fmt.Errorf("write audit entry to the journal: %w", err)
	}
}

// appendNative writes the journal's native protocol
// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): KEY=value and a newline or, for a value
// that has newlines itself, the key, its length in eight bytes and the value.
func appendNative(b []byte, f *fields) []byte {
	b = slices.Grow(b, usualEntry)
	for _, of := range f.all {
		value := f.value(of)
		b = append(b, of.key...)
		if bytes.IndexByte(value, '\n') >= 0 {
			b = append(b, '\n')
			b = binary.LittleEndian.AppendUint64(b, uint64(len(value)))
		} else {
			b = append(b, '=')
		}
		b = append(b, value...)
		b = append(b, '\n')
	}
	return b
}
