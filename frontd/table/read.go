// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"context"
	"fmt"
	"hash/maphash"
	"syscall"
	"time"

	"nuconntrack/ipc"
)

// The helper must never wait for the front daemon: what it relays is copied at once and
// decoded by another goroutine, which may fall behind by this much while it makes room
// for rows or the garbage collector runs.
const (
	relayBuffers    = 64
	relayBufferSize = ipc.MaxDumpData
)

// relayed is a piece of a dump on its way to the decoder.
type relayed struct {
	data []byte
	at   time.Duration // after the reading began, when the last of data came
}

// relay carries a dump from the source to the builder.
type relay struct {
	began time.Time
	ctx   context.Context // ends when the decoder gives up
	full  chan relayed
	free  chan []byte
	made  int
	now   relayed // being filled
}

func newRelay(ctx context.Context, began time.Time) *relay {
	return &relay{
		began: began, ctx: ctx,
		full: make(chan relayed, relayBuffers),
		free: make(chan []byte, relayBuffers),
	}
}

// take copies data. It fails when the reading was given up.
func (r *relay) take(data []byte) error {
	if len(r.now.data)+len(data) > relayBufferSize {
		if err := r.flush(); err != nil {
			return err
		}
	}
	if r.now.data == nil {
		buf, err := r.buffer()
		if err != nil {
			return err
		}
		r.now.data = buf
	}
	r.now.data = append(r.now.data, data...)
	r.now.at = time.Since(r.began)
	return nil
}

// flush hands over what has been taken.
func (r *relay) flush() error {
	if len(r.now.data) == 0 {
		return nil
	}
	select {
	case r.full <- r.now:
		r.now = relayed{}
		return nil
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
}

// buffer gives an empty buffer: a used one, or a new one while there are few.
func (r *relay) buffer() ([]byte, error) {
	select {
	case buf := <-r.free:
		return buf, nil
	default:
	}
	if r.made < relayBuffers {
		r.made++
		return make([]byte, 0, relayBufferSize), nil
	}
	select {
	case buf := <-r.free:
		return buf, nil
	case <-r.ctx.Done():
		return nil, context.Cause(r.ctx)
	}
}

// decode feeds the builder until the dump is over.
func (r *relay) decode(b *builder) error {
	for piece := range r.full {
		if err := b.add(piece.data, piece.at); err != nil {
			return err
		}
		r.free <- piece.data[:0] // never blocks: there are no more buffers than places
	}
	return nil
}

// ReadConfig says what Read makes of a table.
type ReadConfig struct {
	Name    string       // of the snapshot
	Base    *Snapshot    // rates are since this older one; nil: since connections began
	Seed    maphash.Seed // secret, and the one that Base was read with; the zero value is not allowed
	Meaning *Meaning     // of the marks; nil: none
}

// Read reads the whole table once. When the source hands over what are no whole netlink messages,
// the error is a *FramingError; when the kernel refuses, its syscall.Errno; when ctx ends, as the source has it.
func Read(ctx context.Context, src Source, cfg ReadConfig) (*Snapshot, error) {
	began := time.Now()
	stats, err := src.Stats(ctx)
	if err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	count := stats.Count
	if count == 0 && cfg.Base != nil {
		count = uint32(cfg.Base.Len()) // better than nothing when the kernel does not tell
	}
	b := newBuilder(began, count, cfg.Base, cfg.Seed)
	b.snap.stats, b.snap.meaning = stats, cfg.Meaning

	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	r := newRelay(ctx, began)
	decoded := make(chan error, 1)
	go func() {
		err := r.decode(b)
		if err != nil {
			giveUp(err)
		}
		decoded <- err
	}()
	end, err := src.Dump(ctx, r.take)
	if err == nil {
		err = r.flush()
	}
	close(r.full)
	if broken := <-decoded; broken != nil {
		err = broken
	}
	if err != nil {
		return nil, fmt.Errorf("read connections: %w", err)
	}
	if end.Errno != 0 {
		return nil, fmt.Errorf("read connections: kernel: %w", syscall.Errno(end.Errno))
	}
	return b.finish(cfg.Name, end, time.Since(began)), nil
}
