// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"
)

const fewVictims = 500

// TestPaceHolds: however many ask, and by however many connections, no more is attempted
// than the bucket of the policy lets through.
func TestPaceHolds(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		const rate, burst, packets = 50, 300, 10_000
		chance := seed(t)
		s := newScene(t, rand.New(rand.NewPCG(chance, 1<<32)), fewVictims)
		h := startHelper(t, fmt.Sprintf(rules, rate, burst, 1.0), os.Getuid(), 0)
		siege := newSiege(t, h, s)
		siege.run(chance, packets, assaults())
		h.honest(t, s)
		h.stop()
		ran := time.Since(h.started)
		if got, most := h.ledger.intents, burst+int(rate*ran.Seconds())+1; got > most || got == 0 {
			t.Errorf("%d attempts in %s, want 1 to %d", got, ran, most)
		}
		if siege.outcomes[ipc.Limited] == 0 {
			t.Errorf("nobody was told to wait: %v", siege.outcomes)
		}
		h.wantQuiet(t)
		h.ledger.closed(t)
		siege.report(h.ledger)
		s.compare(t, h.ledger)
	})
}

// TestMalformedPacketsSpend: who sends nonsense has spent what acts could be done with.
func TestMalformedPacketsSpend(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		const burst = 100
		chance := seed(t)
		s := newScene(t, rand.New(rand.NewPCG(chance, 1<<32)), fewVictims)
		policy := fmt.Sprintf(rules, 1, burst, 1.0)
		h := startHelper(t, policy, os.Getuid(), 0)
		siege := newSiege(t, h, s)
		nonsense := []assault{{"out of state", 1, func(a *attacker) {
			a.refused(request(t, ipc.Request{Op: ipc.OpHello, Purpose: ipc.PurposeControl}), nil)
		}}}
		siege.run(chance, 4*burst, nonsense)
		siege.run(chance, 5*burst, []assault{{"requests", 1, (*attacker).requests}})
		h.stop()
		if got, most := h.ledger.intents, int(time.Since(h.started).Seconds())+1; got > most {
			t.Errorf("%d attempts after %d malformed packets, want at most %d", got, 4*burst, most)
		}
		h.ledger.closed(t)
		siege.report(h.ledger)
		s.compare(t, h.ledger)
	})
}

// TestShareOfDumpsHolds: whoever asks for one table after the other gets no more than the
// policy's share of the time.
func TestShareOfDumpsHolds(t *testing.T) {
	inNamespace(t, func(t *testing.T) {
		const duty, each, clients = 0.2, 8, 3
		s := newScene(t, rand.New(rand.NewPCG(seed(t), 1<<32)), fewVictims)
		h := startHelper(t, fmt.Sprintf(rules, 1, 1, duty), os.Getuid(), 0)
		var mu sync.Mutex // guards spent and longest
		var spent, longest time.Duration
		var all sync.WaitGroup
		began := time.Now()
		for range clients {
			all.Go(func() {
				// Who is third waits for two pauses, four times as long as the dumps took.
				c := ipc.NewClient(ipc.ClientConfig{Path: h.socket, Timeout: daemontest.Patience})
				defer c.Close()
				for range each {
					end, err := c.Dump(t.Context(), func([]byte) error { return nil })
					if err != nil || end.Errno != 0 {
						t.Errorf("dump: %+v, %v", end, err)
						return
					}
					mu.Lock()
					spent, longest = spent+end.Spent, max(longest, end.Spent)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		ran := time.Since(began)
		// No pause was waited for after the last one.
		if most := time.Duration(duty*float64(ran)) + longest; spent == 0 || spent > most {
			t.Errorf("%s spent in %s, want at most %s", spent, ran, most)
		}
		h.stop()
		s.compare(t, h.ledger)
	})
}
