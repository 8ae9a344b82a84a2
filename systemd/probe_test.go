// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system || packages

package systemd_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sort"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	// probeArgument makes the test's binary try what a taken-over daemon would.
	probeArgument = "nuconntrack-probe"
	probePath     = "/usr/lib/nuconntrack-probe"
	probeDone     = "all attempts made"
)

// attempts are what a daemon in the hands of an attacker may try; each has to fail. What
// the daemons forbid themselves comes on top: the probe has the fences of the unit alone.
func attempts() map[string]func() error {
	open := func(domain, kind, protocol int) func() error {
		return func() error {
			_, err := unix.Socket(domain, kind, protocol)
			return err
		}
	}
	dial := func(network, address string) func() error {
		return func() error {
			_, err := net.Dial(network, address)
			return err
		}
	}
	write := func(path string) func() error {
		return func() error { return os.WriteFile(path, nil, 0o600) }
	}
	read := func(path string) func() error {
		return func() error {
			_, err := os.ReadFile(path)
			return err
		}
	}
	return map[string]func() error{
		"call itself":            dial("tcp", port),
		"call out":               dial("tcp", "192.0.2.77:80"),
		"send out":               dial("udp", "192.0.2.77:53"),
		"socket of IPv6":         open(unix.AF_INET6, unix.SOCK_STREAM, 0),
		"raw socket":             open(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP),
		"packet socket":          open(unix.AF_PACKET, unix.SOCK_RAW, 0),
		"vsock":                  open(unix.AF_VSOCK, unix.SOCK_STREAM, 0),
		"read shadow":            read("/etc/shadow"),
		"see process 1":          read("/proc/1/status"),
		"write policy":           write("/etc/nuconntrack/policy.toml"),
		"write password file":    write("/etc/nuconntrack/passwd"),
		"write configuration":    write("/etc/nuconntrack/new"),
		"write to /run":          write("/run/new"),
		"write to /usr":          write("/usr/new"),
		"write to /var":          write("/var/tmp/../new"),
		"write a sysctl":         write("/proc/sys/net/netfilter/nf_conntrack_acct"),
		"become root":            func() error { return unix.Setuid(0) },
		"new user namespace":     func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
		"new network namespace":  func() error { return unix.Unshare(unix.CLONE_NEWNET) },
		"mount":                  func() error { return unix.Mount("tmpfs", "/tmp", "tmpfs", 0, "") },
		"trace":                  func() error { return unix.PtraceAttach(os.Getppid()) },
		"load a module":          func() error { return unix.FinitModule(0, "", 0) },
		"kernel's keys":          func() error { _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, true); return err },
		"performance counters":   func() error { _, err := unix.PerfEventOpen(&unix.PerfEventAttr{}, 0, -1, -1, 0); return err },
		"memory to execute":      executable,
		"set the clock":          func() error { return unix.ClockSettime(unix.CLOCK_REALTIME, &unix.Timespec{}) },
		"set the host's name":    func() error { return unix.Sethostname([]byte("x")) },
		"make a set-uid program": func() error { return errors.Join(write("/tmp/suid")(), os.Chmod("/tmp/suid", 0o755|os.ModeSetuid)) },
	}
}

func executable() error {
	_, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	return err
}

// probe makes one attempt, or starts itself for each: a filter for system calls ends the
// process that makes the call.
func probe(args []string) int {
	if len(args) == 1 {
		if err := attempts()[args[0]](); err != nil {
			fmt.Println("failed:", err)
			return 0
		}
		fmt.Println("SUCCEEDED")
		return 0
	}
	var names []string
	for name := range attempts() {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		out, err := exec.Command(probePath, probeArgument, name).CombinedOutput()
		said := strings.TrimSpace(string(out))
		var exit *exec.ExitError
		switch {
		case err == nil:
		case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == unix.SIGSYS:
			said = "failed: killed by the filter"
		default:
			said = "BROKEN: " + err.Error() + " " + said
		}
		fmt.Printf("attempt %q %s\n", name, said)
	}
	fmt.Println(probeDone)
	return 0
}

// testFences runs the probe in the place of each daemon.
func testFences(t *testing.T, m *machine) {
	for unit, may := range map[string]string{frontd: "AF_UNIX", privd: "AF_NETLINK AF_UNIX"} {
		t.Run(unit, func(t *testing.T) {
			m.dropIn(t, unit, "Type=exec\nRestart=no\nWatchdogSec=0\nStandardOutput=journal\nSyslogIdentifier=probe-"+unit+
				"\nExecStart=\nExecStart="+probePath+" "+probeArgument+"\n")
			m.do(t, "systemctl", "restart", unit+".service")
			var said string
			wait(t, "the probe's end", func() bool {
				m.do(t, "journalctl", "--sync")
				said = m.do(t, "journalctl", "--no-pager", "--output=cat", "--identifier=probe-"+unit)
				return strings.Contains(said, probeDone)
			})
			// Nothing may start it again for a caller that waits.
			m.do(t, "systemctl", "stop", unit+".socket", unit+".service")
			t.Cleanup(func() { m.do(t, "systemctl", "start", unit+".socket") })
			said, _, _ = strings.Cut(said, probeDone) // who waits at the socket has it started again
			if n := strings.Count(said, " failed: "); n != len(attempts()) {
				t.Errorf("%d of %d attempts failed\n%s", n, len(attempts()), said)
			}
			if got := m.show(t, unit+".service", "RestrictAddressFamilies"); got != may {
				t.Errorf("may open sockets of %q, want %q", got, may)
			}
		})
	}
}
