// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	// binVariable tells the processes inside the namespace where the programs are.
	binVariable = "NUCONNTRACK_BENCH_BIN"
	// childVariable makes the test binary one of those that are compared.
	childVariable = "NUCONNTRACK_BENCH_CHILD"
	// sizesVariable tells the processes inside the namespace what the flag says.
	sizesVariable = "NUCONNTRACK_BENCH_SIZES"
)

// sizes are tables to measure, by number of connections.
var sizes = flag.String("sizes", "10000,100000,1000000", "tables to measure, by number of connections")

func TestMain(m *testing.M) {
	switch name := os.Getenv(childVariable); name {
	case "":
	case childRestore:
		os.Exit(restoreLimits())
	default:
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
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build programs: %v\n%s", err, out)
		return 1
	}
	os.Setenv(binVariable, dir)
	os.Setenv(sizesVariable, *sizes)
	restore, err := raiseLimits()
	if err != nil {
		fmt.Fprintf(os.Stderr, "raise limits: %v\n", err)
		return 1
	}
	defer restore()
	return m.Run()
}

// wantedSizes are those that the kernel's limit has room for.
func wantedSizes(t *testing.T) (all []int) {
	limit := readNumber(t, "/proc/sys/net/netfilter/nf_conntrack_max")
	for s := range strings.SplitSeq(os.Getenv(sizesVariable), ",") {
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

// bin is the path of a program.
func bin(name string) string { return filepath.Join(os.Getenv(binVariable), name) }
