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
// which they came. One worker more is there for those who are preferred, and as much room: strangers
// cannot fill it.
type queue struct {
	running chan struct{} // one element for each that works
	extra   chan struct{} // the same for those preferred
	waiting atomic.Int64
	ahead   atomic.Int64 // those preferred who wait
	room    int64
}

type preferredKey struct{}

// preferred marks the login of somebody who is known.
func preferred(ctx context.Context) context.Context {
	return context.WithValue(ctx, preferredKey{}, true)
}

// newQueue returns a queue. What is zero or negative takes its default.
func newQueue(workers, room int) *queue {
	if workers <= 0 {
		workers = DefaultWorkers
	}
	if room <= 0 {
		room = DefaultQueue
	}
	return &queue{running: make(chan struct{}, workers), extra: make(chan struct{}, 1), room: int64(room)}
}

// enter waits for its turn. After nil the caller must call leave. Errors are a *BusyError or that
// of ctx.
func (q *queue) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	waiting := &q.waiting
	var extra chan struct{} // nil: never ready
	if ctx.Value(preferredKey{}) != nil {
		waiting, extra = &q.ahead, q.extra
	}
	leaveRunning, leaveExtra := func() { <-q.running }, func() { <-q.extra }
	select {
	case q.running <- struct{}{}:
		return leaveRunning, nil
	default:
	}
	defer waiting.Add(-1)
	if waiting.Add(1) > q.room {
		return nil, &BusyError{Retry: busyRetry}
	}
	select {
	case q.running <- struct{}{}:
		return leaveRunning, nil
	case extra <- struct{}{}:
		return leaveExtra, nil
	case <-ctx.Done():
		return nil, ctx.Err()
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
	leave, err := q.queue.enter(ctx)
	if err != nil {
		return Identity{}, err
	}
	defer leave()
	return q.backend.Login(ctx, req)
}
