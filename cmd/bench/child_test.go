// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"
	vish "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nuconntrack/frontd/table"
	"nuconntrack/ipc"
)

// Those that are compared, each in a process of its own.
const (
	childRaw  = "raw"
	childOurs = "ours"
	childTimo = "ti-mo"
	childVish = "vishvananda"
)

// socketVariable is where ours finds the helper.
const socketVariable = "NUCONNTRACK_BENCH_SOCKET"

// child reads the table once in its way, and prints how long that took, in nanoseconds, and
// how many connections it saw.
func child(name string) int {
	ways := map[string]func() (int, error){childRaw: readRaw, childOurs: readOurs, childTimo: readTimo, childVish: readVish}
	began := time.Now()
	n, err := ways[name]()
	spent := time.Since(began)
	if err != nil {
		fmt.Fprintln(os.Stderr, name, err)
		return 1
	}
	fmt.Println(spent.Nanoseconds(), n)
	return 0
}

// readRaw receives and discards: what no reader can do without.
func readRaw() (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	m, err := netfilter.MarshalNetlink(netfilter.Header{
		SubsystemID: netfilter.NFSubsysCTNetlink, MessageType: 1, Flags: netlink.Request | netlink.Dump,
	}, nil)
	if err != nil {
		return 0, err
	}
	m.Header.Length = uint32(16 + len(m.Data))
	b, err := m.MarshalBinary()
	if err != nil {
		return 0, err
	}
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	buf := make([]byte, 64<<10)
	for total := 0; ; {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return 0, err
		}
		total += n
		// The end comes as the last message of a packet, or alone.
		if typ := uint16(buf[4]) | uint16(buf[5])<<8; typ == unix.NLMSG_DONE {
			return total, nil
		} else if typ == unix.NLMSG_ERROR {
			return 0, errors.New("the kernel refused")
		}
	}
}

// readOurs is a table read through the helper, ready to be asked.
func readOurs() (int, error) {
	helper := ipc.NewClient(ipc.ClientConfig{Path: os.Getenv(socketVariable)})
	defer helper.Close()
	s, err := table.NewStore(table.StoreConfig{Source: helper}).Fresh(context.Background(), time.Time{})
	if err != nil {
		return 0, err
	}
	return s.Len(), nil
}

func readTimo() (int, error) {
	c, err := conntrack.Dial(nil)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	flows, err := c.Dump(nil)
	return len(flows), err
}

func readVish() (int, error) {
	flows, err := vish.ConntrackTableList(vish.ConntrackTable, vish.InetFamily(unix.AF_INET))
	return len(flows), err
}

// once runs one of them in a process of its own.
func once(t *testing.T, name, socket string) (spent time.Duration, peak int64) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+name, socketVariable+"="+socket)
	if name == "conntrack -L" {
		cmd = exec.Command("conntrack", "-L")
	}
	var out strings.Builder
	if name != "conntrack -L" {
		cmd.Stdout = &out
	}
	began := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	spent = time.Since(began)
	if ns, _, ok := strings.Cut(out.String(), " "); ok {
		n, err := strconv.ParseInt(ns, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		spent = time.Duration(n)
	}
	return spent, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}
