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
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"github.com/ti-mo/netfilter"
	vish "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"nuconntrack/frontd/table/store"
	"nuconntrack/ipc"
)

// Those that are compared, each in a process of its own.
const (
	childRaw  = "raw"
	childOurs = "ours"
	childTimo = "ti-mo"
	childVish = "vishvananda"

	conntrackList = "conntrack -L"
)

// socketVariable is where ours finds the helper.
const socketVariable = "NUCONNTRACK_BENCH_SOCKET"

// child reads the table once in its way, and prints how long that took, in nanoseconds, and
// the most memory that it had, in bytes.
func child(name string) int {
	ways := map[string]func() (int, error){childRaw: readRaw, childOurs: readOurs, childTimo: readTimo, childVish: readVish}
	began := time.Now()
	_, err := ways[name]()
	spent := time.Since(began)
	var most int64
	if err == nil {
		most, err = readStatus("self", "VmHWM:")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, name, err)
		return 1
	}
	fmt.Println(spent.Nanoseconds(), most)
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
	s, err := store.New(store.Config{Source: helper}).Fresh(context.Background(), time.Time{})
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

// once runs one of them in a process of its own. The memory that wait4 reports is of no use:
// it starts with that of the process that forked.
func once(t *testing.T, name, socket string) (spent time.Duration, peak int64) {
	t.Helper()
	if name == conntrackList {
		return onceConntrack(t)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+name, socketVariable+"="+socket)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var ns int64
	if _, err := fmt.Sscan(string(out), &ns, &peak); err != nil {
		t.Fatalf("%s printed %q: %v", name, out, err)
	}
	return time.Duration(ns), peak
}

// onceConntrack is `conntrack -L >/dev/null`, start of the process included. Its memory is
// looked at while it runs.
func onceConntrack(t *testing.T) (spent time.Duration, peak int64) {
	t.Helper()
	cmd := exec.Command("conntrack", "-L")
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("conntrack -L: %v", err)
			}
			return time.Since(began), peak
		case <-look.C:
			// It may have ended meanwhile, or not have become conntrack yet.
			pid := strconv.Itoa(cmd.Process.Pid)
			if comm, err := os.ReadFile("/proc/" + pid + "/comm"); err == nil && string(comm) == "conntrack\n" {
				most, _ := readStatus(pid, "VmHWM:")
				peak = max(peak, most)
			}
		}
	}
}
