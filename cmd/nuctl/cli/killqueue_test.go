// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/policy"
)

// bucketServer kills what is named k1, k2 and so on, or 1, 2, as the helper's own bucket lets it.
type bucketServer struct {
	bucket  *policy.Bucket
	fail    func(call int, targets []string) error              // nil: none fails
	reply   func(name string, r client.Report) client.Report    // nil: as the bucket says
	during  func(ctx context.Context, call int, names []string) // nil: nothing happens
	calls   [][]string
	refused int // attempts, by the bucket
	dead    map[string]int
	renewed int
	renew   error
}

func (s *bucketServer) KillNamed(ctx context.Context, names []string, o client.KillOptions) ([]client.Report, error) {
	s.calls = append(s.calls, slices.Clone(names))
	if len(names) > client.MaxTargets {
		return nil, errors.New("more than one call may name")
	}
	if s.fail != nil {
		if err := s.fail(len(s.calls), names); err != nil {
			return nil, err
		}
	}
	var reports []client.Report
	for _, name := range names {
		number := strings.TrimPrefix(name, "k")
		r := client.Report{ID: number, Key: "k" + number, Outcome: client.OutcomeKilled}
		switch ok, after := s.bucket.Take(time.Now()); {
		case !ok:
			s.refused++
			after = min(max(after, time.Millisecond), math.MaxUint32*time.Millisecond)
			r.Outcome, r.Detail = client.OutcomeFailed, fmt.Sprintf("too many requests, try again after %d seconds", max(1, int(math.Ceil(after.Seconds()))))
		case s.dead[r.Key] > 0:
			r.Outcome = client.OutcomeGone
		}
		if s.reply != nil {
			r = s.reply(name, r)
		}
		if r.Outcome == client.OutcomeKilled {
			s.dead[r.Key]++
		}
		reports = append(reports, r)
	}
	if s.during != nil {
		s.during(ctx, len(s.calls), names)
	}
	if err := sleep(ctx, o.Watch); err != nil {
		return nil, err
	}
	return reports, nil
}

func (s *bucketServer) Renew(context.Context, string) error { s.renewed++; return s.renew }

func faulted(code int, text string) error {
	return &client.Error{Kind: client.Faulted, Method: "kill_report", Code: code, Text: text}
}

func numbered(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%d", prefix, i+1)
	}
	return all
}

// killed is what a run of the queue has come to.
type killedRun struct {
	err            error
	stdout, stderr bytes.Buffer
	spent          time.Duration
	outcomes       map[string]int
	reports        map[string]int // how often each was reported, by key or id
}

// runQueue kills targets on a server. All that was asked is checked to be what was named, by the
// same name or by the key that belongs to it.
func runQueue(ctx context.Context, t *testing.T, s *bucketServer, k killing, targets []string) *killedRun {
	t.Helper()
	run := &killedRun{outcomes: map[string]int{}, reports: map[string]int{}}
	s.dead = map[string]int{}
	a := &app{stdout: &run.stdout, stderr: &run.stderr, getenv: func(string) string { return "" }}
	k.format = "jsonl"
	began := time.Now()
	q := a.newKillQueue(&k, s, len(targets))
	q.named(targets, func(name string) bool { return fieldOf(name) == "id" })
	run.err = q.run(ctx, nil)
	run.spent = time.Since(began)
	named := map[string]bool{}
	for _, name := range targets {
		named["k"+strings.TrimPrefix(name, "k")] = true
	}
	for _, call := range s.calls {
		for _, name := range call {
			if !named["k"+strings.TrimPrefix(name, "k")] {
				t.Fatalf("%q was to be killed, and is none of those that were named", name)
			}
		}
	}
	for line := range strings.Lines(run.stdout.String()) {
		var row struct {
			ID           any
			Key, Outcome string
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		run.outcomes[row.Outcome]++
		run.reports[row.Key]++
	}
	for key, n := range run.reports {
		if key != "" && n != 1 {
			t.Errorf("%s is reported %d times", key, n)
		}
	}
	return run
}

func (r *killedRun) want(t *testing.T, killed, failed int) {
	t.Helper()
	if r.outcomes["killed"] != killed || r.outcomes["failed"] != failed || len(r.outcomes) > 2 {
		t.Errorf("outcomes %v, want %d killed and %d failed; %v", r.outcomes, killed, failed, r.err)
	}
	if (r.err == nil) != (failed == 0) {
		t.Errorf("error %v", r.err)
	}
}

// said is what the user reads at the end.
func (r *killedRun) said() string {
	var text bytes.Buffer
	report(&text, r.err)
	return r.stderr.String() + text.String()
}

// TestKillAtThePaceOfThePolicy: all are killed, in about the time that the bucket needs for them,
// and without many attempts that it refuses.
func TestKillAtThePaceOfThePolicy(t *testing.T) {
	for name, test := range map[string]struct {
		rate    float64
		burst   int
		n       int
		watch   int
		within  time.Duration
		refused int
	}{
		"never refused":           {1000, 20000, 20000, 0, 0, 0},
		"the default policy":      {1000, 20000, 50000, 0, 31 * time.Second, 13000},
		"while they are watched":  {1000, 20000, 50000, 2, 34 * time.Second, 13000},
		"a few a second":          {10, 20, 200, 0, 19 * time.Second, 180 + 170 + 20},
		"one in ten seconds":      {0.1, 1, 11, 0, 105 * time.Second, 10 + 9 + 10},
		"a small bucket, watched": {100, 50, 300, 5, 30 * time.Second, 250 + 200 + 750},
		"much faster":             {50000, 10000, 100000, 0, 12 * time.Second, 10000 + 1000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &bucketServer{bucket: policy.NewBucket(test.rate, test.burst, time.Now())}
				run := runQueue(t.Context(), t, s, killing{wait: waitTime, watchSeconds: test.watch}, numbered("k", test.n))
				run.want(t, test.n, 0)
				if run.spent > test.within || s.refused > test.refused {
					t.Errorf("it took %s and %d refused attempts in %d calls, want at most %s and %d", run.spent, s.refused, len(s.calls), test.within, test.refused)
				}
				if said := run.said(); strings.Contains(said, "sent again") != (s.refused > 0) {
					t.Errorf("says %q", said)
				}
			})
		})
	}
}
