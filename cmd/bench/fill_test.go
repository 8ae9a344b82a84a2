// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/netfilter"
	"golang.org/x/sys/unix"
)

// What stands in the template for what differs between connections.
var (
	sourceMark = []byte{10, 211, 212, 213}
	portMark   = []byte{0xab, 0xcd}
)

// fill creates n TCP connections, established and assured, to one server, some thousand a
// message to the kernel and without asking for acknowledgements, from number first on.
func fill(t *testing.T, first, n int) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	before := readNumber(t, "/proc/sys/net/netfilter/nf_conntrack_count")
	message := template(t)
	sources, ports := places(message, sourceMark), places(message, portMark)
	if len(sources) != 2 || len(ports) != 2 {
		t.Fatalf("the template names its source at %v, its port at %v", sources, ports)
	}
	const perSend = 128
	batch := make([]byte, 0, perSend*len(message))
	for i := first; i < first+n; i++ {
		at := len(batch)
		batch = append(batch, message...)
		for _, p := range sources {
			binary.BigEndian.PutUint32(batch[at+p:], 10<<24|uint32(i/50000)<<8|1)
		}
		for _, p := range ports {
			binary.BigEndian.PutUint16(batch[at+p:], uint16(10000+i%50000))
		}
		if len(batch) == cap(batch) || i == first+n-1 {
			if err := unix.Sendto(fd, batch, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
				t.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	if now := readNumber(t, "/proc/sys/net/netfilter/nf_conntrack_count"); now-before < n {
		t.Fatalf("%d connections came of %d", now-before, n)
	}
}

// template is the message that creates one; the numbers are those of
// nfnetlink_conntrack.h.
func template(t *testing.T) []byte {
	nest := func(typ uint16, children ...netfilter.Attribute) netfilter.Attribute {
		return netfilter.Attribute{Type: typ, Nested: true, Children: children}
	}
	data := func(typ uint16, b ...byte) netfilter.Attribute { return netfilter.Attribute{Type: typ, Data: b} }
	server := []byte{192, 0, 2, 1}
	m, err := netfilter.MarshalNetlink(netfilter.Header{
		SubsystemID: netfilter.NFSubsysCTNetlink,
		Flags:       netlink.Request | netlink.Create,
		Family:      unix.AF_INET,
	}, []netfilter.Attribute{
		nest(1, nest(1, data(1, sourceMark...), data(2, server...)), nest(2, data(1, 6), data(2, portMark...), data(3, 1, 187))),
		nest(2, nest(1, data(1, server...), data(2, sourceMark...)), nest(2, data(1, 6), data(2, 1, 187), data(3, portMark...))),
		data(7, netfilter.Uint32Bytes(3600)...),
		data(3, netfilter.Uint32Bytes(0xe)...), // confirmed, seen reply, assured
		data(8, netfilter.Uint32Bytes(7)...),
		nest(4, nest(1, data(1, 3))),
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Header.Length = uint32(16 + len(m.Data))
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func places(b, mark []byte) (all []int) {
	for at := 0; ; {
		i := bytes.Index(b[at:], mark)
		if i < 0 {
			return all
		}
		all = append(all, at+i)
		at += i + len(mark)
	}
}
