// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
)

const (
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
	case childJournald:
		os.Exit(become(becomeJournald))
	case childJournal:
		os.Exit(become(becomeHelper))
	default:
		os.Exit(child(name))
	}
	flag.Parse()
	os.Exit(daemontest.Main(m, daemontest.Setup{Programs: []string{daemontest.Privd, daemontest.Frontd}, Prepare: prepare}))
}

// become makes the process another one, unless that fails.
func become(another func() error) int {
	fmt.Fprintln(os.Stderr, another())
	return 1
}

// prepare is done outside of the namespace, where limits can be raised.
func prepare(dir string) (undo func(), err error) {
	os.Setenv(sizesVariable, *sizes)
	stop, err := startJournald(dir)
	if err != nil {
		fmt.Fprintf(os.Stderr, "start a journal: %v\n", err)
		stop = func() {}
	}
	largest, err := largestSize()
	if err != nil {
		return stop, err
	}
	restore, err := raiseLimits(largest)
	if err != nil {
		return stop, fmt.Errorf("raise limits: %w", err)
	}
	return func() {
		restore()
		stop()
	}, nil
}

// room is what a measurement needs besides the table that it measures.
const room = 20000

func largestSize() (largest int, err error) {
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return 0, fmt.Errorf("flag -sizes: %w", err)
		}
		largest = max(largest, n)
	}
	return largest, nil
}

// wantedSizes are those that the kernel's limit has room for.
func wantedSizes(t *testing.T) (all []int) {
	limit := readNumber(t, "/proc/sys/net/netfilter/nf_conntrack_max")
	for s := range strings.SplitSeq(os.Getenv(sizesVariable), ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		if n+room > limit {
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
