// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"context"
	"errors"
	"fmt"

	"nuconntrack/ipc"
	"nuconntrack/privd/ctnetlink"

	"golang.org/x/sys/unix"
)

// An Entry is a connection as the kernel reported it, see ctnetlink.Entry.
type Entry interface {
	Target() ipc.Target
	Mark() uint32
	Timeout() (seconds uint32, known bool)
	FixedTimeout() bool
}

// A Table reads, deletes and changes connections, see ctnetlink.Conn for what each may do
// and fail with. What is about several answers for each of them, in their order, and
// nothing is nil: a Read has an Entry or an error. It takes no Entry but its own.
type Table interface {
	Get([]ipc.Target) []Read
	Delete([]Entry) []error
	SetMark(e Entry, value, mask uint32) error
	FixTimeout(e Entry, seconds uint32) error
}

// A Read is what reading one connection gave.
type Read struct {
	Entry Entry // nil with an error
	Err   error
}

// A Reader reads what is not about one connection, see ctnetlink.Dumper and
// ctnetlink.StatsReader.
type Reader interface {
	Dump(ctx context.Context, each func(messages []byte) error) (interrupted bool, bytes uint64, err error)
	Stats() (ipc.Stats, error)
}

// Kernel is the real Table and Reader.
type Kernel struct {
	conn   *ctnetlink.Conn
	dumper *ctnetlink.Dumper
	stats  *ctnetlink.StatsReader
}

// OpenKernel opens what is needed in the network namespace of the calling thread.
func OpenKernel() (*Kernel, error) {
	conn, err := ctnetlink.Dial()
	if err != nil {
		return nil, err
	}
	dumper, err := ctnetlink.NewDumper()
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	stats, err := ctnetlink.NewStatsReader()
	if err != nil {
		return nil, errors.Join(err, conn.Close(), dumper.Close())
	}
	return &Kernel{conn: conn, dumper: dumper, stats: stats}, nil
}

// Close ends all after what is under way. It may be called twice.
func (k *Kernel) Close() error {
	return errors.Join(k.conn.Close(), k.dumper.Close(), k.stats.Close())
}

// Get reads the connections that have the targets' original tuples.
func (k *Kernel) Get(targets []ipc.Target) []Read {
	entries, errs := k.conn.GetAll(targets)
	all := make([]Read, len(targets))
	for i, err := range errs {
		if err != nil {
			all[i].Err = err // and no zero ctnetlink.Entry in an interface
		} else {
			all[i].Entry = entries[i]
		}
	}
	return all
}

// Delete removes connections.
func (k *Kernel) Delete(entries []Entry) []error {
	// A zero Entry, in the place of what is not the kernel's, is refused.
	real := make([]ctnetlink.Entry, len(entries))
	for i, e := range entries {
		real[i], _ = e.(ctnetlink.Entry)
	}
	return k.conn.DeleteAll(real)
}

// SetMark sets the bits of the mark that are in mask.
func (k *Kernel) SetMark(e Entry, value, mask uint32) error {
	return own(e, func(e ctnetlink.Entry) error { return k.conn.SetMark(e, value, mask) })
}

// FixTimeout makes a connection end after so many seconds.
func (k *Kernel) FixTimeout(e Entry, seconds uint32) error {
	return own(e, func(e ctnetlink.Entry) error { return k.conn.FixTimeout(e, seconds) })
}

// Dump relays the table.
func (k *Kernel) Dump(ctx context.Context, each func([]byte) error) (interrupted bool, bytes uint64, err error) {
	return k.dumper.Dump(ctx, each)
}

// Stats reads what the kernel says about its table.
func (k *Kernel) Stats() (ipc.Stats, error) { return k.stats.Stats() }

// own lets no Entry through that the kernel did not report.
func own(e Entry, do func(ctnetlink.Entry) error) error {
	real, ok := e.(ctnetlink.Entry)
	if !ok {
		return fmt.Errorf("%w: entry of type %T", ctnetlink.ErrRefused, e)
	}
	return do(real)
}

// errno gives the kernel's number for the answer. What has none, such as an answer that
// did not come, is an input/output error.
func errno(err error) uint16 {
	if err == nil {
		return 0
	}
	var e *ctnetlink.Error
	if errors.As(err, &e) && e.Errno > 0 && e.Errno < 1<<16 {
		return uint16(e.Errno)
	}
	return uint16(unix.EIO)
}
