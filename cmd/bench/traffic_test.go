// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// talking is how many connections have traffic, each as much as no other. ctnetlink cannot
// set counters, so that those of all others are zero.
const (
	talking  = 5000
	talkPort = 20000 // and those behind it; nobody listens there
)

// talk sends a datagram on each of these connections; the first time that makes them.
func talk(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	home := netip.MustParseAddr("127.0.0.1").As4()
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: talkPort - 1, Addr: home}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1+talking)
	for i := range talking {
		to := &unix.SockaddrInet4{Port: talkPort + i, Addr: home}
		if err := unix.Sendto(fd, b[:1+i], 0, to); err != nil && err != unix.ECONNREFUSED {
			t.Fatal(err)
		}
	}
}
