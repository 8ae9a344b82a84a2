// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Peer is who is at the other end, as the kernel tells it (SO_PEERCRED). The uid is in
// the terms of this process's user namespace; whoever has none there shows as the
// overflow uid.
type Peer struct {
	UID, GID uint32
	PID      int32
}

// ServerConn is the helper's end of one connection. It is for one reading and one
// writing goroutine.
type ServerConn struct {
	conn *net.UnixConn
	peer Peer
	in   [MaxRequest]byte
	out  []byte
}

// NewServerConn takes over an accepted connection of type SOCK_SEQPACKET.
func NewServerConn(conn *net.UnixConn) (*ServerConn, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("read peer credentials: %w", err)
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err == nil {
		err = credErr
	}
	if err != nil {
		return nil, fmt.Errorf("read peer credentials: %w", err)
	}
	return &ServerConn{conn: conn, peer: Peer{UID: cred.Uid, GID: cred.Gid, PID: cred.Pid}}, nil
}

// Peer tells who is at the other end.
func (c *ServerConn) Peer() Peer { return c.peer }

// ReadRequest waits for a request until deadline; the zero time waits without end.
// It returns io.EOF when the peer closed or sent an empty packet, which the socket does
// not tell apart, and a *ProtocolError for what is malformed. After any error the
// connection is to be closed.
func (c *ServerConn) ReadRequest(deadline time.Time) (Request, error) {
	if err := c.conn.SetReadDeadline(deadline); err != nil {
		return Request{}, fmt.Errorf("set deadline: %w", err)
	}
	n, err := readPacket(c.conn, c.in[:])
	if err != nil {
		return Request{}, err
	}
	return DecodeRequest(c.in[:n])
}

// ReadQueued takes a request that has come already; ok is false when there is none. Errors
// are those of ReadRequest.
func (c *ServerConn) ReadQueued() (r Request, ok bool, err error) {
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return Request{}, false, err
	}
	var n, flags int
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		n, _, flags, _, failed = unix.Recvmsg(int(fd), c.in[:], nil, unix.MSG_DONTWAIT)
		return true
	})
	if err == nil {
		err = failed
	}
	switch {
	case err == unix.EAGAIN || err == unix.EINTR || errors.Is(err, os.ErrDeadlineExceeded):
		return Request{}, false, nil // ReadRequest will see what there is
	case err != nil:
		return Request{}, false, err
	case n == 0:
		return Request{}, false, io.EOF
	}
	if err := checkPacket(flags, len(c.in)); err != nil {
		return Request{}, false, err
	}
	r, err = DecodeRequest(c.in[:n])
	return r, err == nil, err
}

// WriteAnswer sends an answer, and fails if the peer has not read enough by deadline.
func (c *ServerConn) WriteAnswer(a Answer, deadline time.Time) error {
	var err error
	if c.out, err = a.Append(c.out[:0]); err != nil {
		return err
	}
	if err := c.conn.SetWriteDeadline(deadline); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	_, err = c.conn.Write(c.out)
	return err
}

// WriteData sends 1 to MaxDumpData bytes of whole netlink messages without copying
// them, and fails if the peer has not read enough by deadline.
func (c *ServerConn) WriteData(seq uint64, data []byte, deadline time.Time) error {
	if len(data) == 0 || len(data) > MaxDumpData {
		return malformed("%d bytes of dump data", len(data))
	}
	if err := c.conn.SetWriteDeadline(deadline); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	c.out = appendHeader(c.out[:0], header{op: OpDump, kind: kindData, seq: seq}, len(data))
	packet := net.Buffers{c.out, data}
	_, err := packet.WriteTo(c.conn)
	return err
}

// Discard lets the peer send no more, and forgets what it has sent so far: a peer that is
// closed on with packets unread is told so (ECONNRESET, unix_release_sock) before it can read
// the answers that lie there for it.
func (c *ServerConn) Discard() {
	if c.conn.CloseRead() != nil || c.conn.SetReadDeadline(time.Time{}) != nil {
		return
	}
	for {
		if n, _, _, _, err := c.conn.ReadMsgUnix(c.in[:], nil); n == 0 || err != nil {
			return
		}
	}
}

// Close ends the connection. It may be called twice, and from any goroutine.
func (c *ServerConn) Close() error { return c.conn.Close() }

// readPacket reads one packet. No room is given for control messages, so the kernel
// drops descriptors that a packet carries, before they are opened here, and says so.
func readPacket(conn *net.UnixConn, b []byte) (int, error) {
	n, _, flags, _, err := conn.ReadMsgUnix(b, nil)
	if errors.Is(err, io.EOF) {
		return 0, io.EOF // without the address the net package wraps around it
	}
	if err != nil {
		return 0, err
	}
	return n, checkPacket(flags, len(b))
}

// checkPacket looks at what recvmsg said of a packet, for which there was so much room.
func checkPacket(flags, room int) error {
	if flags&unix.MSG_CTRUNC != 0 {
		return malformed("it carries descriptors")
	}
	if flags&unix.MSG_TRUNC != 0 {
		return malformed("longer than %d bytes", room)
	}
	return nil
}
