// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"sync"
	"time"

	"nuconntrack/ipc"
)

// The four addresses and the four ports of a connection, as places in the columns.
const (
	origSrc = iota
	origDst
	replSrc
	replDst
)

// The four counters of a connection, as places in the columns.
const (
	origPackets = iota
	origBytes
	replPackets
	replBytes
)

// What a row has. A value whose bit is not set is unknown, never 0.
const (
	hasID = 1 << iota
	hasOrigPorts
	hasReplPorts
	hasOrigICMP // id, type and code stand in the ports, as in ipc.Tuple
	hasReplICMP
	hasStatus
	hasTimeout
	hasMark
	hasUse
	hasZone     // one zone for both directions
	hasOrigZone // a zone of the original direction only
	hasReplZone // a zone of the reply direction only
	hasTCPState
	hasSCTPState
	hasDCCPState
	hasOrigCounters
	hasReplCounters
	hasStart
	hasHelper
	hasLabels
	hasSecctx
	hasOrigRate
	hasReplRate
)

// Snapshot is the table as one reading of the kernel gave it. It never changes once it
// is built, so any number of calls may use it at once without a lock; only what is found out
// about it later has one of its own. It must not be copied.
type Snapshot struct {
	name        string        // unique in this process's life and across restarts
	taken       time.Time     // when the reading began
	spent       time.Duration // how long the reading took
	interrupted bool          // the kernel said that the table changed under the dump
	stats       ipc.Stats     // of the kernel, read just before the table
	bytes       uint64        // of the dump
	cut         bool          // the table was larger than MaxRows
	malformed   int           // messages left out because they made no sense
	repeated    int           // messages left out because the dump repeated a connection
	// readAt is how long after taken the rows were read, one for clockRows of them.
	readAt  []time.Duration
	meaning *Meaning // of the marks; nil: none
	columns

	look   sync.Once // guards having
	having having

	mu     sync.Mutex // guards beside
	beside any
}

// Name names the snapshot for a caller that wants another page of it.
func (s *Snapshot) Name() string { return s.name }

// Taken is when the reading began.
func (s *Snapshot) Taken() time.Time { return s.taken }

// Spent is how long the reading took.
func (s *Snapshot) Spent() time.Duration { return s.spent }

// Bytes is how long the dump was.
func (s *Snapshot) Bytes() uint64 { return s.bytes }

// Interrupted says that the kernel reported changes that the reading may have missed.
func (s *Snapshot) Interrupted() bool { return s.interrupted }

// Stats is what the kernel said about its table just before the reading.
func (s *Snapshot) Stats() ipc.Stats { return s.stats }

// Cut says that the table had more connections than MaxRows, and the rest is missing.
func (s *Snapshot) Cut() bool { return s.cut }

// Malformed is how many of the kernel's messages made no sense and were left out.
func (s *Snapshot) Malformed() int { return s.malformed }

// Repeated is how often the dump gave a connection again that it had given before.
func (s *Snapshot) Repeated() int { return s.repeated }

// Meaning is what the marks stand for; nil: nothing.
func (s *Snapshot) Meaning() *Meaning { return s.meaning }

// Beside is what the layer above keeps beside the table, such as answers that it gave: what
// fresh made at the first call. It lives as long as the table.
func (s *Snapshot) Beside(fresh func() any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beside == nil {
		s.beside = fresh()
	}
	return s.beside
}

// whatRowsHave is found out once.
func (s *Snapshot) whatRowsHave() *having {
	s.look.Do(func() { s.having = newHaving(s.has) })
	return &s.having
}

// Len is the number of connections.
func (s *Snapshot) Len() int { return len(s.has) }

// IDs are the kernel's ids of all rows, 0 where it gave none. They must not be changed.
func (s *Snapshot) IDs() []uint32 { return s.id }

// columns hold the rows, one slice a field, all of the same length: about 120 bytes an
// IPv4 row, so that a filter or a sort reads only the memory of the fields it needs.
type columns struct {
	has    []uint32
	family []uint8 // ipc.FamilyIPv4 or FamilyIPv6
	proto  []uint8
	state  []uint8 // of TCP, SCTP or DCCP, as the kernel numbers it
	// addr holds an IPv4 address as a number, or the index of an IPv6 address in addr6.
	addr     [4][]uint32
	addr6    [][16]byte
	port     [4][]uint16
	zone     [2][]uint16 // of orig and reply; a zone of both stands in both
	id       []uint32
	status   []uint32
	timeout  []uint32
	mark     []uint32
	use      []uint32
	counter  [4][]uint64
	start    []uint64    // nanoseconds since 1970
	rate     [2][]uint64 // bytes a second of orig and reply
	helper   []uint16    // index in names, with hasHelper
	secctx   []uint16    // index in names, with hasSecctx
	names    []string
	labels   []uint16 // index in names of the label set as a hexadecimal number, with hasLabels
	byTarget index    // finds a row by its target; see index.go
}
