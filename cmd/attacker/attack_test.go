// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"
	"nuconntrack/privd"
)

// What the helper may take, whatever is done to it.
const (
	maxAnonymous = 12 << 10 // KiB, the design's budget
	maxGrowth    = 3 << 10  // KiB, once it has seen all there is
	maxThreads   = 40
	maxOpen      = privd.DefaultConnections + 2 // descriptors more than at rest: one to be turned away, one of netlink
	maxLogLine   = 1 << 10                      // bytes, on average
)

// logLines is how much the helper may log in a time, beside the audit: what it says when
// it starts, a burst of warnings, and one every five seconds.
func logLines(d time.Duration) int { return 40 + int(d.Seconds()/5) }

// TestTakenOverFrontd is all that an attacker can do with frontd's uid, at once.
func TestTakenOverFrontd(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		packets, chance := number(t, packetsVariable, defaultPackets), seed(t)
		const rate, burst = 1_000_000, 1_000_000 // the bucket's own test is another one
		s := newScene(t, rand.New(rand.NewPCG(chance, 1<<32)), int(min(max(packets/20, 1000), 50_000)))
		h := startHelper(t, fmt.Sprintf(rules, rate, burst, 1.0), os.Getuid(), 0)
		rest := h.usage().files
		h.honest(t, s)

		siege, stop := newSiege(t, h, s), h.watch()
		// What it takes when it has seen everything is what it may take from then on.
		siege.run(chance, packets/5, assaults())
		before := h.settled(t, rest)
		wait := siege.slow(chance+1, packets)
		siege.run(chance+1, packets, assaults())
		wait()
		most := stop()
		h.honest(t, s)
		after := h.settled(t, rest)
		h.stop()

		t.Logf("the helper took %s before, %s after, at most %s", before, after, most)
		wantFlat(t, before, after, most, rest)
		h.wantQuiet(t)
		h.ledger.closed(t)
		siege.report(h.ledger)
		s.compare(t, h.ledger)
		if h.ledger.outcomes["killed"] < 100 || h.ledger.outcomes["changed"] < 100 || h.ledger.outcomes["protected"] < 100 {
			t.Errorf("the attack reached too little: %v", h.ledger.outcomes)
		}
	})
}

// honest is a client as frontd should be: it gets statistics, a whole dump, a change and
// a kill of one of the connections that are there for it.
func (h *helper) honest(t testing.TB, s *scene) {
	t.Helper()
	c := h.client(t)
	defer c.Close()
	if stats, err := c.Stats(t.Context()); err != nil || stats.Known&ipc.StatCount == 0 {
		t.Errorf("stats: %+v, %v", stats, err)
	}
	var bytes uint64
	end, err := c.Dump(t.Context(), func(data []byte) error {
		bytes += uint64(len(data))
		return nil
	})
	if err != nil || end.Errno != 0 || end.Bytes != bytes || bytes == 0 {
		t.Errorf("dump: %+v, %d bytes, %v", end, bytes, err)
	}
	mine := s.of[reserve][0]
	s.of[reserve] = s.of[reserve][1:]
	mine.askedKill.Store(true)
	mine.askedMark.Store(true)
	by := ipc.Actor{RequestID: uint64(mine.target.ID), User: "alice", Client: "203.0.113.9:1234"}
	h.try(t, ipc.Changed, func() (ipc.Result, error) {
		return c.Change(t.Context(), mine.target, by, ipc.Change{Field: ipc.FieldMark, Value: 1, Mask: 1})
	})
	h.try(t, ipc.Killed, func() (ipc.Result, error) { return c.Kill(t.Context(), mine.target, by) })
}

// try asks until the bucket has something left.
func (h *helper) try(t testing.TB, want ipc.Outcome, ask func() (ipc.Result, error)) {
	t.Helper()
	var r ipc.Result
	var err error
	daemontest.WaitFor(t, "the helper does what it is asked for", func() bool {
		r, err = ask()
		return err != nil || r.Outcome != ipc.Limited
	})
	if err != nil || r.Outcome != want {
		t.Errorf("%s, %v, want %s", r.Outcome, err, want)
	}
}

// settled waits until the helper has no more descriptors than files, and gives what it
// takes then.
func (h *helper) settled(t testing.TB, files int) (u usage) {
	t.Helper()
	daemontest.WaitFor(t, fmt.Sprintf("the helper has at most %d descriptors", files), func() bool {
		u = h.usage()
		return u.files > 0 && u.files <= files
	})
	return u
}

func wantFlat(t testing.TB, before, after, most usage, rest int) {
	t.Helper()
	// After a dump that was broken off it is one less: its socket is opened again for the next.
	if after.files > rest || after.files < rest-1 || most.files > rest+maxOpen {
		t.Errorf("descriptors: %d before, %d after, at most %d", rest, after.files, most.files)
	}
	if after.anonymous > before.anonymous+maxGrowth || most.anonymous > maxAnonymous {
		t.Errorf("anonymous memory: %d KiB before, %d after, at most %d", before.anonymous, after.anonymous, most.anonymous)
	}
	if most.threads > maxThreads {
		t.Errorf("%d threads", most.threads)
	}
}

// wantQuiet wants the log to be short, however much there was to complain about.
func (h *helper) wantQuiet(t testing.TB) {
	t.Helper()
	l, ran := h.ledger, time.Since(h.started)
	if l.lines > logLines(ran) || l.bytes > l.lines*maxLogLine {
		t.Errorf("%d lines of log, %d bytes, in %s", l.lines, l.bytes, ran)
	}
	t.Logf("%d lines of log, %d bytes, in %s", l.lines, l.bytes, ran)
}
