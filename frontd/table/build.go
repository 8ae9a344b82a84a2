// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"hash/maphash"
	"time"

	"nuconntrack/ipc"
)

// clockRows is how many rows share one entry of Snapshot.readAt.
const clockRows = 1024

// hintSlack is the room beyond the kernel's count with which a table starts, so that one
// that grows under the dump need not be moved: a sixteenth, and this many rows.
const hintSlack = 1024

// builder makes a snapshot out of a dump, row by row, while the dump runs. Rows enter the
// index and get their rates as they come, so that little is left to do at the end.
type builder struct {
	snap    *Snapshot
	base    *Snapshot // for rates; nil when there is none
	decoder decoder
	record  record
	rows    int // in the index
	limit   int // rows at most
	marks   int // messages with a mark
	hashes  []uint64
	touched uint32 // means nothing
	guess   int32  // the row of base that probably holds the next connection too
	since   time.Duration
}

// newBuilder starts a snapshot for about count rows, whose reading began at taken. The
// base may be nil; the seed must be the one of the base.
func newBuilder(taken time.Time, count uint32, base *Snapshot, seed maphash.Seed) *builder {
	b := &builder{snap: &Snapshot{taken: taken}, base: base, limit: MaxRows}
	if base != nil {
		b.since = taken.Sub(base.taken)
	}
	rows := min(int(count)+int(count)/16+hintSlack, MaxRows)
	b.snap.resize(rows)
	b.snap.byTarget = newIndex(seed, rows)
	return b
}

// add takes whole netlink messages that were read at this time after taken. Its error is
// a *FramingError; a single message that makes no sense is counted and left out.
func (b *builder) add(data []byte, at time.Duration) error {
	b.hashes = b.hashes[:0]
	for len(data) > 0 {
		typ, body, rest, err := cutMessage(data)
		if err != nil {
			return err
		}
		data = rest
		switch {
		case typ == nlTypeNoop || typ == nlTypeDone:
		case typ != nlTypeNew || !b.decoder.decode(body, &b.record):
			b.snap.malformed++
		default:
			b.append()
		}
	}
	b.commit(at)
	return nil
}

// append writes the entry behind the rows that wait for commit.
func (b *builder) append() {
	s, row := b.snap, b.rows+len(b.hashes)
	if row >= b.limit {
		s.cut = true
		return
	}
	if row == len(s.has) {
		s.resize(min(row+row/4+hintSlack, b.limit))
	}
	if b.record.has&hasMark != 0 {
		b.marks++
	}
	if need := len(s.addr6) + len(b.record.Addr); b.record.Family == ipc.FamilyIPv6 && need > cap(s.addr6) {
		s.addr6 = growAddrs(s.addr6, row, len(s.has))
	}
	s.put(row, &b.record)
	b.hashes = append(b.hashes, s.byTarget.hash(&b.record.Ident))
}

// growAddrs makes room for the IPv6 addresses of all rows, when done of them show how
// many there will be: doubling a column of 64 bytes a row would cost more than the rest
// of the table.
func growAddrs(addrs [][16]byte, done, rows int) [][16]byte {
	size := 2*len(addrs) + 4*clockRows
	if done >= clockRows {
		size = max(len(addrs)+len(addrs)/8, int(float64(len(addrs))/float64(done)*float64(rows))) + 4*clockRows
	}
	grown := make([][16]byte, len(addrs), size)
	copy(grown, addrs)
	return grown
}

// commit puts the waiting rows into the index, without those that are there already.
func (b *builder) commit(at time.Duration) {
	s, first := b.snap, b.rows
	if need := first + len(b.hashes); need > s.byTarget.room() {
		s.reindex(need+need/4, first)
	}
	b.touched = s.byTarget.touch(b.hashes)
	for i, h := range b.hashes {
		row := first + i
		id := s.ident(int32(row))
		slot := s.search(h, &id)
		if s.byTarget.slots[slot] != 0 {
			s.repeated++
			continue
		}
		if row != b.rows {
			s.move(b.rows, row)
		}
		s.byTarget.slots[slot] = SlotOf(h, int32(b.rows))
		if b.rows%clockRows == 0 {
			s.readAt = append(s.readAt, at)
		}
		b.rate(int32(b.rows), h, &id, at)
		b.rows++
	}
}

// finish gives the snapshot, after which the builder must not be used.
func (b *builder) finish(name string, end ipc.DumpEnd, spent time.Duration) *Snapshot {
	s := b.snap
	s.name, s.spent, s.interrupted, s.bytes = name, spent, end.Interrupted, end.Bytes
	s.resize(b.rows)
	resize(&s.addr6, len(s.addr6))
	s.names = b.decoder.names.names
	// ctnetlink_dump_mark leaves a mark of 0 out of dumps in kernels before 6.3 and the
	// stable ones of that time. One mark anywhere shows that the kernel has marks.
	if b.marks > 0 {
		for i := range s.has {
			s.has[i] |= hasMark
		}
	}
	return s
}
