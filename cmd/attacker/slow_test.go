// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"math/rand/v2"
	"sync"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/ipc"
)

// again is after how many packets of the attack those who are slow begin again.
const again = 50_000

// slow attacks with connections that hold still, beside the others, each kind at least
// once, until so many packets were sent in all. The helper has to end all of them by
// itself. The function it returns waits for that.
func (s *siege) slow(seed, packets uint64) (wait func()) {
	s.limit.Store(int64(packets))
	var all sync.WaitGroup
	for i, hold := range [...]func(*attacker) *line{silent, slowDump, slowAnswers} {
		a := &attacker{siege: s, rng: rand.New(rand.NewPCG(seed, uint64(attackers+i)))}
		all.Go(func() {
			poll := time.NewTicker(10 * time.Millisecond)
			defer poll.Stop()
			for from := int64(0); from == 0 || !s.over(); <-poll.C {
				if s.sent.Load() < from {
					continue
				}
				from = s.sent.Load() + again
				l := hold(a)
				if l == nil {
					continue
				}
				if err := l.hungUp(daemontest.Patience); err != nil {
					s.wrong("a connection that holds still is not ended: %v", err)
				}
				l.close()
			}
		})
	}
	return all.Wait
}

// silent never says hello.
func silent(a *attacker) *line {
	l, err := dial(a.siege.socket)
	if err != nil {
		a.siege.wrong("%v", err)
		return nil
	}
	return l
}

// slowDump reads the first piece of a dump and no more.
func slowDump(a *attacker) *line {
	l := a.open(ipc.PurposeDump)
	err := a.send(l, request(a.siege.t, ipc.Request{Op: ipc.OpDump, Seq: 1}), nil, daemontest.Patience)
	if err == nil {
		_, err = l.receive(daemontest.Patience)
	}
	if err != nil {
		a.siege.wrong("begin a dump: %v", err)
	}
	return l
}

// slowAnswers asks until the helper waits for its answers to be read.
func slowAnswers(a *attacker) *line {
	l := a.open(ipc.PurposeControl)
	for a.send(l, a.wellFormed(), nil, 500*time.Millisecond) == nil {
	}
	return l
}
