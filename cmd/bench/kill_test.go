// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"os"
	"strconv"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
)

const (
	kills      = 10000 // in one call
	killRounds = 5
	killPairs  = pairs // of a kill and its bare entries
)

// measureKill kills 10,000 connections in one call, beside a table of so many.
func measureKill(t *testing.T, w *world, have int) {
	spent := sorted(killAll(t, w, killRounds, have, func([]any) {}, func() {}))
	say("\nkill of %d keys in one call, audit discarded: median %s (%s to %s)",
		kills, short(median(spent)), short(spent[0]), short(spent[len(spent)-1]))
}

// measureKillJournal is the same with a journal, beside the entries alone: each round first
// the one, then the other. The processor's time shows what bounds it: the four processes
// share the machine's processors, and the journal writes on one of them.
func measureKillJournal(t *testing.T, have int) {
	if os.Getenv(journalVariable) == "" {
		say("\nthe journal is not measured: there is no %s, or it cannot be started", journald)
		return
	}
	w := startWithJournal(t)
	journal, err := strconv.Atoi(os.Getenv(journalPidVariable))
	if err != nil {
		t.Fatal(err)
	}
	parts := []int{w.Frontd.PID(), w.Privd.PID(), journal}
	used := make([][]time.Duration, len(parts))
	var before, bare []time.Duration
	spent := killAll(t, w, killPairs, have, func(keys []any) {
		took, err := bareEntries(encoded(t, w, keys))
		if err != nil {
			t.Fatal(err)
		}
		bare = append(bare, took)
		settled(t, journal) // the last ones wait in its queue
		before = processors(t, parts)
	}, func() {
		for i, now := range processors(t, parts) {
			used[i] = append(used[i], now-before[i])
		}
	})
	ratio := medianOf(ratios(spent, bare))
	bare, spent = sorted(bare), sorted(spent)
	say("kill of %d keys in one call, audit in a journal: median %s (%s to %s); the bare %d entries: %s (%s to %s); ratio %.2f",
		kills, short(median(spent)), short(spent[0]), short(spent[len(spent)-1]),
		2*kills, short(median(bare)), short(bare[0]), short(bare[len(bare)-1]), ratio)
	for i, of := range []string{"frontd", "privd", "the journal"} {
		all := sorted(used[i])
		say("  processor time of %s: median %s (%s to %s)", of, short(median(all)), short(all[0]), short(all[len(all)-1]))
	}
	const want = killPairs * kills
	daemontest.WaitFor(t, "the journal has all results", func() bool { // what was sent last may still be on its way
		n, err := countEntries()
		if err != nil {
			t.Fatal(err)
		}
		return n >= want
	})
	say("the journal has all %d results", want)
}

// killAll gives how long each round took; before and after are called around each.
func killAll(t *testing.T, w *world, rounds, have int, before func(keys []any), after func()) (spent []time.Duration) {
	for round := range rounds {
		fill(t, have+round*kills, kills)
		keys := newest(t, w)
		body := w.document(t, "kill", keys)
		before(keys)
		began := time.Now()
		w.post(t, body)
		spent = append(spent, time.Since(began))
		after()
	}
	return spent
}

// newest gives the keys of the connections that fill has made last.
func newest(t *testing.T, w *world) (keys []any) {
	w.call(t, "refresh")
	only := map[string]any{"fields": []any{"key"}}
	for start := 0; start < kills; start += 5000 {
		page := w.call(t, "view", map[string]any{"orig_dst": "192.0.2.1"}, "timeout", "DESC", start, 5000, only).(map[string]any)
		for _, row := range page["table"].([]any) {
			keys = append(keys, row.(map[string]any)["key"])
		}
		w.call(t, "set_autorefresh", 0)
	}
	w.call(t, "set_autorefresh", 1)
	return keys
}
