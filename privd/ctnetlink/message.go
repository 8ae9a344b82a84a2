// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"encoding/binary"
	"math"

	"golang.org/x/sys/unix"
)

// A message is one netlink message of the kernel. Netlink headers are in the machine's
// byte order.
type message struct {
	bytes []byte // header included, padding excluded
	typ   uint16
	flags uint16
	seq   uint32
	port  uint32
}

// cutMessage cuts the first message from b.
func cutMessage(b []byte) (m message, rest []byte, err error) {
	if len(b) < headerSize {
		return message{}, nil, malformed("%d bytes, shorter than a header", len(b))
	}
	n := binary.NativeEndian.Uint32(b)
	if n < headerSize || uint64(n) > uint64(len(b)) {
		return message{}, nil, malformed("message of %d bytes in %d", n, len(b))
	}
	m = message{
		bytes: b[:n],
		typ:   binary.NativeEndian.Uint16(b[4:]),
		flags: binary.NativeEndian.Uint16(b[6:]),
		seq:   binary.NativeEndian.Uint32(b[8:]),
		port:  binary.NativeEndian.Uint32(b[12:]),
	}
	padded := (int(n) + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1)
	return m, b[min(padded, len(b)):], nil
}

// errno gives the error number that NLMSG_ERROR and NLMSG_DONE begin with, 0 for none.
// The kernel sends it negated. An empty NLMSG_DONE is that of an older kernel.
func (m message) errno() (unix.Errno, error) {
	body := m.bytes[headerSize:]
	if len(body) == 0 && m.typ == unix.NLMSG_DONE {
		return 0, nil
	}
	if len(body) < 4 {
		return 0, malformed("error message of %d bytes", len(m.bytes))
	}
	n := int32(binary.NativeEndian.Uint32(body))
	if n > 0 || n == math.MinInt32 {
		return 0, malformed("error number %d", n)
	}
	return unix.Errno(-n), nil
}
