// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
)

// processors gives how much of the processors' time each process has had.
func processors(t *testing.T, pids []int) (all []time.Duration) {
	t.Helper()
	for _, pid := range pids {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("process %d has no threads to be seen: %v", pid, err)
		}
		var sum time.Duration
		for _, name := range threads {
			b, err := os.ReadFile(name)
			if err != nil {
				continue // it has ended
			}
			var ran time.Duration // in nanoseconds, as the kernel says (Documentation/scheduler/sched-stats.rst)
			if _, err := fmt.Sscan(string(b), &ran); err != nil {
				t.Fatal(err)
			}
			sum += ran
		}
		all = append(all, sum)
	}
	return all
}

// settled waits until a process does nothing for a while.
func settled(t *testing.T, pid int) {
	t.Helper()
	var last time.Duration
	daemontest.WaitFor(t, "the journal has nothing to do", func() bool {
		before := last
		last = processors(t, []int{pid})[0]
		return last == before
	})
}

// ratios are those of each round.
func ratios(these, those []time.Duration) (all []float64) {
	for i := range these {
		all = append(all, float64(these[i])/float64(those[i]))
	}
	return all
}
