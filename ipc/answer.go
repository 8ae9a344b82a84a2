// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"encoding/binary"
	"math"
	"time"
)

// Outcome is what became of a kill or a change.
type Outcome uint8

// The outcomes. String gives the words of the log; the outside interface and the fields of the
// audit have those of them that they know.
const (
	Killed    Outcome = 1  // the kernel removed it
	Changed   Outcome = 2  // the kernel holds the new value, as read back
	Gone      Outcome = 3  // no connection has these tuples
	Replaced  Outcome = 4  // another connection has the addresses now
	Protected Outcome = 5  // a protect rule of the policy covers it
	Forbidden Outcome = 6  // another rule of the policy refuses it
	Fixed     Outcome = 7  // the timeout is fixed already
	Partial   Outcome = 8  // the kernel refused, yet something changed
	Failed    Outcome = 9  // the kernel refused, nothing changed
	Limited   Outcome = 10 // too many requests
	Unaudited Outcome = 11 // the intent could not be written, nothing was done
)

var outcomeNames = [...]string{
	Killed: "killed", Changed: "changed", Gone: "gone", Replaced: "replaced",
	Protected: "protected", Forbidden: "forbidden", Fixed: "fixed", Partial: "partial",
	Failed: "failed", Limited: "limited", Unaudited: "unaudited",
}

// String gives the outcome's word.
func (o Outcome) String() string {
	if o >= Killed && int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

// Result answers a kill or a change.
type Result struct {
	Outcome  Outcome
	Errno    uint16        // of the kernel, with Failed and Partial
	Old, New *uint32       // the changed field before and after, nil when not known
	Retry    time.Duration // with Limited; whole milliseconds, at most 2^32-1
	Rule     string        // of the policy, with Protected, Forbidden and Limited; ValidText
}

const (
	resultOld = 1 << 0
	resultNew = 1 << 1
)

// The values of Stats, as bits of its Known member.
const (
	StatCount = 1 << iota
	StatMax
	StatBuckets
	StatAccounting
	StatTimestamps
	StatTCPLoose
	StatCPU
	statAll = 1<<iota - 1
)

// Stats is what the kernel says about its table. A value whose bit is not in Known is
// not known and zero. Counters are sums over all CPUs since boot (struct ip_conntrack_stat).
type Stats struct {
	Known                            uint32
	Count, Max, Buckets              uint32
	Accounting, Timestamps, TCPLoose bool
	CPUs                             uint32
	PerCPU                           [NumCounters]uint64 // in the order of CounterNames
}

// NumCounters is how many per-CPU counters there are.
const NumCounters = 10

// CounterNames are the names of Stats.PerCPU, as the kernel's attributes (CTA_STATS_*) have them.
func CounterNames() [NumCounters]string {
	return [NumCounters]string{"found", "invalid", "insert", "insert_failed", "drop",
		"early_drop", "error", "search_restart", "clash_resolve", "chain_toolong"}
}

// DumpEnd closes a dump.
type DumpEnd struct {
	Errno       uint32 // 0: the dump is whole
	Interrupted bool   // NLM_F_DUMP_INTR: entries may be missing or repeated
	Bytes       uint64
	Spent       time.Duration // time the helper spent reading
}

// Answer is what the helper answers. Op says which of the other members count.
type Answer struct {
	Op          Op
	Seq         uint64
	MaxInFlight uint32  // hello
	Stats       Stats   // stats
	End         DumpEnd // dump
	Result      Result  // kill, change
}

// Append encodes the answer behind b.
func (a Answer) Append(b []byte) ([]byte, error) {
	n, ok := answerSize(a.Op)
	if !ok {
		return b, malformed("operation %d", a.Op)
	}
	b = appendHeader(b, header{op: a.Op, kind: kindAnswer, seq: a.Seq}, n)
	switch a.Op {
	case OpHello:
		b = binary.BigEndian.AppendUint32(b, a.MaxInFlight)
		return append(b, 0, 0, 0, 0), nil
	case OpStats:
		return appendStats(b, a.Stats), nil
	case OpDump:
		return appendDumpEnd(b, a.End), nil
	}
	return appendResult(b, a.Result)
}

func appendStats(b []byte, s Stats) []byte {
	for _, v := range [...]uint32{s.Known, s.Count, s.Max, s.Buckets} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = append(b, bit(s.Accounting), bit(s.Timestamps), bit(s.TCPLoose), 0)
	b = binary.BigEndian.AppendUint32(b, s.CPUs)
	for _, v := range s.PerCPU {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return append(b, make([]byte, 8)...)
}

func appendDumpEnd(b []byte, e DumpEnd) []byte {
	b = binary.BigEndian.AppendUint32(b, e.Errno)
	b = append(b, 0, 0, 0, bit(e.Interrupted))
	b = binary.BigEndian.AppendUint64(b, e.Bytes)
	b = binary.BigEndian.AppendUint64(b, uint64(max(e.Spent, 0)))
	return append(b, make([]byte, 8)...)
}

func appendResult(b []byte, r Result) ([]byte, error) {
	if r.Outcome < Killed || int(r.Outcome) >= len(outcomeNames) || !ValidText(r.Rule) {
		return b, malformed("outcome %d, rule %q", r.Outcome, r.Rule)
	}
	retry := r.Retry.Milliseconds()
	if retry < 0 || retry > math.MaxUint32 {
		return b, malformed("retry after %s", r.Retry)
	}
	var flags byte
	var before, after uint32
	if r.Old != nil {
		flags, before = flags|resultOld, *r.Old
	}
	if r.New != nil {
		flags, after = flags|resultNew, *r.New
	}
	b = append(b, byte(r.Outcome), flags)
	b = binary.BigEndian.AppendUint16(b, r.Errno)
	for _, v := range [...]uint32{before, after, uint32(retry)} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = appendText(b, r.Rule)
	return append(b, make([]byte, 8)...), nil
}

func bit(v bool) byte {
	if v {
		return 1
	}
	return 0
}
