// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math"
	"math/bits"
	"time"
)

// The status bits that have fields of their own: enum ip_conntrack_status in
// include/uapi/linux/netfilter/nf_conntrack_common.h.
const (
	ipsSeenReply    = 1 << 1
	ipsAssured      = 1 << 2
	ipsSrcNAT       = 1 << 4
	ipsDstNAT       = 1 << 5
	ipsFixedTimeout = 1 << 10
	ipsOffload      = 1 << 14
	ipsHWOffload    = 1 << 15
)

// timeLayout writes times as RFC 3339 with milliseconds; they are in UTC.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// columnOf reads one column, where a row has everything in need.
func columnOf[T unsigned](kind ValueKind, need uint32, col func(*columns) []T) access {
	return access{
		value: func(s *Snapshot, row int) (Value, bool) {
			if s.has[row]&need != need {
				return Value{}, false
			}
			return Value{Kind: kind, Num: uint64(col(&s.columns)[row])}, true
		},
		bind: func(s *Snapshot) Loader {
			c, has := col(&s.columns), s.whatRowsHave()
			return func(b *Block, from, n int) {
				has.load(&b.Has, need, from, n)
				loadColumn(b, c, from, n)
			}
		},
		test: func(s *Snapshot, set numbers) pass { return columnPass(col(&s.columns), s.whatRowsHave(), need, set) },
	}
}

// mapped shows another number than the column holds. same is called once a row, so it
// is not for the fields that tables are usually sorted by.
func (a access) mapped(same func(s *Snapshot, v uint64) uint64) access {
	return access{ // without test, which would ask the column
		value: func(s *Snapshot, row int) (Value, bool) {
			v, ok := a.value(s, row)
			v.Num = same(s, v.Num)
			return v, ok
		},
		bind: func(s *Snapshot) Loader {
			load := a.bind(s)
			return func(b *Block, from, n int) {
				load(b, from, n)
				for i, v := range b.Val[:n] {
					b.Val[i] = same(s, v)
				}
			}
		},
	}
}

func idAccess() access {
	return columnOf(KindU32, hasID, func(c *columns) []uint32 { return c.id })
}

// keyAccess orders by the id, with which every key begins; what is equal by that is
// ordered by the whole key, as rows always are.
func keyAccess() access {
	a := columnOf(KindU32, 0, func(c *columns) []uint32 { return c.id })
	a.value = func(s *Snapshot, row int) (Value, bool) {
		return Value{Kind: KindText, Text: s.Key(int32(row))}, true
	}
	return a
}

func icmpAccess(side, shift int) access {
	col := func(c *columns) []uint16 { return c.port[side] }
	return columnOf(KindInt, hasOrigICMP, col).mapped(func(_ *Snapshot, v uint64) uint64 { return v >> shift & 0xff })
}

func statusAccess() access {
	col := func(c *columns) []uint32 { return c.status }
	return columnOf(KindInt, hasStatus, col).mapped(func(_ *Snapshot, v uint64) uint64 { return v & math.MaxInt32 })
}

// useAccess keeps a count that no kernel reaches inside XML-RPC's int.
func useAccess() access {
	col := func(c *columns) []uint32 { return c.use }
	return columnOf(KindInt, hasUse, col).mapped(func(_ *Snapshot, v uint64) uint64 { return min(v, math.MaxInt32) })
}

// flagAccess reads status bits. Every row has the flag: unset where the status is unknown.
func flagAccess(flag uint32) access {
	return access{
		value: func(s *Snapshot, row int) (Value, bool) {
			v := Value{Kind: KindBool}
			if s.has[row]&hasStatus != 0 && s.status[row]&flag != 0 {
				v.Num = 1
			}
			return v, true
		},
		bind: func(s *Snapshot) Loader {
			return func(b *Block, from, n int) {
				fillMask(&b.Has, n)
				has := s.has[from : from+n]
				for i, v := range s.status[from : from+n] {
					b.Val[i&(BlockRows-1)] = isSet(v&flag) & isSet(has[i]&hasStatus)
				}
			}
		},
	}
}

// rateSumAccess adds the rates of both directions where both are known.
func rateSumAccess() access {
	const need = hasOrigRate | hasReplRate
	return access{
		value: func(s *Snapshot, row int) (Value, bool) {
			if s.has[row]&need != need {
				return Value{}, false
			}
			return Value{Kind: KindU64, Num: SumAtMost(s.rate[0][row], s.rate[1][row])}, true
		},
		bind: func(s *Snapshot) Loader {
			has := s.whatRowsHave()
			return func(b *Block, from, n int) {
				has.load(&b.Has, need, from, n)
				repl := s.rate[1][from : from+n]
				for i, v := range s.rate[0][from : from+n] {
					b.Val[i&(BlockRows-1)] = SumAtMost(v, repl[i])
				}
			}
		},
	}
}

// SumAtMost adds, and gives the largest number where the sum is larger.
func SumAtMost(a, b uint64) uint64 {
	v, carry := bits.Add64(a, b, 0)
	return v | -carry
}

// startAccess shows a time; Num holds it in nanoseconds since 1970.
func startAccess() access {
	a := columnOf(KindText, hasStart, func(c *columns) []uint64 { return c.start })
	num := a.value
	a.value = func(s *Snapshot, row int) (Value, bool) {
		v, ok := num(s, row)
		if ok {
			t := time.Unix(int64(v.Num/1e9), int64(v.Num%1e9))
			v.Text = t.UTC().Format(timeLayout)
		}
		return v, ok
	}
	return a
}

// ageAccess gives 0 for what began after the reading did.
func ageAccess() access {
	col := func(c *columns) []uint64 { return c.start }
	return columnOf(KindInt, hasStart, col).mapped(func(s *Snapshot, start uint64) uint64 {
		taken := uint64(max(s.taken.UnixNano(), 0))
		if start >= taken {
			return 0
		}
		return min((taken-start)/1e9, math.MaxInt32)
	})
}
