// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"
)

// attackers send at the same time; each has a connection or two of the helper's sixteen.
const attackers = 4

// siege is an attack and what it came to.
type siege struct {
	t      testing.TB
	socket string
	scene  *scene
	limit  atomic.Int64 // packets
	sent   atomic.Int64 // packets, but those that only say hello
	file   *os.File     // to send along

	mu           sync.Mutex // guards what follows
	wrongs       []string
	outcomes     map[ipc.Outcome]int
	acknowledged map[string]string // outcomes of what was done, by request id
	used         map[string]int    // assaults
}

func newSiege(t testing.TB, h *helper, scene *scene) *siege {
	t.Helper()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return &siege{t: t, socket: h.socket, scene: scene, file: file,
		outcomes: make(map[ipc.Outcome]int), acknowledged: make(map[string]string), used: make(map[string]int)}
}

func (s *siege) over() bool { return s.sent.Load() >= s.limit.Load() }

func (s *siege) wrong(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.wrongs) < maxWrongs {
		s.wrongs = append(s.wrongs, fmt.Sprintf(format, args...))
	}
}

// run attacks until so many packets were sent in all.
func (s *siege) run(seed, packets uint64, with []assault) {
	s.limit.Store(int64(packets))
	var all sync.WaitGroup
	for i := range attackers {
		a := &attacker{siege: s, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
		all.Go(func() {
			defer a.hangUp()
			for !s.over() {
				a.assault(with)
			}
		})
	}
	all.Wait()
}

// report wants the helper to have kept to the protocol, and every act that it
// acknowledged to be in the audit. The helper has ended.
func (s *siege) report(l *ledger) {
	s.t.Helper()
	for _, w := range s.wrongs {
		s.t.Error(w)
	}
	for id, outcome := range s.acknowledged {
		if l.done[id] != outcome {
			s.t.Errorf("request %s was answered with %s, the audit says %q", id, outcome, l.done[id])
		}
	}
	s.t.Logf("%d packets by %v; answers %v; audit %v", s.sent.Load(), s.used, s.outcomes, l.outcomes)
}

// attacker is one of them, for one goroutine.
type attacker struct {
	siege *siege
	rng   *rand.Rand
	line  *line // a control connection, past hello; nil when there is none
}

// assault makes one, chosen by weight.
func (a *attacker) assault(with []assault) {
	sum := 0
	for _, w := range with {
		sum += w.weight
	}
	n := a.rng.IntN(sum)
	for _, w := range with {
		if n -= w.weight; n < 0 {
			a.siege.mu.Lock()
			a.siege.used[w.name]++
			a.siege.mu.Unlock()
			w.run(a)
			return
		}
	}
}

// open connects and says hello, again while others have taken all connections.
func (a *attacker) open(p ipc.Purpose) *line {
	for deadline := time.Now().Add(daemontest.Patience); ; {
		l, err := dial(a.siege.socket)
		if err == nil {
			if err = l.hello(p); err == nil {
				return l
			}
			l.close()
		}
		if !errors.Is(err, errClosed) || time.Now().After(deadline) {
			a.siege.wrong("open a connection: %v", err)
			panic(fmt.Sprintf("the helper serves no more: %v", err))
		}
		time.Sleep(time.Millisecond) // for the others to close theirs
	}
}

// control gives a control connection, the one that is open or another.
func (a *attacker) control() *line {
	if a.line == nil {
		a.line = a.open(ipc.PurposeControl)
	}
	return a.line
}

func (a *attacker) hangUp() {
	if a.line != nil {
		a.line.close()
	}
	a.line = nil
}

// send sends one of the packets that count.
func (a *attacker) send(l *line, p, control []byte, within time.Duration) error {
	a.siege.scene.prepare(p)
	a.siege.sent.Add(1)
	return l.send(p, control, within)
}

// permitted says whether a packet is one that a control connection takes.
func permitted(p []byte) bool {
	r, err := ipc.DecodeRequest(p)
	return err == nil && (r.Op == ipc.OpStats || r.Op == ipc.OpKill || r.Op == ipc.OpChange)
}

// exchange sends a packet and wants an answer to what may be asked, and the end of the
// connection for anything else.
func (a *attacker) exchange(p []byte) {
	if permitted(p) {
		a.answered(p, nil)
	} else {
		a.refused(p, nil)
	}
}

// answered sends a packet and wants an answer to it.
func (a *attacker) answered(p, control []byte) {
	b, err := a.roundTrip(p, control)
	if err != nil {
		a.siege.wrong("no answer: %v: %x", err, head(p))
		a.hangUp()
		return
	}
	a.judge(p, b)
}

// refused sends a packet and wants the connection to end without an answer.
func (a *attacker) refused(p, control []byte) {
	b, err := a.roundTrip(p, control)
	if !errors.Is(err, errClosed) {
		a.siege.wrong("answer %x (%v) instead of the end of the connection: %x", b, err, head(p))
	}
	a.hangUp()
}

func (a *attacker) roundTrip(p, control []byte) ([]byte, error) {
	l := a.control()
	if err := a.send(l, p, control, daemontest.Patience); err != nil {
		return nil, err
	}
	return l.receive(daemontest.Patience)
}

func head(p []byte) []byte { return p[:min(len(p), 300)] }

// judge wants b to be a fitting answer to the request p.
func (a *attacker) judge(p, b []byte) {
	s := a.siege
	answer, data, err := ipc.DecodeAnswer(b)
	if err != nil || data != nil || byte(answer.Op) != p[opAt] || answer.Seq != binary.BigEndian.Uint64(p[8:]) {
		s.wrong("answer %x (%v) to %x", b, err, p)
		return
	}
	if answer.Op == ipc.OpStats {
		return
	}
	c, got := s.scene.named(p), answer.Result.Outcome
	fits := got == ipc.Limited || got == ipc.Gone || got == ipc.Replaced || got == ipc.Failed
	switch {
	case c == nil:
	case c.class == protected:
		fits = got == ipc.Limited || got == ipc.Protected
	case c.class == foreign:
		fits = got == ipc.Limited || got == ipc.Forbidden
	case answer.Op == ipc.OpKill:
		fits = got == ipc.Limited || got == ipc.Gone || got == ipc.Killed
	default:
		fits = got == ipc.Limited || got == ipc.Gone || got == ipc.Changed || got == ipc.Fixed || got == ipc.Forbidden
	}
	if !fits || got == ipc.Limited && (answer.Result.Retry <= 0 || answer.Result.Rule == "") {
		s.wrong("answer %+v to %x, which names %+v", answer.Result, p, c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcomes[got]++
	if got == ipc.Killed || got == ipc.Changed {
		s.acknowledged[fmt.Sprintf("%x", p[actorAt:userAt])] = got.String()
	}
}
