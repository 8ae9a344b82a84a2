// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// trackingFolder holds the settings of the reader's own network namespace.
const trackingFolder = "/proc/sys/net/netfilter"

// The networks of the demo, all on lo and all reserved: RFC 5737, RFC 3849, RFC 1918. An IPv4
// prefix on lo makes each of its addresses local, an IPv6 one does not: those are given one by one.
var (
	ipv4Networks = []netip.Prefix{
		netip.MustParsePrefix("192.0.2.1/24"),    // offices
		netip.MustParsePrefix("198.51.100.1/24"), // servers
		netip.MustParsePrefix("203.0.113.1/24"),  // the firewall's outer addresses, for NAT
		netip.MustParsePrefix("10.20.0.1/24"),    // guests, who go out by source NAT
	}
	ipv6Hosts = slices.Concat(
		hosts("2001:db8:10::", 0x10, 0x16), // servers
		hosts("2001:db8:20::", 0x10, 0x16), // offices
		hosts("2001:db8:30::", 0x80, 0x80), // outer address
	)
)

// hosts are the addresses of a network whose last byte is from first to last.
func hosts(network string, first, last byte) []netip.Addr {
	base := netip.MustParseAddr(network).AsSlice()
	var list []netip.Addr
	for b := int(first); b <= int(last); b++ {
		base[len(base)-1] = byte(b)
		a, _ := netip.AddrFromSlice(base)
		list = append(list, a)
	}
	return list
}

// setUpNetwork brings up lo with the addresses of the demo. A kernel without IPv6 is no
// error but a note to the user.
func setUpNetwork() (ipv6 bool, notes []string, err error) {
	lo, err := freshLoopback()
	if err != nil {
		return false, nil, err
	}
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return false, nil, fmt.Errorf("set up network: %w", err)
	}
	defer conn.Close()
	if err := execute(conn, unix.RTM_NEWLINK, 0, linkUp(lo.Index)); err != nil {
		return false, nil, fmt.Errorf("bring lo up: %w", err)
	}
	for _, network := range ipv4Networks {
		if err := addAddress(conn, lo.Index, network); err != nil {
			return false, nil, err
		}
	}
	for _, host := range ipv6Hosts {
		if err := addAddress(conn, lo.Index, netip.PrefixFrom(host, 128)); err != nil {
			return false, []string{fmt.Sprintf("no IPv6 here, so none in the demo (%v)", err)}, nil
		}
	}
	return true, nil, nil
}

// freshLoopback finds lo, and refuses a network namespace that is in use: everything that
// follows would do harm there.
func freshLoopback() (net.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return net.Interface{}, fmt.Errorf("list interfaces: %w", err)
	}
	var lo []net.Interface
	for _, i := range all {
		switch {
		case i.Flags&net.FlagUp != 0:
			return net.Interface{}, fmt.Errorf("interface %s is up: this is not a new network namespace", i.Name)
		case i.Flags&net.FlagLoopback != 0:
			lo = append(lo, i)
		}
	}
	if len(lo) != 1 {
		return net.Interface{}, errors.New("no loopback interface in the new network namespace")
	}
	return lo[0], nil
}

func execute(conn *netlink.Conn, kind netlink.HeaderType, flags netlink.HeaderFlags, data []byte) error {
	_, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: kind, Flags: netlink.Request | netlink.Acknowledge | flags},
		Data:   data,
	})
	return err
}

// linkUp is struct ifinfomsg of rtnetlink(7): set IFF_UP.
func linkUp(index int) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	binary.NativeEndian.PutUint32(b[8:], unix.IFF_UP)
	binary.NativeEndian.PutUint32(b[12:], unix.IFF_UP) // which flags are meant
	return b
}

// addAddress sends struct ifaddrmsg of rtnetlink(7) with the address.
func addAddress(conn *netlink.Conn, index int, prefix netip.Prefix) error {
	b := make([]byte, unix.SizeofIfAddrmsg)
	b[0] = unix.AF_INET
	if prefix.Addr().Is6() {
		b[0] = unix.AF_INET6
	}
	b[1] = byte(prefix.Bits())
	b[2] = unix.IFA_F_NODAD // nobody else is there
	b[3] = unix.RT_SCOPE_UNIVERSE
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	attributes, err := netlink.MarshalAttributes([]netlink.Attribute{
		{Type: unix.IFA_LOCAL, Data: prefix.Addr().AsSlice()},
		{Type: unix.IFA_ADDRESS, Data: prefix.Addr().AsSlice()},
	})
	if err != nil {
		return fmt.Errorf("add address %s: %w", prefix, err)
	}
	if err := execute(conn, unix.RTM_NEWADDR, netlink.Create|netlink.Excl, append(b, attributes...)); err != nil {
		return fmt.Errorf("add address %s: %w", prefix, err)
	}
	return nil
}

// setTracking switches on what connections are to have from their start, and shortens the
// memory of ended ones, so that the table stays readable. What cannot be set is a note: the
// settings are read-only in some containers, and on kernels before 4.20 for namespaces of users.
func setTracking(folder string) (notes []string) {
	for _, s := range []struct {
		name, value, without string
	}{
		{"nf_conntrack_acct", "1", "no counters and rates"},
		{"nf_conntrack_timestamp", "1", "no start times"},
		{"nf_conntrack_tcp_timeout_time_wait", "20", "more ended connections than usual"},
		{"nf_conntrack_tcp_timeout_close", "5", "more ended connections than usual"},
	} {
		f, err := os.OpenFile(filepath.Join(folder, s.name), os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString(s.value)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s: %s cannot be set (%v)", s.without, s.name, errnoOf(err)))
		}
	}
	return notes
}

// errnoOf shortens an error to what the kernel said.
func errnoOf(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}
