// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/frontd/table/store"
	"nuconntrack/privd/nstest"
)

// pairs is how often what is compared is measured, each time beside a raw dump.
const (
	pairs = 15
	// fewPairs is enough for what takes many times as long.
	fewPairs = 5
	views    = 200 // calls of each kind of view

	narrowView = "CIDR and port, by rate"
)

// say prints a line of the report.
func say(format string, args ...any) { fmt.Fprintf(os.Stdout, format+"\n", args...) }

func TestBench(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		nstest.Sysctl(t, "nf_conntrack_acct", "1")
		nstest.Sysctl(t, "nf_conntrack_timestamp", "1")
		nstest.Sysctl(t, "nf_conntrack_udp_timeout", "3600")
		nstest.Track(t)
		w := start(t)
		have := 0
		var costs []cost
		for _, n := range wantedSizes(t) {
			fill(t, have, n-have)
			have = n
			say("\n%d connections", n)
			c := cost{n: n}
			c.raw, c.ours = compareReaders(t, w, n)
			c.narrow = measureViews(t, w)
			c.memory = atRest(t, w.Frontd)
			costs = append(costs, c)
			say("  memory: frontd %s anonymous (budget at rest %s), at most %s with its files; privd %s anonymous, at most %s with its files",
				mega(c.memory), mega(int64(30<<20+200*n)), mega(peak(t, w.Frontd)), mega(anonymous(t, w.Privd)), mega(peak(t, w.Privd)))
		}
		sayCosts(costs)
		measureKill(t, w, have)
		measureKillJournal(t, have)
	})
}

// atRest is the memory that a process keeps once it has given back what it no longer needs,
// which takes it some seconds: the least of a while.
func atRest(t *testing.T, p *daemontest.Process) int64 {
	const while = 15 * time.Second
	least := anonymous(t, p)
	poll := time.NewTicker(time.Second)
	defer poll.Stop()
	for end := time.Now().Add(while); time.Now().Before(end); <-poll.C {
		least = min(least, anonymous(t, p))
	}
	return least
}

func TestSmallCalls(t *testing.T) {
	nstest.Run(t, func(t *testing.T) {
		w := start(t)
		fill(t, 0, 1000)
		measureCalls(t, w)
	})
}

// cost is what a table of a size costs.
type cost struct {
	n         int
	raw, ours time.Duration // to read it
	narrow    time.Duration // a view by CIDR and port
	memory    int64         // of frontd
}

// differentRates counts those of the first page of them.
func differentRates(t *testing.T, w *world) int {
	page := w.call(t, "view", map[string]any{}, "byte_rate", "DESC", 0, 5000, map[string]any{"fields": []any{"byte_rate"}})
	seen := make(map[any]bool)
	for _, row := range page.(map[string]any)["table"].([]any) {
		seen[row.(map[string]any)["byte_rate"]] = true
	}
	return len(seen)
}

// sayCosts says how costs grow with the table.
func sayCosts(costs []cost) {
	say("\ncost against table size")
	each := func(d time.Duration, n int) float64 { return float64(d) / float64(n) }
	for _, c := range costs {
		say("  %8d connections: raw dump %4.0f ns each, ours %4.0f ns each; a view by CIDR and port %5.1f ns each; frontd %5.0f bytes each",
			c.n, each(c.raw, c.n), each(c.ours, c.n), each(c.narrow, c.n), float64(c.memory)/float64(c.n))
	}
}

// compareReaders reads the table in every way, each beside a raw dump. It gives the medians
// of the raw dump and of ours.
func compareReaders(t *testing.T, w *world, n int) (rawTime, ourTime time.Duration) {
	names := []string{childOurs, conntrackList, childVish, childTimo}
	if _, err := exec.LookPath("conntrack"); err != nil {
		names = slices.Delete(names, 1, 2)
		say("  conntrack(8) is not there")
	}
	var rawMost int64
	for _, name := range names {
		count := pairs
		if name != childOurs && n > 500000 {
			count = fewPairs
		}
		var ratios []float64
		var raws, spents []time.Duration
		var most int64
		for range count {
			raw, rawMemory := once(t, childRaw, w.Path("privd.sock"))
			rawMost = max(rawMost, rawMemory)
			spent, memory := once(t, name, w.Path("privd.sock"))
			raws, spents = append(raws, raw), append(spents, spent)
			ratios = append(ratios, float64(spent)/float64(raw))
			most = max(most, memory)
		}
		slices.Sort(ratios)
		say("  %-12s %5.2f x the raw dump (%.2f to %.2f; median %s, raw %s), at most %s of memory",
			name, median(ratios), ratios[0], ratios[len(ratios)-1], short(median(sorted(spents))), short(median(sorted(raws))), mega(most))
		if name == childOurs {
			rawTime, ourTime = median(raws), median(spents)
		}
	}
	say("  %-12s at most %s of memory, most of it that of the program that measures", "raw dump", mega(rawMost))
	return rawTime, ourTime
}

// measureViews measures the kinds of view. It gives the median of the one by CIDR and port.
func measureViews(t *testing.T, w *world) (narrow time.Duration) {
	w.call(t, "set_autorefresh", 0)
	defer w.call(t, "set_autorefresh", 1)
	// Rates come of two readings, with some time and traffic between.
	w.call(t, "refresh")
	w.call(t, "view", map[string]any{}, "id", "ASC", 0, 0)
	talk(t)
	time.Sleep(2 * store.MinRateSpan)
	w.call(t, "refresh")
	if rates := differentRates(t, w); rates < 2 {
		t.Errorf("%d different rates are no measure of sorting by them", rates)
	}
	total := int(w.call(t, "view", map[string]any{}, "id", "ASC", 0, 0).(map[string]any)["total"].(int64))
	none := map[string]any{}
	for _, v := range []struct {
		name string
		args func(i int) []any
	}{
		{"first page, unfiltered", func(int) []any { return []any{none, "orig_src", "ASC", 0, 30} }},
		{"sorted by rate", func(int) []any { return []any{none, "byte_rate", "DESC", 0, 30} }},
		{"all but one port, by rate", func(i int) []any {
			return []any{map[string]any{"orig_port_src": fmt.Sprintf("!%d", 10000+i)}, "byte_rate", "DESC", 0, 30}
		}},
		{narrowView, func(i int) []any {
			return []any{map[string]any{"orig_src": "10.0.0.0/20", "port": 10000 + i}, "byte_rate", "DESC", 0, 30}
		}},
		{"expression, by rate", func(i int) []any {
			return []any{map[string]any{"expr": fmt.Sprintf("proto tcp and src 10.0.0.0/16 and dport 80,443 and not sport %d", 10000+i)}, "byte_rate", "DESC", 0, 30}
		}},
		{"any start offset", func(i int) []any { return []any{none, "timeout", "DESC", i * 7919 % max(1, total-30), 30} }},
		{"totals only", func(i int) []any {
			return []any{map[string]any{"orig_port_src": fmt.Sprintf(">%d", 20000+i)}, "id", "ASC", 0, 0}
		}},
		{"5,000 rows", func(i int) []any { return []any{none, "id", "ASC", i * 5000 % max(1, total-5000), 5000} }},
	} {
		var spent []time.Duration
		for i := range views {
			body := w.document(t, "view", v.args(i)...)
			began := time.Now()
			w.post(t, body)
			spent = append(spent, time.Since(began))
		}
		spent = sorted(spent)
		// What is asked again is known already: the slowest is the one that was asked first.
		say("  view, %-26s median %8s, 99th percentile %8s, slowest %8s",
			v.name+":", short(median(spent)), short(spent[len(spent)*99/100]), short(spent[len(spent)-1]))
		if v.name == narrowView {
			narrow = median(spent)
		}
	}
	return narrow
}

func sorted(d []time.Duration) []time.Duration {
	slices.Sort(d)
	return d
}

func medianOf(ratios []float64) float64 {
	slices.Sort(ratios)
	return median(ratios)
}

func median[T any](sorted []T) T { return sorted[len(sorted)/2] }

func mega(b int64) string { return fmt.Sprintf("%.0f MB", float64(b)/(1<<20)) }

func short(d time.Duration) string { return d.Round(max(d/1000, time.Microsecond)).String() }
