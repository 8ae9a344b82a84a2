// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// A Dumper reads the whole table, in the memory of one buffer. It is safe for concurrent
// use; one dump waits for another.
type Dumper struct {
	mu   sync.Mutex // guards sock, for a whole dump
	sock *socket
}

// NewDumper opens a Dumper in the network namespace of the calling thread.
func NewDumper() (*Dumper, error) {
	sock, err := openSocket(dumpSize)
	if err != nil {
		return nil, err
	}
	return &Dumper{sock: sock}, nil
}

// Close ends the Dumper after the dump that is under way. It may be called twice.
func (d *Dumper) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sock.close()
	return nil
}

// Dump hands the table's messages to each as they come: whole messages of connections
// only, at most ipc.MaxDumpData bytes, good until each returns. bytes counts what each
// was given. interrupted says that the kernel marked the dump with NLM_F_DUMP_INTR:
// entries may be missing or repeated. The kernel keeps no copy of the table: what comes
// and goes during a dump may be missing or repeated without that mark, too.
//
// The context is looked at between two packets; each has to mind it by itself. A dump
// that did not reach its end leaves nothing behind: the socket is closed.
func (d *Dumper) Dump(ctx context.Context, each func(messages []byte) error) (interrupted bool, bytes uint64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	interrupted, err = d.sock.dump(ctx, ctNew, encodeDump, func(b []byte) error {
		if err := each(b); err != nil {
			return err
		}
		bytes += uint64(len(b))
		return nil
	})
	if err != nil {
		err = fmt.Errorf("dump conntrack table: %w", err)
	}
	return interrupted, bytes, err
}

// dump sends the request and hands runs of messages of one type to each.
func (s *socket) dump(ctx context.Context, want uint8, build func(seq uint32) (request, error), each func([]byte) error) (interrupted bool, err error) {
	seq, err := s.ready()
	if err != nil {
		return false, err
	}
	whole := false
	defer func() {
		if !whole { // or a panic of each
			s.drop()
		}
	}()
	r, err := build(seq)
	if err != nil {
		return false, err
	}
	if err := s.send(r); err != nil {
		return false, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return interrupted, err
		}
		b, err := s.receive()
		if err != nil {
			return interrupted, err
		}
		p, err := scan(b, seq, s.port, messageType(want))
		if err != nil {
			return interrupted, err
		}
		interrupted = interrupted || p.interrupted
		if len(p.messages) > 0 {
			if err := each(p.messages); err != nil {
				return interrupted, err
			}
		}
		if p.done {
			whole = true
			return interrupted, nil
		}
	}
}

// A part is what one packet of a dump holds.
type part struct {
	messages    []byte // all of the wanted type, one behind the other
	done        bool   // the dump ends here
	interrupted bool
}

// scan looks at the headers of a packet. NLMSG_DONE and NLMSG_ERROR can only be last.
func scan(b []byte, seq, port uint32, want uint16) (part, error) {
	p := part{}
	for left := b; len(left) > 0; {
		m, rest, err := cutMessage(left)
		if err != nil {
			return part{}, err
		}
		if m.seq != seq || m.port != port || p.done {
			return part{}, malformed("message for %d of %d in a dump for %d of %d", m.seq, m.port, seq, port)
		}
		p.interrupted = p.interrupted || m.flags&unix.NLM_F_DUMP_INTR != 0
		switch m.typ {
		case want:
			p.messages = b[:len(b)-len(rest)]
		case unix.NLMSG_DONE, unix.NLMSG_ERROR:
			errno, err := m.errno()
			if err != nil {
				return part{}, err
			}
			if errno != 0 {
				return part{}, &Error{Op: "dump", Errno: errno}
			}
			if m.typ == unix.NLMSG_ERROR {
				return part{}, malformed("acknowledgement in a dump")
			}
			p.done = true
		default:
			return part{}, malformed("message of type %#x in a dump", m.typ)
		}
		left = rest
	}
	return p, nil
}
