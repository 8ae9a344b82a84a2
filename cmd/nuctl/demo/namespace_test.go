// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"
)

// inNamespace runs this test's program with the argument in namespaces like the demo's.
func inNamespace(t *testing.T, flags uintptr, args ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | flags,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func TestTrafficOfAllKinds(t *testing.T) {
	if output, err := inNamespace(t, syscall.CLONE_NEWNET|syscall.CLONE_NEWPID|syscall.CLONE_NEWNS, "probe"); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

// kinds are what a user must be able to see in the demo.
var kinds = []struct {
	name  string
	match func(f conntrack.Flow) bool
}{
	{"TCP over IPv4, answered", func(f conntrack.Flow) bool { return is(f, unix.IPPROTO_TCP, false) && f.Status.SeenReply() }},
	{"TCP over IPv6, answered", func(f conntrack.Flow) bool { return is(f, unix.IPPROTO_TCP, true) && f.Status.SeenReply() }},
	{"UDP over IPv4, answered", func(f conntrack.Flow) bool { return is(f, unix.IPPROTO_UDP, false) && f.Status.SeenReply() }},
	{"UDP over IPv6, answered", func(f conntrack.Flow) bool { return is(f, unix.IPPROTO_UDP, true) && f.Status.SeenReply() }},
	{"ICMP, answered", func(f conntrack.Flow) bool { return is(f, unix.IPPROTO_ICMP, false) && f.Status.SeenReply() }},
	{"ICMPv6, answered", func(f conntrack.Flow) bool { return is(f, unix.IPPROTO_ICMPV6, true) && f.Status.SeenReply() }},
	{"source NAT, answered", func(f conntrack.Flow) bool { return f.Status.SrcNAT() && f.Status.SeenReply() }},
	{"destination NAT, answered", func(f conntrack.Flow) bool {
		return f.Status.DstNAT() && f.Status.SeenReply() && is(f, unix.IPPROTO_TCP, false)
	}},
	{"destination NAT of IPv6, answered", func(f conntrack.Flow) bool {
		return f.Status.DstNAT() && f.Status.SeenReply() && is(f, unix.IPPROTO_TCP, true)
	}},
	{"destination NAT of UDP, answered", func(f conntrack.Flow) bool {
		return f.Status.DstNAT() && f.Status.SeenReply() && is(f, unix.IPPROTO_UDP, false)
	}},
	{"protected ssh", func(f conntrack.Flow) bool { return f.TupleOrig.Proto.DestinationPort == 22 && f.Status.Assured() }},
	{"ended TCP", func(f conntrack.Flow) bool {
		return f.ProtoInfo.TCP != nil && f.ProtoInfo.TCP.State == 7 // TIME_WAIT
	}},
	{"counted", func(f conntrack.Flow) bool { return f.CountersReply.Bytes > 1000 }},
	{"with its start time", func(f conntrack.Flow) bool { return !f.Timestamp.Start.IsZero() }},
}

func is(f conntrack.Flow, protocol uint8, ipv6 bool) bool {
	return f.TupleOrig.Proto.Protocol == protocol && f.TupleOrig.IP.SourceAddress.Is6() == ipv6
}

// probe runs in a namespace: network, rules, traffic, and what the kernel says about it.
func probe() error {
	var notes bytes.Buffer
	ipv6, err := prepare(json.NewEncoder(&notes))
	if err != nil || !ipv6 || notes.Len() > 0 {
		return fmt.Errorf("prepare: IPv6 %v, notes %q, error %w", ipv6, notes.String(), err)
	}
	if _, err := prepare(json.NewEncoder(io.Discard)); err == nil {
		return errors.New("a network that is in use was set up again")
	}
	traffic := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { traffic <- runTraffic(ctx, ipv6) }()
	conn, err := conntrack.Dial(nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := watchTable(conn, traffic); err != nil {
		return err
	}
	if err := killForGood(conn); err != nil {
		return err
	}
	cancel()
	select {
	case err := <-traffic:
		return err
	case <-time.After(patience):
		return errors.New("traffic does not end")
	}
}

// watchTable reads the kernel's table until every kind was seen, and many at a time.
func watchTable(conn *conntrack.Conn, traffic <-chan error) error {
	missing := kinds
	most := 0
	deadline := time.After(patience)
	for len(missing) > 0 || most < 40 {
		flows, err := conn.Dump(nil)
		if err != nil {
			return err
		}
		most = max(most, len(flows))
		left := missing[:0:0]
		for _, kind := range missing {
			found := false
			for _, f := range flows {
				found = found || kind.match(f)
			}
			if !found {
				left = append(left, kind)
			}
		}
		missing = left
		select {
		case err := <-traffic:
			return fmt.Errorf("traffic ended: %w", err)
		case <-deadline:
			for _, kind := range missing {
				err = errors.Join(err, fmt.Errorf("not seen: %s", kind.name))
			}
			return errors.Join(err, fmt.Errorf("%d connections at most, want about a hundred", most))
		case <-time.After(100 * time.Millisecond): // between two polls
		}
	}
	if most > 300 {
		return fmt.Errorf("%d connections, want about a hundred", most)
	}
	return nil
}

// killForGood deletes all established TCP connections, NATed ones included, and looks for
// them while their ends go on trying, three times the time between two packets.
func killForGood(conn *conntrack.Conn) error {
	var flows []conntrack.Flow
	for deadline := time.Now().Add(patience); len(flows) < 30; {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d established connections, want the steady ones", len(flows))
		}
		all, err := conn.Dump(nil)
		if err != nil {
			return err
		}
		flows = slices.DeleteFunc(all, func(f conntrack.Flow) bool {
			return f.ProtoInfo.TCP == nil || f.ProtoInfo.TCP.State != 3 || !f.Status.Assured() // ESTABLISHED
		})
	}
	killed := map[string]bool{}
	for _, f := range flows {
		if err := conn.Delete(f); err != nil {
			continue // it was a short one
		}
		killed[f.TupleOrig.String()] = true
	}
	if len(killed) < 20 {
		return fmt.Errorf("%d connections killed, want the steady ones", len(killed))
	}
	for end := time.Now().Add(3 * tcpTick); time.Now().Before(end); time.Sleep(tcpTick / 10) {
		flows, err := conn.Dump(nil)
		if err != nil {
			return err
		}
		for _, f := range flows {
			if killed[f.TupleOrig.String()] {
				return fmt.Errorf("a killed connection is back: %s", f.TupleOrig)
			}
		}
	}
	return nil
}

func TestForbiddenByTheKernel(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	output, err := inNamespace(t, 0, "forbid", "--dir", dir, "--bin-dir", binDir(t), "--listen", "127.0.0.1:0")
	if err == nil {
		t.Errorf("no error")
	}
	for _, want := range []string{"user namespaces are not permitted here", "user.max_user_namespaces is 0",
		"sudo sysctl user.max_user_namespaces=", "sudo make run-host"} {
		if !strings.Contains(output, want) {
			t.Errorf("output does not say %q:\n%s", want, output)
		}
	}
	if _, err := os.Lstat(dir); !os.IsNotExist(err) {
		t.Errorf("folder at the end: %v", err)
	}
}

// forbid forbids further namespaces in the own one, and starts the demo there.
func forbid() error {
	if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
		return err
	}
	return syscall.Exec(ownExecutable, append([]string{"nuctl", "demo"}, os.Args[2:]...), os.Environ())
}

func TestForbiddenError(t *testing.T) {
	for _, test := range []struct {
		name   string
		files  map[string]string
		want   []string
		unsaid []string
	}{
		{"Debian's switch", map[string]string{"kernel/unprivileged_userns_clone": "0\n"},
			[]string{"kernel.unprivileged_userns_clone=1"}, []string{"container", "AppArmor"}},
		{"Ubuntu's AppArmor", map[string]string{"kernel/apparmor_restrict_unprivileged_userns": "1\n"},
			[]string{"kernel.apparmor_restrict_unprivileged_userns=0"}, []string{"container", "Debian"}},
		{"no network namespaces", map[string]string{"user/max_net_namespaces": "0\n"},
			[]string{"user.max_net_namespaces=10000"}, []string{"container"}},
		{"nothing known", map[string]string{"user/max_user_namespaces": "96365\n", "kernel/apparmor_restrict_unprivileged_userns": "0\n"},
			[]string{"container"}, []string{"sysctl"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sys := fstest.MapFS{}
			for name, value := range test.files {
				sys[name] = &fstest.MapFile{Data: []byte(value)}
			}
			err := forbiddenError(sys, syscall.EPERM)
			if !errors.Is(err, errForbidden) || !errors.Is(err, syscall.EPERM) {
				t.Errorf("error is %v", err)
			}
			for _, want := range append(test.want, "sudo make run-host") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("does not say %q:\n%v", want, err)
				}
			}
			for _, no := range test.unsaid {
				if strings.Contains(err.Error(), no) {
					t.Errorf("says %q:\n%v", no, err)
				}
			}
		})
	}
}
