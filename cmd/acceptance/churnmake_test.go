// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"nuconntrack/ipc"
	"nuconntrack/privd/nstest"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

const (
	churnSteady = 600  // connections that stay
	churnAlive  = 900  // of those that come and go
	churnPlaces = 3000 // they come again with the same addresses, each time with another mark
	churnBatch  = 90   // come and go in one message to the kernel
	churnPace   = 10 * time.Millisecond
)

// churned is the connection with a mark. Below churnSteady they stay.
func churned(mark int) nstest.Connection {
	n := mark
	if mark >= churnSteady {
		n = churnSteady + (mark-churnSteady)%churnPlaces
	}
	from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n % 7), byte(n >> 8), byte(n)}), uint16(1024+n))
	to := netip.MustParseAddrPort("192.0.2.1:443")
	protocol := uint8(unix.IPPROTO_TCP)
	kind := n % 6
	switch kind {
	case 1:
		protocol = unix.IPPROTO_UDP
	case 2:
		from = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 14: byte(n >> 8), 15: byte(n)}), uint16(1024+n))
		to = netip.MustParseAddrPort("[2001:db8::ffff:1]:443")
	}
	c := nstest.Connection{Target: nstest.Target(protocol, from.String(), to.String()), Mark: uint32(mark), Timeout: uint32(600 + mark%1000)}
	switch kind {
	case 3:
		c.Target.Orig.Zone, c.Target.Reply.Zone = 5, 5
	case 4:
		c.Target.Orig.Zone = 6
	case 5:
		c.Target.Reply.Dst, c.Target.Reply.DstPort = netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}), uint16(20000+n)
	}
	if mark%2 == 0 {
		const seenReply, assured = 1 << 1, 1 << 2 // IPS_SEEN_REPLY, IPS_ASSURED
		c.Status = seenReply | assured
	}
	return c
}

// churn makes connections and deletes them again, in batches.
type churn struct {
	fd          int
	first, next int // marks of those that come and go: of the oldest, of the next to come
}

func newChurn(t testing.TB) *churn {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	c := &churn{fd: fd, first: churnSteady}
	for c.next < churnSteady+churnAlive {
		if err := c.create(churnBatch); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// alive is how many connections there are.
func (c *churn) alive() int { return churnSteady + c.next - c.first }

// run changes the table until it is told to stop, and leaves it whole. It closes enough when so
// many have come and gone as must, or when it fails.
func (c *churn) run(stop <-chan struct{}, enough chan<- struct{}) error {
	pace := time.NewTicker(churnPace)
	defer pace.Stop()
	tell := sync.OnceFunc(func() { close(enough) })
	defer tell()
	for from := c.next; ; {
		if c.next-from >= churnLeast {
			tell()
		}
		select {
		case <-stop:
			return nil
		case <-pace.C:
		}
		if err := c.create(churnBatch); err != nil {
			return err
		}
		if err := c.remove(churnBatch); err != nil {
			return err
		}
	}
}

func (c *churn) create(n int) error {
	const create = netlink.Request | netlink.Create | netlink.Excl
	err := c.send(0, create, c.next, n) // IPCTNL_MSG_CT_NEW
	c.next += n
	return err
}

func (c *churn) remove(n int) error {
	err := c.send(2, netlink.Request, c.first, n) // IPCTNL_MSG_CT_DELETE
	c.first += n
	return err
}

// send sends a batch. The kernel is done with it when the call returns, and has said by
// then what went wrong.
func (c *churn) send(typ netfilter.MessageType, flags netlink.HeaderFlags, from, n int) error {
	var batch []byte
	for mark := from; mark < from+n; mark++ {
		conn := churned(mark)
		attrs := churnPlace(conn.Target)
		if flags&netlink.Create != 0 {
			attrs = append(attrs, churnValues(conn)...)
		}
		m, err := netfilter.MarshalNetlink(netfilter.Header{
			SubsystemID: netfilter.NFSubsysCTNetlink, MessageType: typ, Flags: flags,
			Family: netfilter.ProtoFamily(conn.Target.Family),
		}, attrs)
		if err != nil {
			return fmt.Errorf("encode connection: %w", err)
		}
		m.Header.Length = uint32(unix.NLMSG_HDRLEN + len(m.Data))
		b, err := m.MarshalBinary()
		if err != nil {
			return fmt.Errorf("encode message: %w", err)
		}
		batch = append(batch, b...)
	}
	if err := unix.Sendto(c.fd, batch, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("send %d messages: %w", n, err)
	}
	answer := make([]byte, 4096)
	got, _, err := unix.Recvfrom(c.fd, answer, 0)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return nil
	case err != nil:
		return fmt.Errorf("receive: %w", err)
	case got < unix.NLMSG_HDRLEN+4:
		return fmt.Errorf("the kernel answers with %d bytes", got)
	}
	refused := syscall.Errno(-int32(binary.NativeEndian.Uint32(answer[unix.NLMSG_HDRLEN:])))
	return fmt.Errorf("message type %d for marks from %d on: %w", typ, from, refused)
}

// churnPlace says which connection it is, with the numbers of enum ctattr_type, ctattr_tuple,
// ctattr_ip and ctattr_l4proto of nfnetlink_conntrack.h.
func churnPlace(t ipc.Target) []netfilter.Attribute {
	nest := func(typ uint16, children ...netfilter.Attribute) netfilter.Attribute {
		return netfilter.Attribute{Type: typ, Nested: true, Children: children}
	}
	number := func(typ, v uint16) netfilter.Attribute {
		return netfilter.Attribute{Type: typ, Data: netfilter.Uint16Bytes(v)}
	}
	side := func(typ uint16, u ipc.Tuple) netfilter.Attribute {
		src := uint16(1)
		if u.Src.Is6() {
			src = 3
		}
		tuple := nest(typ,
			nest(1, netfilter.Attribute{Type: src, Data: u.Src.AsSlice()}, netfilter.Attribute{Type: src + 1, Data: u.Dst.AsSlice()}),
			nest(2, netfilter.Attribute{Type: 1, Data: []byte{t.Protocol}}, number(2, u.SrcPort), number(3, u.DstPort)))
		if u.Zone != 0 && t.Orig.Zone != t.Reply.Zone {
			tuple.Children = append(tuple.Children, number(3, u.Zone))
		}
		return tuple
	}
	attrs := []netfilter.Attribute{side(1, t.Orig), side(2, t.Reply)}
	if t.Orig.Zone == t.Reply.Zone {
		attrs = append(attrs, number(18, t.Orig.Zone))
	}
	return attrs
}

// churnValues is what it has besides.
func churnValues(c nstest.Connection) []netfilter.Attribute {
	const confirmed, established = 1 << 3, 3
	number := func(typ uint16, v uint32) netfilter.Attribute {
		return netfilter.Attribute{Type: typ, Data: netfilter.Uint32Bytes(v)}
	}
	attrs := []netfilter.Attribute{number(3, c.Status|confirmed), number(7, c.Timeout), number(8, c.Mark)}
	if c.Target.Protocol == unix.IPPROTO_TCP {
		state := netfilter.Attribute{Type: 1, Data: []byte{established}}
		tcp := netfilter.Attribute{Type: 1, Nested: true, Children: []netfilter.Attribute{state}}
		attrs = append(attrs, netfilter.Attribute{Type: 4, Nested: true, Children: []netfilter.Attribute{tcp}})
	}
	return attrs
}
