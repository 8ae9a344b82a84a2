// SPDX-License-Identifier: GPL-2.0-or-later

//go:build bench

package bench

import (
	"os"
	"testing"
	"time"
)

const (
	kills      = 10000 // in one call
	killRounds = 5
)

// measureKill kills 10,000 connections in one call, beside a table of so many.
func measureKill(t *testing.T, w *world, have int) {
	spent := sorted(killAll(t, w, have, nil))
	say("\nkill of %d keys in one call, audit discarded: median %s (%s to %s)",
		kills, short(median(spent)), short(spent[0]), short(spent[len(spent)-1]))
}

// measureKillJournal is the same with a journal, beside the entries alone.
func measureKillJournal(t *testing.T, have int) {
	if os.Getenv(journalVariable) == "" {
		say("\nthe journal is not measured: there is no %s, or it cannot be started", journald)
		return
	}
	w := startWithJournal(t)
	var bare []time.Duration
	spent := killAll(t, w, have, func() {
		took, err := bareEntries(kills)
		if err != nil {
			t.Fatal(err)
		}
		bare = append(bare, took)
	})
	ratio := make([]float64, len(spent))
	for i := range spent {
		ratio[i] = float64(spent[i]) / float64(bare[i])
	}
	bare, spent = sorted(bare), sorted(spent)
	say("kill of %d keys in one call, audit in a journal: median %s (%s to %s); the bare %d entries: %s (%s to %s); ratio %.2f",
		kills, short(median(spent)), short(spent[0]), short(spent[len(spent)-1]),
		2*kills, short(median(bare)), short(bare[0]), short(bare[len(bare)-1]), medianOf(ratio))
	const want = killRounds * kills
	waitFor(t, func() bool { // what was sent last may still be on its way
		n, err := countEntries()
		if err != nil {
			t.Fatal(err)
		}
		return n >= want
	})
	say("the journal has all %d results", want)
}

// killAll gives how long each round took; before is called between them.
func killAll(t *testing.T, w *world, have int, before func()) (spent []time.Duration) {
	for round := range killRounds {
		fill(t, have+round*kills, kills)
		body := w.document(t, "kill", newest(t, w))
		if before != nil {
			before()
		}
		began := time.Now()
		w.post(t, body)
		spent = append(spent, time.Since(began))
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
