// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"errors"
	"fmt"
	"os"
	"time"

	"nuconntrack/ipc"

	"golang.org/x/sys/unix"
)

const (
	// answerWait is how long the kernel may take for one packet of an answer. It
	// answers before sendto or recvmsg returns; only a fault makes it take longer.
	answerWait = 5 * time.Second
	// answerSize holds the answer to a single request: the kernel fits it into one
	// NLMSG_GOODSIZE, at most 8 KiB less overhead, and echoes at most the request.
	answerSize = 16 << 10
	// dumpSize holds a packet of a dump: the kernel fills up to 32 KiB however large the
	// buffer is, and what it fills has to go into one packet to the front daemon.
	dumpSize = ipc.MaxDumpData
)

// A socket is a netlink socket to netfilter that believes the kernel only. One that
// failed is closed at once, so that an answer that comes late is never taken for that
// of a later request, and is opened again by the next request. It is not safe for
// concurrent use.
type socket struct {
	fd     int // -1 when there is none
	port   uint32
	seq    uint32
	buf    []byte // the last packet received
	out    []byte // the last packet sent
	closed bool
}

// openSocket opens a socket that reads packets of up to size bytes.
func openSocket(size int) (*socket, error) {
	s := &socket{fd: -1, buf: make([]byte, size)}
	return s, s.open()
}

func (s *socket) open() error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return fmt.Errorf("open netlink socket: %w", err)
	}
	if s.port, err = prepare(fd); err != nil {
		unix.Close(fd)
		return fmt.Errorf("prepare netlink socket: %w", err)
	}
	s.fd = fd
	return nil
}

// prepare binds the socket and gives its port id. The receive buffer stays as it is: it
// holds many times what the kernel sends before it is read.
func prepare(fd int) (uint32, error) {
	wait := unix.NsecToTimeval(int64(answerWait))
	for _, opt := range [2]int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, opt, &wait); err != nil {
			return 0, err
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	addr, ok := sa.(*unix.SockaddrNetlink)
	if !ok {
		return 0, errors.New("not a netlink socket")
	}
	return addr.Pid, nil
}

// drop closes the file descriptor; the next request opens another.
func (s *socket) drop() {
	if s.fd >= 0 {
		unix.Close(s.fd)
	}
	s.fd = -1
}

func (s *socket) close() {
	s.drop()
	s.closed = true
}

// ready opens the socket again if it was dropped, and gives the next sequence number.
func (s *socket) ready() (seq uint32, err error) {
	if s.closed {
		return 0, fmt.Errorf("netlink socket: %w", os.ErrClosed)
	}
	if s.fd < 0 {
		if err := s.open(); err != nil {
			return 0, err
		}
	}
	s.seq++
	return s.seq, nil
}

// send gives requests to the kernel, all or none. EINTR comes before the kernel has read
// any of them.
func (s *socket) send(all ...request) error {
	s.out = s.out[:0]
	for _, r := range all {
		if len(r.bytes)%unix.NLMSG_ALIGNTO != 0 {
			return refused("message of %d bytes", len(r.bytes)) // the next one would not be found
		}
		s.out = append(s.out, r.bytes...)
	}
	for deadline := time.Now().Add(answerWait); ; {
		err := unix.Sendto(s.fd, s.out, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		switch {
		case err == nil:
			return nil
		case err == unix.EINTR && time.Now().Before(deadline):
		default:
			return fmt.Errorf("send to the kernel: %w", timedOut(err))
		}
	}
}

// receive reads one packet of the kernel, at least one byte, into the socket's buffer.
// Packets of other processes (whoever has CAP_NET_ADMIN may send some) are left out.
// ENOBUFS says that the kernel could not queue an answer: it is lost, which is an error.
func (s *socket) receive() ([]byte, error) {
	for deadline := time.Now().Add(answerWait); time.Now().Before(deadline); {
		n, _, flags, from, err := unix.Recvmsg(s.fd, s.buf, nil, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("receive from the kernel: %w", timedOut(err))
		}
		if addr, ok := from.(*unix.SockaddrNetlink); !ok || addr.Pid != 0 {
			continue
		}
		if flags&unix.MSG_TRUNC != 0 || n == 0 {
			return nil, malformed("packet empty or longer than %d bytes", len(s.buf))
		}
		return s.buf[:n], nil
	}
	return nil, fmt.Errorf("receive from the kernel: %w", os.ErrDeadlineExceeded)
}

// timedOut gives the end of SO_RCVTIMEO and SO_SNDTIMEO its name.
func timedOut(err error) error {
	if err == unix.EAGAIN {
		return os.ErrDeadlineExceeded
	}
	return err
}
