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

// Defaults of ClientConfig.
const (
	DefaultTimeout     = 5 * time.Second
	DefaultIdleTimeout = 10 * time.Second
)

// ErrUnavailable is wrapped by every error that comes from not reaching the helper, or
// from losing it before it answered: then what was asked may have been done, see ErrUnanswered.
var ErrUnavailable = errors.New("the helper cannot be reached")

// ErrUnanswered is wrapped, besides ErrUnavailable or the error of the context, where the request
// had been sent already. Without it nothing was done.
var ErrUnanswered = errors.New("no answer came")

// ClientConfig configures a Client.
type ClientConfig struct {
	Path        string        // of the helper's socket
	Timeout     time.Duration // for connecting, and for each answer; 0 is DefaultTimeout
	IdleTimeout time.Duration // an unused connection closes after it, so that the helper may leave; 0 is DefaultIdleTimeout
}

// Client asks the helper. It connects when it is asked something, and again after the
// helper was away; it never asks the same thing twice. All methods may be called from
// any number of goroutines.
type Client struct {
	cfg        ClientConfig
	connecting chan struct{} // holds one token while a control connection is made; taken before mu
	ending     context.Context
	end        context.CancelFunc // by Close

	mu      sync.Mutex // guards what follows
	control *control
}

// NewClient makes a client. Nothing is connected yet.
func NewClient(cfg ClientConfig) *Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.IdleTimeout <= 0 {
		cfg.IdleTimeout = DefaultIdleTimeout
	}
	c := &Client{cfg: cfg, connecting: make(chan struct{}, 1)}
	c.ending, c.end = context.WithCancel(context.Background())
	return c
}

// Stats asks what the kernel says about its table.
func (c *Client) Stats(ctx context.Context) (Stats, error) {
	a, err := c.call(ctx, Request{Op: OpStats})
	return a.Stats, err
}

// Kill asks for one connection to be removed.
func (c *Client) Kill(ctx context.Context, t Target, by Actor) (Result, error) {
	a, err := c.call(ctx, Request{Op: OpKill, Target: t, Actor: by})
	return a.Result, err
}

// Change asks for a new value of one field of one connection.
func (c *Client) Change(ctx context.Context, t Target, by Actor, change Change) (Result, error) {
	a, err := c.call(ctx, Request{Op: OpChange, Target: t, Actor: by, Change: change})
	return a.Result, err
}

// Close closes the connection to the helper and joins what belongs to it; calls that
// wait fail with ErrUnavailable. It may be called twice.
func (c *Client) Close() error {
	c.end()
	c.mu.Lock()
	control := c.control
	c.mu.Unlock()
	if control != nil {
		control.fail(net.ErrClosed)
		<-control.done
	}
	return nil
}

// call sends a request on the control connection. A connection that was found dead
// before anything was sent on it is replaced once.
func (c *Client) call(ctx context.Context, r Request) (Answer, error) {
	packet, err := r.Append(make([]byte, 0, MaxRequest))
	if err != nil {
		return Answer{}, err
	}
	for attempt := 0; ; attempt++ {
		control, err := c.connected(ctx)
		if err != nil {
			return Answer{}, unavailable(ctx, err)
		}
		a, err := control.call(ctx, r.Op, packet)
		if errors.Is(err, errNotSent) && attempt == 0 {
			continue
		}
		if err != nil {
			return Answer{}, unavailable(ctx, err)
		}
		return a, nil
	}
}

// connected gives the living control connection, or makes one. Only one is made at a time;
// who waits for another's waits no longer than for an answer: a helper that hangs must not
// let callers wait for each other, one after the other.
func (c *Client) connected(ctx context.Context) (*control, error) {
	if c.ending.Err() != nil {
		return nil, net.ErrClosed
	}
	if control := c.living(); control != nil {
		return control, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Timeout, os.ErrDeadlineExceeded)
	defer cancel()
	defer context.AfterFunc(c.ending, cancel)()
	select {
	case c.connecting <- struct{}{}:
		defer func() { <-c.connecting }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if control := c.living(); control != nil {
		return control, nil
	}
	conn, hello, err := c.dial(ctx, PurposeControl)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending.Err() != nil {
		conn.Close()
		return nil, net.ErrClosed
	}
	c.control = newControl(conn, c.cfg, int(min(hello.MaxInFlight, MaxInFlight)))
	return c.control, nil
}

// living gives the control connection if there is one that has not failed.
func (c *Client) living() *control {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.control != nil && c.control.alive() {
		return c.control
	}
	return nil
}

// dial connects and says hello.
func (c *Client) dial(ctx context.Context, p Purpose) (*net.UnixConn, Answer, error) {
	deadline := time.Now().Add(c.cfg.Timeout)
	dialer := net.Dialer{Deadline: deadline}
	conn, err := dialer.DialContext(ctx, "unixpacket", c.cfg.Path)
	if err != nil {
		return nil, Answer{}, err
	}
	unix := conn.(*net.UnixConn)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	a, err := hello(unix, p, deadline)
	if err != nil {
		conn.Close()
		return nil, Answer{}, fmt.Errorf("hello: %w", err)
	}
	return unix, a, nil
}

func hello(conn *net.UnixConn, p Purpose, deadline time.Time) (Answer, error) {
	if err := conn.SetDeadline(deadline); err != nil {
		return Answer{}, err
	}
	packet, err := Request{Op: OpHello, Purpose: p}.Append(nil)
	if err != nil {
		return Answer{}, err
	}
	if _, err := conn.Write(packet); err != nil {
		return Answer{}, err
	}
	buf := make([]byte, headerSize+helloAnswerSize)
	n, err := readPacket(conn, buf)
	if err != nil {
		return Answer{}, err
	}
	a, _, err := DecodeAnswer(buf[:n])
	if err == nil && (a.Op != OpHello || a.Seq != 0 || a.MaxInFlight == 0) {
		err = malformed("answer to hello is %s with sequence %d", a.Op, a.Seq)
	}
	if err != nil {
		return Answer{}, err
	}
	return a, conn.SetDeadline(time.Time{})
}

// unavailable names the caller's own cancellation as such, and all else as the helper's.
func unavailable(ctx context.Context, err error) error {
	switch {
	case ctx.Err() == nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case errors.Is(err, ErrUnanswered):
		return fmt.Errorf("%w: %w", ErrUnanswered, context.Cause(ctx))
	}
	return context.Cause(ctx)
}
