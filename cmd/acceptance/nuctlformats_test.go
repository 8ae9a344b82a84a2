// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// everyKind fills the kernel's table with what it can hold: entries of all kinds, and
// connections with counters, one with translated addresses.
func everyKind(t *testing.T) {
	t.Helper()
	nstest.Sysctl(t, "nf_conntrack_acct", "1")
	nstest.Sysctl(t, "nf_conntrack_timestamp", "1")
	const seenReply, assured = 1 << 1, 1 << 2 // IPS_SEEN_REPLY, IPS_ASSURED
	for i, made := range madeConnections() {
		made.connection.Status |= []uint32{0, seenReply, seenReply | assured, assured}[i%4]
		made.connection.Timeout = 5000
		nstest.Create(t, made.connection)
	}
	track(t)
	nstest.Redirect(t, unix.IPPROTO_TCP, 5002, 5001)
	serveTCP(t, "127.0.0.1:5001")
	askTCP(t, "127.0.0.1:5001")
	askTCP(t, "127.0.0.1:5002")
	serveUDP(t, "127.0.0.1:5003")
	ask(t, "udp", "127.0.0.1:5003", []byte("question"))
}

// conntrackLines is what conntrack(8) lists in a format, in the same order each time.
func conntrackLines(t *testing.T, format string) []string {
	t.Helper()
	out, err := exec.Command("conntrack", "-L", "-o", format).Output()
	if err != nil {
		t.Fatalf("conntrack: %v", err)
	}
	return sorted(string(out))
}

// moving is what differs between two listings of the same: the time that is left and that
// has passed.
var moving = regexp.MustCompile(`(^-A -t \d+|^(ipv4|ipv6) +\d+ \S+ +\d+ \d+| delta-time=\d+)`)

// sorted gives lines in an order of their own, without what moves.
func sorted(text string) []string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = moving.ReplaceAllStringFunc(line, func(s string) string {
			return s[:strings.LastIndexAny(s, " =")+1] + "N"
		})
	}
	slices.Sort(lines)
	return lines
}

func wantSame(t *testing.T, got, want []string) {
	t.Helper()
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("not there:\n%s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("too much:\n%s", line)
		}
	}
	if len(got) != len(want) || len(want) < 10 {
		t.Errorf("%d lines, want %d, and more than a few", len(got), len(want))
	}
}

// TestNuctlReadsLikeConntrack compares each line with that of the real tool.
func TestNuctlReadsLikeConntrack(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		everyKind(t)
		w := newWorld(t, everything)
		code, out, errs := w.nuctl(t, "list", "-o", "extended")
		wantRun(t, code, 0, out, errs)
		// Of DCCP the kernel tells no ports, which the tool takes for 0.
		ports := regexp.MustCompile(`^(ipv4 +2 dccp .*?) sport=0 dport=0(.*?) sport=0 dport=0`)
		want := conntrackLines(t, "extended")
		for i := range want {
			want[i] = ports.ReplaceAllString(want[i], "$1$2")
		}
		wantSame(t, sorted(out), want)
	})
}

// TestNuctlSavesForConntrack loads what nuctl saved into another namespace with the real
// tool, and wants everything to be there but what that tool cannot load.
func TestNuctlSavesForConntrack(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		everyKind(t)
		w := newWorld(t, everything)
		code, out, errs := w.nuctl(t, "list", "-o", "save")
		wantRun(t, code, 0, out, errs, "1 connection left out: DCCP", "2 connections left out: SCTP")

		// As the tool itself saves them, which forgets marks.
		mark := regexp.MustCompile(` -m \d+`)
		unsaved := regexp.MustCompile(` -p (sctp|dccp)`)
		own := slices.DeleteFunc(conntrackLines(t, "save"), unsaved.MatchString)
		wantSame(t, sorted(mark.ReplaceAllString(out, "")), own)

		file := w.Path("saved")
		if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("unshare", "-n", "sh", "-ec", `conntrack --load-file "$0"; conntrack -L -o extended`, file)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		loaded, err := cmd.Output()
		if err != nil {
			t.Fatalf("load: %v\n%s", err, &stderr)
		}
		// What a table counts begins anew with its entries.
		counted := regexp.MustCompile(` packets=\d+ bytes=\d+| delta-time=\w+| use=\d+`)
		unlisted := regexp.MustCompile(`^\S+ +\d+ (sctp|dccp)`)
		want := slices.DeleteFunc(conntrackLines(t, "extended"), unlisted.MatchString)
		for i := range want {
			want[i] = counted.ReplaceAllString(want[i], "")
		}
		wantSame(t, sorted(counted.ReplaceAllString(string(loaded), "")), want)
	})
}
