// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/policy"
)

// TestKillGivesUp: what --wait allows is the end of it, and each is told of once.
func TestKillGivesUp(t *testing.T) {
	for name, test := range map[string]struct {
		rate         float64
		burst, n     int
		wait         time.Duration
		killed       int
		spent        time.Duration
		calls        int
		says, saysNo string
	}{
		"sent once":          {10, 20, 10100, 0, 20, 0, 2, "10080 of 10100 connections not killed", "given up"},
		"no rate":            {0, 20, 100, waitTime, 20, 0, 1, "given up after 0s, --wait is 10m0s: too many requests, try again after 4294968 seconds", "interrupted"},
		"no rate, unsent":    {0, 0, 30000, waitTime, 0, 0, 1, "30000 of 30000 connections not killed", "interrupted"},
		"a senseless rate":   {0.001, 1, 2, waitTime, 1, 0, 1, "try again after 1000 seconds", "interrupted"},
		"over while waiting": {10, 20, 200, 5 * time.Second, 70, 5 * time.Second, 6, "130 of 200 connections not killed", "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &bucketServer{bucket: policy.NewBucket(test.rate, test.burst, time.Now())}
				run := runQueue(t.Context(), t, s, killing{wait: test.wait}, numbered("k", test.n))
				run.want(t, test.killed, test.n-test.killed)
				if run.spent != test.spent || len(s.calls) != test.calls {
					t.Errorf("it took %s and %d calls, want %s and %d", run.spent, len(s.calls), test.spent, test.calls)
				}
				said := run.said()
				if !strings.Contains(said, test.says) || strings.Contains(said, test.saysNo) {
					t.Errorf("says %q", said)
				}
				if strings.Contains(run.stdout.String(), "not tried") != (name == "no rate, unsent") {
					t.Errorf("reports\n%s", run.stdout.String()[:min(run.stdout.Len(), 2000)])
				}
			})
		})
	}
}

// TestKillBesideOthers: somebody else takes all there is for a while.
func TestKillBesideOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &bucketServer{bucket: policy.NewBucket(100, 10, time.Now())}
		busy := time.Now().Add(20 * time.Second)
		s.fail = func(int, []string) error {
			for taken := true; taken && time.Now().Before(busy); {
				taken, _ = s.bucket.Take(time.Now())
			}
			return nil
		}
		run := runQueue(t.Context(), t, s, killing{wait: waitTime}, numbered("k", 50))
		run.want(t, 50, 0)
		if run.spent < 20*time.Second || run.spent > 30*time.Second {
			t.Errorf("it took %s", run.spent)
		}
	})
}

// TestKillInterrupted: who ends it is told how much was done, and how much was not.
func TestKillInterrupted(t *testing.T) {
	const all = 12000 // of which 10 a second are killed
	for name, test := range map[string]struct {
		at      time.Duration
		hangs   bool // the call that is under way never ends by itself
		watch   int
		killed  int
		missing int
		spent   time.Duration
		says    string
	}{
		"before the first":   {0, false, 0, 0, 0, 0, "interrupted"},
		"while it waits":     {1500 * time.Millisecond, false, 0, 20, 0, 1500 * time.Millisecond, "20 of 12000 connections killed or gone, 11980 not, 900 of them not tried"},
		"in the first call":  {time.Second, false, 2, 0, 10000, time.Second, "0 of 12000 connections killed or gone, 2000 not, 2000 of them not tried; the server's answer on 10000 is missing"},
		"in a later call":    {3 * time.Second, false, 2, 20, 0, 4 * time.Second, "20 of 12000 connections killed or gone, 11980 not"},
		"in one that hangs":  {3 * time.Second, true, 2, 10, 2200, 7 * time.Second, "the server's answer on 2200 is missing: they may have been killed all the same"},
		"long after the end": {time.Hour, false, 0, all, 0, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, interrupt := context.WithCancel(t.Context())
				if test.at == 0 {
					interrupt()
				}
				defer time.AfterFunc(test.at, interrupt).Stop()
				s := &bucketServer{bucket: policy.NewBucket(10, 10, time.Now())}
				if test.hangs {
					s.during = func(ctx context.Context, call int, _ []string) {
						if call > 1 {
							<-ctx.Done()
						}
					}
				}
				wait := waitTime
				if test.at == time.Hour {
					wait = time.Hour
				}
				run := runQueue(ctx, t, s, killing{wait: wait, watchSeconds: test.watch}, numbered("k", all))
				if test.at == time.Hour {
					run.want(t, all, 0)
					return
				}
				run.want(t, test.killed, all-test.killed)
				if n := strings.Count(run.stdout.String(), "it may have been done all the same"); n != test.missing {
					t.Errorf("%d reported as missing, want %d", n, test.missing)
				}
				if run.spent != test.spent {
					t.Errorf("it took %s, want %s", run.spent, test.spent)
				}
				if !errors.Is(run.err, context.Canceled) || !strings.Contains(run.said(), test.says) {
					t.Errorf("says %q", run.said())
				}
			})
		})
	}
}

// TestKillByIDsAtAPace: an id is sent once, before any time has passed that could give it to
// another connection; what was refused goes by its key from then on.
func TestKillByIDsAtAPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &bucketServer{bucket: policy.NewBucket(1000, 1000, time.Now())}
		targets := slices.Concat(numbered("", 10000), []string{"k20001", "k20002"})
		for i := range 5000 {
			targets = append(targets, fmt.Sprint(30000+i))
		}
		run := runQueue(t.Context(), t, s, killing{wait: waitTime}, targets)
		run.want(t, len(targets), 0)
		seen, keys := map[string]bool{}, false
		for i, call := range s.calls {
			for _, name := range call {
				id := fieldOf(name) == "id"
				if id && (seen[name] || keys) {
					t.Fatalf("call %d names the id %s, and should not any more", i, name)
				}
				seen[name] = seen[name] || id
				keys = keys || !id
			}
		}
	})
}

// TestKillSendsNothingElseAgain: only what the bucket refuses, and names by a key.
func TestKillSendsNothingElseAgain(t *testing.T) {
	const limited = "too many requests, try again after 1 seconds"
	for name, r := range map[string]client.Report{
		"the kernel":        {Outcome: "failed", Key: "k1", Detail: "the kernel refused (EBUSY: device or resource busy)"},
		"the audit":         {Outcome: "failed", Key: "k1", Detail: "the audit log cannot be written, so nothing was done"},
		"protected":         {Outcome: "protected", Key: "k1", Detail: limited},
		"killed":            {Outcome: "killed", Key: "k1", Detail: limited},
		"no detail":         {Outcome: "failed", Key: "k1"},
		"another sentence":  {Outcome: "failed", Key: "k1", Detail: limited + "!"},
		"no number":         {Outcome: "failed", Key: "k1", Detail: "too many requests, try again after  seconds"},
		"a negative number": {Outcome: "failed", Key: "k1", Detail: "too many requests, try again after -1 seconds"},
		"a huge number":     {Outcome: "failed", Key: "k1", Detail: "too many requests, try again after 4294967296 seconds"},
		"no key":            {Outcome: "failed", Detail: limited},
		"an id for a key":   {Outcome: "failed", Key: "2", Detail: limited},
		"no name at all":    {Outcome: "failed", Key: "k 1\x1b", Detail: limited},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &bucketServer{bucket: policy.NewBucket(1, 1, time.Now())}
				s.reply = func(string, client.Report) client.Report { return r }
				run := runQueue(t.Context(), t, s, killing{wait: waitTime}, []string{"1"})
				if len(s.calls) != 1 || run.spent != 0 || run.outcomes[r.Outcome] != 1 {
					t.Errorf("%d calls in %s: %v", len(s.calls), run.spent, run.outcomes)
				}
			})
		})
	}
}

// TestKillThroughTrouble: what may pass is waited for, within --wait.
func TestKillThroughTrouble(t *testing.T) {
	busy := faulted(client.FaultBusy, "too many long requests at once, try again after 3 seconds")
	session := faulted(client.FaultSession, "session unknown or expired")
	for name, test := range map[string]struct {
		fail    map[int]error // by call, from 1 on
		wait    time.Duration
		killed  int // of 40: 20 at once, 10 a second
		spent   time.Duration
		renewed int
		says    string
	}{
		"too many long requests": {map[int]error{1: busy}, waitTime, 40, 5 * time.Second, 0, "sent again"},
		"again and again":        {map[int]error{1: busy, 2: busy, 3: busy}, 5 * time.Second, 0, 3 * time.Second, 0, "40 of 40 connections not killed"},
		"and no waiting":         {map[int]error{1: busy}, 0, 0, 0, 0, "wait that long"},
		"a session that ended":   {map[int]error{2: session}, waitTime, 40, 2 * time.Second, 1, "sent again"},
		"twice in a row":         {map[int]error{2: session, 3: session}, waitTime, 20, time.Second, 1, "20 of 40 connections killed or gone, 20 not\n"},
		"at the beginning":       {map[int]error{1: session}, waitTime, 0, 0, 0, "run the command again"},
		"the helper went away":   {map[int]error{2: faulted(client.FaultHelper, "the helper cannot be reached")}, waitTime, 20, time.Second, 0, "20 of 40 connections killed or gone, 20 not\n"},
		"no answer": {map[int]error{2: &client.Error{Kind: client.Timeout, Method: "kill_report", Err: errors.New("late")}}, waitTime, 20, time.Second, 0,
			"the server's answer on 20 is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &bucketServer{bucket: policy.NewBucket(10, 20, time.Now())}
				s.fail = func(call int, _ []string) error { return test.fail[call] }
				run := runQueue(t.Context(), t, s, killing{wait: test.wait}, numbered("k", 40))
				if run.outcomes["killed"] != test.killed || run.spent != test.spent || s.renewed != test.renewed {
					t.Errorf("%v in %s, %d times renewed, want %d killed in %s, %d times", run.outcomes, run.spent, s.renewed, test.killed, test.spent, test.renewed)
				}
				if said := run.said(); !strings.Contains(said, test.says) {
					t.Errorf("says %q", said)
				}
			})
		})
	}
}
