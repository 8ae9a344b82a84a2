// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

const (
	// binVariable tells the processes inside the namespace where the programs are.
	binVariable = "NUCONNTRACK_BENCH_BIN"
	// childVariable makes the test binary one of those that are compared.
	childVariable = "NUCONNTRACK_BENCH_CHILD"
)

// sizes are tables to measure, by number of connections.
var sizes = flag.String("sizes", "10000,100000,1000000", "tables to measure, by number of connections")

func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		os.Exit(child(name))
	}
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv(binVariable) != "" {
		return m.Run() // inside the namespace
	}
	dir, err := os.MkdirTemp("", "nuct-bench-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "build", "-trimpath", "-o", dir+"/", "nuconntrack/cmd/nuconntrack-privd", "nuconntrack/cmd/nuconntrack-frontd")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build programs: %v\n%s", err, out)
		return 1
	}
	os.Setenv(binVariable, dir)
	restore := raiseLimits()
	defer restore()
	// A signal must not leave the machine with other limits than it had.
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		restore()
		os.Exit(1)
	}()
	return m.Run()
}

// wantedSizes are those that the kernel's limit has room for.
func wantedSizes(t *testing.T) (all []int) {
	limit := readNumber(t, "/proc/sys/net/netfilter/nf_conntrack_max")
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		if n+20000 > limit {
			t.Logf("%d connections are left out: nf_conntrack_max is %d, and only root can raise it", n, limit)
			continue
		}
		all = append(all, n)
	}
	return all
}

func readNumber(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// raiseLimits makes room for the largest table, where it may, and gives back how it was.
func raiseLimits() (restore func()) {
	type setting struct{ path, old string }
	var changed []setting
	// The limit on root's namespace is that of all.
	for _, s := range []struct{ path, value string }{
		{"/proc/sys/net/netfilter/nf_conntrack_max", "1200000"},
		{"/sys/module/nf_conntrack/parameters/hashsize", "1048576"},
	} {
		old, err := os.ReadFile(s.path)
		if err != nil {
			continue
		}
		was := strings.TrimSpace(string(old))
		now, _ := strconv.Atoi(was)
		want, _ := strconv.Atoi(s.value)
		if now >= want {
			continue
		}
		if err := os.WriteFile(s.path, []byte(s.value), 0); err != nil {
			fmt.Fprintf(os.Stderr, "%s stays %s: %v\n", s.path, was, err)
			continue
		}
		changed = append(changed, setting{s.path, was})
	}
	return func() {
		// The last first: the size of the table draws the limit with it.
		for i := len(changed) - 1; i >= 0; i-- {
			if err := os.WriteFile(changed[i].path, []byte(changed[i].old), 0); err != nil {
				fmt.Fprintf(os.Stderr, "put %s back to %s: %v\n", changed[i].path, changed[i].old, err)
			}
		}
		changed = nil
	}
}

// bin is the path of a program.
func bin(name string) string { return filepath.Join(os.Getenv(binVariable), name) }
