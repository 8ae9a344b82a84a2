// SPDX-License-Identifier: GPL-2.0-or-later

package nstest_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"testing"

	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// outsideVariable holds the network namespace of the process that runs all tests.
const outsideVariable = "NUCONNTRACK_NSTEST_OUTSIDE"

func namespace(t *testing.T) string {
	t.Helper()
	name, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// remember lets the body know where it must not be.
func remember(t *testing.T) {
	t.Helper()
	if os.Getenv(outsideVariable) == "" {
		t.Setenv(outsideVariable, namespace(t))
	}
}

func mustBeInside(t *testing.T) {
	t.Helper()
	if outside := os.Getenv(outsideVariable); outside == "" || outside == namespace(t) {
		t.Fatalf("the body runs in namespace %q, that of the test", outside)
	}
}

func TestRunIsSomewhereElse(t *testing.T) {
	remember(t)
	nstest.Run(t, func(t *testing.T) {
		mustBeInside(t)
		if os.Geteuid() != 0 {
			t.Errorf("uid %d inside, want 0", os.Geteuid())
		}
		interfaces, err := net.Interfaces()
		if err != nil {
			t.Fatal(err)
		}
		up := 0
		for _, i := range interfaces {
			if i.Flags&net.FlagUp != 0 {
				up++
			}
		}
		if up != 1 {
			t.Errorf("%d interfaces are up, want the loopback one", up)
		}
	})
}

func TestRunInASubtest(t *testing.T) {
	t.Run("a name (with spaces)", func(t *testing.T) {
		remember(t)
		nstest.Run(t, mustBeInside)
	})
}

func TestTrafficIsTracked(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		nstest.Track(t)
		nstest.Sysctl(t, "nf_conntrack_acct", "1")
		nstest.Redirect(t, unix.IPPROTO_UDP, 9, 10)
		c, err := net.Dial("udp", "127.0.0.1:9")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		flows := nstest.List(t)
		if len(flows) != 1 {
			t.Fatalf("%d connections, want 1", len(flows))
		}
		f := flows[0]
		if f.TupleOrig.Proto.DestinationPort != 9 || f.TupleReply.Proto.SourcePort != 10 {
			t.Errorf("the connection is not redirected: %+v", f)
		}
		if f.CountersOrig.Packets != 1 {
			t.Errorf("%d packets counted, want 1", f.CountersOrig.Packets)
		}
	})
}

func TestCreatedConnectionIsListed(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{
			Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80"), Mark: 5,
		})
		flows := nstest.List(t)
		if len(flows) != 1 || flows[0].Mark != 5 || flows[0].TupleReply.Proto.SourcePort != 80 {
			t.Errorf("got %+v", flows)
		}
	})
}

func TestCreatedConnectionHasLabels(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		nstest.Label(t)
		nstest.Create(t, nstest.Connection{
			Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "192.0.2.2:80"), Labels: 1<<63 | 1,
		})
		flows := nstest.List(t)
		if len(flows) != 1 {
			t.Fatalf("%d connections, want 1", len(flows))
		}
		want := append(binary.NativeEndian.AppendUint64(nil, 1<<63|1), make([]byte, 8)...)
		if got := flows[0].Labels; !bytes.Equal(got, want) {
			t.Errorf("labels %x, want %x", got, want)
		}
	})
}
