// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import "nuconntrack/frontd/table"

// Sum is one of the sums over the members of a group, named as the field that is summed.
type Sum uint8

// The sums, in the order in which a group shows them.
const (
	SumOrigPackets Sum = iota
	SumOrigBytes
	SumReplPackets
	SumReplBytes
	SumOrigRate
	SumReplRate
	SumRate // of byte_rate, so only of members whose rate is known both ways
	sumCount
)

// Sums gives all sums.
func Sums() []Sum {
	return []Sum{SumOrigPackets, SumOrigBytes, SumReplPackets, SumReplBytes, SumOrigRate, SumReplRate, SumRate}
}

// String is the name of the field that is summed.
func (n Sum) String() string {
	switch n {
	case SumOrigPackets:
		return "orig_counter_packets"
	case SumOrigBytes:
		return "orig_counter_bytes"
	case SumReplPackets:
		return "repl_counter_packets"
	case SumReplBytes:
		return "repl_counter_bytes"
	case SumOrigRate:
		return "orig_byte_rate"
	case SumReplRate:
		return "repl_byte_rate"
	case SumRate:
		return "byte_rate"
	}
	return ""
}

// loader loads the field that is summed.
func (n Sum) loader(s *table.Snapshot) table.Loader {
	f, _ := table.FieldNamed(n.String())
	return f.Load(s)
}

// Totals are what the members of a group have together. The zero value is of no members.
type Totals struct {
	Connections int
	sums        [sumCount]uint64
	known       [sumCount]bool
}

// Sum gives a sum over those members that have the field; false: none has. What would be
// beyond 64 bits stays at the largest number.
func (t *Totals) Sum(n Sum) (uint64, bool) { return t.sums[n], t.known[n] }

func (t *Totals) add(n Sum, v uint64) {
	t.sums[n], t.known[n] = table.SumAtMost(t.sums[n], v), true
}

// merge adds the members of another.
func (t *Totals) merge(other *Totals) {
	t.Connections += other.Connections
	for n, known := range other.known {
		if known {
			t.add(Sum(n), other.sums[n])
		}
	}
}
