// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"bytes"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/policy"
)

// TestKillNamedTwice: a connection that is named by its id and by its key is one, in one call and
// in several, refused for now or not.
func TestKillNamedTwice(t *testing.T) {
	many := numbered("k", client.MaxTargets)
	for name, test := range map[string]struct {
		rate    float64
		burst   int
		targets []string
		want    int
	}{
		"in one call":           {10, 20, []string{"1", "k1", "k2", "2", "3"}, 3},
		"refused for now":       {1, 1, []string{"1", "k1", "k2", "2", "3"}, 3},
		"the id first":          {1e6, 1e6, append([]string{"7"}, many...), len(many)},
		"the key in a later":    {1e6, 1e6, append(append([]string{"20001"}, many...), "k20001"), len(many) + 1},
		"all refused for a bit": {1000, 1000, append(append(numbered("", 500), many...), "k20001"), len(many) + 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &bucketServer{bucket: policy.NewBucket(test.rate, test.burst, time.Now())}
				run := runQueue(t.Context(), t, s, killing{wait: waitTime}, test.targets)
				run.want(t, test.want, 0)
				for key, n := range s.dead {
					if n != 1 {
						t.Fatalf("%s is killed %d times", key, n)
					}
				}
			})
		})
	}
}

// full is a disk that takes so many bytes.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	n := min(f.room, len(p))
	f.room -= n
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// TestKillReportUnwritten: what was killed counts, though nobody can read it, and that is said once.
func TestKillReportUnwritten(t *testing.T) {
	for _, format := range []string{"table", "json", "jsonl"} {
		t.Run(format, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &bucketServer{bucket: policy.NewBucket(1, 300, time.Now()), dead: map[string]int{}}
				var stderr bytes.Buffer
				a := &app{stdout: &full{1000}, stderr: &stderr, getenv: func(string) string { return "" }}
				q := a.newKillQueue(&killing{format: format, wait: waitTime}, s, 400)
				q.named(numbered("k", 400), func(string) bool { return false })
				report(&stderr, q.run(t.Context(), nil))
				if said := stderr.String(); strings.Count(said, "no space left") != 1 || !strings.Contains(said, "300 of 400 connections killed or gone, 100 not\n") {
					t.Errorf("says %q", said)
				}
			})
		})
	}
}

// TestKillLoginFails: a session that cannot be had again leaves nobody in doubt about what was sent.
func TestKillLoginFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &bucketServer{bucket: policy.NewBucket(10, 20, time.Now())}
		s.fail = func(call int, _ []string) error {
			if call == 2 {
				return faulted(client.FaultSession, "session unknown or expired")
			}
			return nil
		}
		s.renew = &client.Error{Kind: client.Unreachable, Method: "login", Err: errors.New("connection reset by peer")}
		run := runQueue(t.Context(), t, s, killing{wait: waitTime}, numbered("k", 40))
		run.want(t, 20, 20)
		if said := run.said(); !strings.Contains(said, "20 of 40 connections killed or gone, 20 not\n") || strings.Contains(said, "missing") {
			t.Errorf("says %q", said)
		}
	})
}
