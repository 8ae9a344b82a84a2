// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// errNotSent says that a request never left: it may be sent on another connection.
var errNotSent = errors.New("connection closed before the request was sent")

// control is one control connection with its reading goroutine. Once it has failed it
// stays so, and a Client makes another.
type control struct {
	conn    *net.UnixConn
	timeout time.Duration
	idle    time.Duration
	slots   chan struct{} // one for each request that may be in flight
	done    chan struct{} // closed when the reading goroutine has ended

	write sync.Mutex // one packet at a time; taken before mu

	mu      sync.Mutex // guards what follows
	seq     uint64
	waiting map[uint64]*waiter
	err     error         // why it failed
	dead    chan struct{} // closed with err set
}

// waiter is a request in flight. Its answer channel has room for one, so that the
// reading goroutine never waits for a caller who went away.
type waiter struct {
	op     Op
	answer chan Answer
}

func newControl(conn *net.UnixConn, cfg ClientConfig, inFlight int) *control {
	c := &control{
		conn:    conn,
		timeout: cfg.Timeout,
		idle:    cfg.IdleTimeout,
		slots:   make(chan struct{}, inFlight),
		done:    make(chan struct{}),
		waiting: make(map[uint64]*waiter),
		dead:    make(chan struct{}),
	}
	go c.read()
	return c
}

func (c *control) alive() bool {
	select {
	case <-c.dead:
		return false
	default:
		return true
	}
}

// fail ends the connection for everybody. Only the first reason counts.
func (c *control) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	close(c.dead)
	c.conn.Close()
}

// call sends a request, as the packet that Append made of it, and waits for its answer. A
// caller that leaves early leaves its slot taken until the answer came: the helper's bound
// on requests in flight holds.
func (c *control) call(ctx context.Context, op Op, packet []byte) (Answer, error) {
	timer := time.NewTimer(c.timeout)
	defer timer.Stop()
	select {
	case c.slots <- struct{}{}: // nearly always, and without the locks of all that follows
	default:
		if err := c.slot(ctx, timer); err != nil {
			return Answer{}, err
		}
	}
	w, err := c.send(op, packet)
	if err != nil {
		return Answer{}, err
	}
	a, err := c.wait(ctx, w, timer)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrUnanswered, err)
	}
	return a, err
}

// wait waits for the answer to what was sent.
func (c *control) wait(ctx context.Context, w *waiter, timer *time.Timer) (Answer, error) {
	select {
	case a := <-w.answer:
		return a, nil
	case <-c.dead:
		return c.last(w)
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	case <-timer.C:
		return Answer{}, c.late()
	}
}

// slot waits for a place among the requests in flight.
func (c *control) slot(ctx context.Context, timer *time.Timer) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-c.dead:
		return errNotSent
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return c.late()
	}
}

// late fails the connection: a helper that does not answer in time is as good as away,
// and what it still may answer must not be taken for the answer to something else.
func (c *control) late() error {
	c.fail(os.ErrDeadlineExceeded)
	return os.ErrDeadlineExceeded
}

// last gives the answer that came just before the connection failed, if there is one,
// and else the reason of the failure.
func (c *control) last(w *waiter) (Answer, error) {
	select {
	case a := <-w.answer:
		return a, nil
	default:
		c.mu.Lock()
		defer c.mu.Unlock()
		return Answer{}, c.err
	}
}

// send registers a request, writes the number that it has by that into its packet, and sends
// it.
func (c *control) send(op Op, packet []byte) (*waiter, error) {
	w := &waiter{op: op, answer: make(chan Answer, 1)}
	c.write.Lock()
	defer c.write.Unlock()
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return nil, errNotSent
	}
	c.seq++
	c.waiting[c.seq] = w
	setSeq(packet, c.seq)
	c.mu.Unlock()

	err := c.conn.SetWriteDeadline(time.Now().Add(c.timeout))
	if err == nil {
		_, err = c.conn.Write(packet) // a packet goes whole or not at all
	}
	if err != nil {
		c.fail(err)
		return nil, errNotSent
	}
	return w, nil
}

// read takes answers until the connection fails or nobody used it for the idle time.
func (c *control) read() {
	defer close(c.done)
	buf := make([]byte, headerSize+statsAnswerSize)
	for {
		if err := c.conn.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
			c.fail(err)
			return
		}
		n, err := readPacket(c.conn, buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if c.endIfUnused() {
				return
			}
			continue
		}
		if err == nil {
			err = c.deliver(buf[:n])
		}
		if err != nil {
			c.fail(err)
			return
		}
	}
}

// endIfUnused closes the connection if nothing is in flight, in one step, so that no
// request can slip in between.
func (c *control) endIfUnused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 && c.err == nil {
		return false
	}
	if c.err == nil {
		c.err = errNotSent
		close(c.dead)
		c.conn.Close()
	}
	return true
}

func (c *control) deliver(packet []byte) error {
	a, data, err := DecodeAnswer(packet)
	if err != nil {
		return err
	}
	c.mu.Lock()
	w, ok := c.waiting[a.Seq]
	delete(c.waiting, a.Seq)
	c.mu.Unlock()
	if !ok || w.op != a.Op || data != nil {
		return malformed("answer to %s with sequence %d, which nobody asked", a.Op, a.Seq)
	}
	w.answer <- a
	<-c.slots
	return nil
}
