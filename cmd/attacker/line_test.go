// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"

	"golang.org/x/sys/unix"
)

// errClosed says that the helper has closed the connection.
var errClosed = errors.New("the helper closed the connection")

// line is a connection to the helper.
type line struct {
	conn *net.UnixConn
	in   []byte
}

func dial(socket string) (*line, error) {
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: socket, Net: "unixpacket"})
	if err != nil {
		return nil, fmt.Errorf("connect to the helper: %w", err)
	}
	return &line{conn: conn}, nil
}

func (l *line) close() { l.conn.Close() }

// send sends one packet, as it is, with control messages.
func (l *line) send(p, control []byte, within time.Duration) error {
	l.conn.SetWriteDeadline(time.Now().Add(within))
	_, _, err := l.conn.WriteMsgUnix(p, control, nil)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return errClosed
	}
	return err
}

// receive reads one packet; it is good until the next one. Where the helper left packets
// unread, the kernel says so once before it gives the answers that came before.
func (l *line) receive(within time.Duration) ([]byte, error) {
	if l.in == nil {
		l.in = make([]byte, headerSize+ipc.MaxDumpData)
	}
	l.conn.SetReadDeadline(time.Now().Add(within))
	for range 2 {
		n, err := l.conn.Read(l.in)
		switch {
		case errors.Is(err, syscall.ECONNRESET):
		case errors.Is(err, io.EOF), errors.Is(err, syscall.EPIPE):
			return nil, errClosed
		default:
			return l.in[:n], err
		}
	}
	return nil, errClosed
}

// hello says what the connection is for.
func (l *line) hello(p ipc.Purpose) error {
	packet, err := ipc.Request{Op: ipc.OpHello, Purpose: p}.Append(nil)
	if err != nil {
		return err
	}
	if err := l.send(packet, nil, daemontest.Patience); err != nil {
		return err
	}
	b, err := l.receive(daemontest.Patience)
	if err != nil {
		return err
	}
	a, _, err := ipc.DecodeAnswer(b)
	if err == nil && a.Op != ipc.OpHello {
		err = fmt.Errorf("%s in answer to hello", a.Op)
	}
	return err
}

// hungUp waits until the helper has closed the connection, without reading anything.
func (l *line) hungUp(within time.Duration) error {
	raw, err := l.conn.SyscallConn()
	if err != nil {
		return err
	}
	var waited error
	err = raw.Control(func(fd uintptr) {
		for deadline := time.Now().Add(within); ; {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
			n, err := unix.Poll(fds, int(max(time.Until(deadline), 0).Milliseconds()))
			if err == unix.EINTR {
				continue
			}
			if waited = err; err == nil && n == 0 {
				waited = os.ErrDeadlineExceeded
			}
			return
		}
	})
	return errors.Join(err, waited)
}
