// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"container/list"
	"time"
)

// A ledger counts failures, or successes, by key. It keeps the size given at most, and is not safe for concurrent
// use.
type ledger[K comparable] struct {
	size    int
	keep    time.Duration // after the last failure
	entries map[K]*list.Element
	order   list.List // of *entry[K], the one that failed the longest ago first
}

type entry[K comparable] struct {
	key   K
	count int
	last  time.Time // of the last failure
	free  time.Time // when to be heard again
}

func newLedger[K comparable](size int, keep time.Duration) *ledger[K] {
	return &ledger[K]{size: size, keep: keep, entries: make(map[K]*list.Element)}
}

// add counts a failure and returns the count.
func (l *ledger[K]) add(key K, now time.Time) *entry[K] {
	l.expire(now)
	e, known := l.entries[key]
	if !known {
		if len(l.entries) >= l.size {
			l.drop(l.order.Front())
		}
		e = l.order.PushBack(&entry[K]{key: key})
		l.entries[key] = e
	}
	l.order.MoveToBack(e)
	one := e.Value.(*entry[K])
	one.count++
	one.last = now
	return one
}

// expire forgets what is old. Each entry costs that once.
func (l *ledger[K]) expire(now time.Time) {
	for e := l.order.Front(); e != nil && now.Sub(e.Value.(*entry[K]).last) > l.keep; e = l.order.Front() {
		l.drop(e)
	}
}

func (l *ledger[K]) drop(e *list.Element) {
	delete(l.entries, e.Value.(*entry[K]).key)
	l.order.Remove(e)
}

func (l *ledger[K]) forget(key K) {
	if e, ok := l.entries[key]; ok {
		l.drop(e)
	}
}

// has says whether the key is remembered.
func (l *ledger[K]) has(key K, now time.Time) bool {
	e, ok := l.entries[key]
	return ok && now.Sub(e.Value.(*entry[K]).last) <= l.keep
}

// until is how long a key has to wait; 0 or less: not at all.
func (l *ledger[K]) until(key K, now time.Time) time.Duration {
	e, ok := l.entries[key]
	if !ok {
		return 0
	}
	return e.Value.(*entry[K]).free.Sub(now)
}

// delay makes the key wait: for firstDelay at step 0, twice as long at each further one.
func (e *entry[K]) delay(now time.Time, step int) {
	if step < 0 {
		return
	}
	d := maxDelay
	if step < 16 {
		d = min(maxDelay, firstDelay<<step)
	}
	e.free = now.Add(d)
}

// A line is that of one source: some are worked on, some wait for their turn in the order
// in which they came. It is not safe for concurrent use.
type line struct {
	working int
	waiting list.List // of chan struct{}, closed when it is their turn
}

// join returns a channel that is closed when it is one's turn, nil if it is at once. ok is
// false if the line is full.
func (l *line) join() (turn chan struct{}, ok bool) {
	if l.working < atOnce {
		l.working++
		return nil, true
	}
	if l.waiting.Len() >= inLine {
		return nil, false
	}
	turn = make(chan struct{})
	l.waiting.PushBack(turn)
	return turn, true
}

// giveUp leaves the line before one's turn; false if it is one's turn already.
func (l *line) giveUp(turn chan struct{}) bool {
	for e := l.waiting.Front(); e != nil; e = e.Next() {
		if e.Value.(chan struct{}) == turn {
			l.waiting.Remove(e)
			return true
		}
	}
	return false
}

// leave ends a turn, and says whether the line is empty now.
func (l *line) leave() (empty bool) {
	if first := l.waiting.Front(); first != nil {
		l.waiting.Remove(first)
		close(first.Value.(chan struct{}))
		return false
	}
	l.working--
	return l.working == 0
}
