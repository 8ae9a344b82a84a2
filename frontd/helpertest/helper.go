// SPDX-License-Identifier: GPL-2.0-or-later

// Package helpertest is a helper without a kernel behind it, for tests of what stands in
// front of the helper. It answers as privd does, has a table that tests fill at will, two
// connections with one id included, and can be made to fail. Tests only may import it.
package helpertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"nuconntrack/ipc"
)

// Connection is a row of the table.
type Connection struct {
	Target         ipc.Target
	Status         uint32
	Timeout        uint32
	Mark           uint32
	TCPState       uint8
	OrigBytes      uint64
	ReplyBytes     uint64
	Uncounted      bool        // the kernel tells no counters
	Start          time.Time   // zero: the kernel does not tell it
	Helper         string      // of the kernel's; "": none
	OutcomeOfKill  ipc.Outcome // 0: it is killed
	RuleOfRefusal  string
	KernelsRefusal uint16 // errno
}

// Helper is safe for concurrent use. The zero value is an empty table.
type Helper struct {
	mu      sync.Mutex
	table   []Connection
	stats   ipc.Stats
	away    bool
	dies    bool
	dumps   int
	changes []Asked
}

// Asked is a kill or change as it came.
type Asked struct {
	Target ipc.Target
	Actor  ipc.Actor
	Change ipc.Change // the zero value is a kill
}

// Add puts connections into the table.
func (h *Helper) Add(all ...Connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.table = append(h.table, all...)
}

// Remove takes a connection out, as the kernel does when it ends.
func (h *Helper) Remove(t ipc.Target) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(t)
}

// SetAway makes the helper unreachable, or reachable again.
func (h *Helper) SetAway(away bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.away = away
}

// SetDying lets the next kill or change be done, and the helper be away before it has answered.
func (h *Helper) SetDying() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dies = true
}

// answer gives what a kill or change has come to.
func (h *Helper) answer(r ipc.Result) (ipc.Result, error) {
	if h.dies {
		h.dies, h.away = false, true
		return ipc.Result{}, fmt.Errorf("%w: %w: connection reset", ipc.ErrUnavailable, ipc.ErrUnanswered)
	}
	return r, nil
}

// SetStats sets what Stats answers.
func (h *Helper) SetStats(s ipc.Stats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats = s
}

// Dumps is how often the table was read.
func (h *Helper) Dumps() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dumps
}

// Asked gives the kills and changes that came, in their order.
func (h *Helper) Asked() []Asked {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.changes)
}

// Table gives what the table holds.
func (h *Helper) Table() []Connection {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.table)
}

func (h *Helper) reach() error {
	if h.away {
		return fmt.Errorf("%w: connection refused", ipc.ErrUnavailable)
	}
	return nil
}

// Stats is service.Helper's.
func (h *Helper) Stats(context.Context) (ipc.Stats, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stats, h.reach()
}

// Dump is service.Helper's.
func (h *Helper) Dump(_ context.Context, each func([]byte) error) (ipc.DumpEnd, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.reach(); err != nil {
		return ipc.DumpEnd{}, err
	}
	h.dumps++
	for _, c := range h.table {
		if err := each(c.Message()); err != nil {
			return ipc.DumpEnd{}, err
		}
	}
	return ipc.DumpEnd{}, nil
}

// Kill is service.Helper's.
func (h *Helper) Kill(_ context.Context, t ipc.Target, by ipc.Actor) (ipc.Result, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changes = append(h.changes, Asked{Target: t, Actor: by})
	c, r, err := h.find(t)
	if c == nil || err != nil {
		return r, err
	}
	if c.OutcomeOfKill != 0 {
		return ipc.Result{Outcome: c.OutcomeOfKill, Rule: c.RuleOfRefusal, Errno: c.KernelsRefusal}, nil
	}
	h.remove(t)
	return h.answer(ipc.Result{Outcome: ipc.Killed})
}

// Change is service.Helper's.
func (h *Helper) Change(_ context.Context, t ipc.Target, by ipc.Actor, change ipc.Change) (ipc.Result, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changes = append(h.changes, Asked{Target: t, Actor: by, Change: change})
	c, r, err := h.find(t)
	if c == nil || err != nil {
		return r, err
	}
	const fixedTimeout = 1 << 10 // IPS_FIXED_TIMEOUT
	var before, after uint32
	switch {
	case c.OutcomeOfKill != 0:
		return ipc.Result{Outcome: c.OutcomeOfKill, Rule: c.RuleOfRefusal, Errno: c.KernelsRefusal}, nil
	case change.Field == ipc.FieldMark:
		before, after = c.Mark, c.Mark&^change.Mask^change.Value
		c.Mark = after
	case c.Status&fixedTimeout != 0:
		return ipc.Result{Outcome: ipc.Fixed}, nil
	default:
		before, after = c.Timeout, change.Value
		c.Timeout, c.Status = after, c.Status|fixedTimeout
	}
	return h.answer(ipc.Result{Outcome: ipc.Changed, Old: &before, New: &after})
}

// find looks a connection up as privd does: by the original tuple, and then all of it.
func (h *Helper) find(t ipc.Target) (*Connection, ipc.Result, error) {
	if err := h.reach(); err != nil {
		return nil, ipc.Result{}, err
	}
	outcome := ipc.Gone
	for i := range h.table {
		if h.table[i].Target == t {
			return &h.table[i], ipc.Result{}, nil
		}
		if h.table[i].Target.Orig == t.Orig && h.table[i].Target.Protocol == t.Protocol {
			outcome = ipc.Replaced
		}
	}
	return nil, ipc.Result{Outcome: outcome}, nil
}

func (h *Helper) remove(t ipc.Target) {
	h.table = slices.DeleteFunc(h.table, func(c Connection) bool { return c.Target == t })
}
