// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"
	"sync/atomic"
)

const (
	// DefaultWorkers is how many hashes are computed at the same time.
	DefaultWorkers = 2
	// DefaultQueue is how many logins wait for that. With two workers and a hash of 60 ms
	// the last of them waits a second: few clients wait longer than they take to
	// log in again.
	DefaultQueue = 32
	// busyRetry is the seconds that a login beyond the queue is told to wait.
	busyRetry = 2
)

// A queue lets a few logins work at the same time and a few more wait, in the order in
// which they came.
type queue struct {
	running chan struct{} // one element for each that works
	waiting atomic.Int64
	room    int64
}

// newQueue returns a queue. What is zero or negative takes its default.
func newQueue(workers, room int) *queue {
	if workers <= 0 {
		workers = DefaultWorkers
	}
	if room <= 0 {
		room = DefaultQueue
	}
	return &queue{running: make(chan struct{}, workers), room: int64(room)}
}

// enter waits for its turn. After nil the caller must leave. Errors are a *BusyError or that of
// ctx.
func (q *queue) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case q.running <- struct{}{}:
		return nil
	default:
	}
	defer q.waiting.Add(-1)
	if q.waiting.Add(1) > q.room {
		return &BusyError{Retry: busyRetry}
	}
	select {
	case q.running <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A Queue lets few logins into a Backend at the same time and some more wait, and is a
// Backend itself. It is for those that wait for others; a File has its own.
type Queue struct {
	backend Backend
	queue   *queue
}

var _ Backend = (*Queue)(nil)

// NewQueue returns a Queue. What is zero or negative takes its default: DefaultWorkers and
// DefaultQueue.
func NewQueue(backend Backend, workers, room int) *Queue {
	return &Queue{backend: backend, queue: newQueue(workers, room)}
}

// Login asks the backend when there is room.
func (q *Queue) Login(ctx context.Context, req Request) (Identity, error) {
	if err := q.queue.enter(ctx); err != nil {
		return Identity{}, err
	}
	defer q.queue.leave()
	return q.backend.Login(ctx, req)
}

// leave makes room for the next.
func (q *queue) leave() { <-q.running }
