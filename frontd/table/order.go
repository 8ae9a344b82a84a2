// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// DefaultOrder is the field that rows are ordered by where a caller names none.
const DefaultOrder = "orig_src"

// QueryError says which parameter of a query is wrong, and why, in words for the caller.
type QueryError struct {
	Param  string // order_by, order_dir, start or length
	Reason string
}

func (e *QueryError) Error() string { return e.Param + ": " + e.Reason }

// ParseOrder checks the two parameters of an order: a sortable field by its exact name,
// and ASC, DESC, A or D in any case. The error is a *QueryError.
func ParseOrder(field, dir string) (orderBy string, desc bool, err error) {
	if f, ok := FieldNamed(field); !ok || !f.Sort {
		return "", false, &QueryError{"order_by", fmt.Sprintf("there is no field %s to order by", quoted(field))}
	}
	switch strings.ToUpper(dir) {
	case "ASC", "A":
		return field, false, nil
	case "DESC", "D":
		return field, true, nil
	}
	return "", false, &QueryError{"order_dir", fmt.Sprintf("%s is neither ASC nor DESC", quoted(dir))}
}

// ordering compares rows of a snapshot. It is a strict order of all rows, and the same
// one for the same connections in every snapshot: by the field, rows without it last in
// both directions; then by the id and then the rest of the key, upwards in both
// directions, which is the order of the keys' texts because a key begins with the id.
type ordering struct {
	s      *Snapshot
	load   loader
	desc   bool
	isAddr bool
	isKey  bool
	side   int
}

// ranked is a row with what decides its place, so that sorting stays in few cache lines.
type ranked struct {
	key  uint64 // of the field, inverted for descending
	id   uint32
	row  int32
	last bool // the row lacks the field; key is 0
}

func newOrdering(s *Snapshot, f Field, desc bool) *ordering {
	return &ordering{s: s, load: f.access.bind(s), desc: desc, isAddr: f.class == classAddr,
		isKey: f.class == classKey, side: f.side}
}

// flip inverts the keys of a descending order.
func (o *ordering) flip() uint64 {
	if o.desc {
		return math.MaxUint64
	}
	return 0
}

func (o *ordering) compare(a, b ranked) int {
	switch {
	case a.last != b.last:
		if a.last {
			return 1
		}
		return -1
	case a.key != b.key:
		return cmp.Compare(a.key, b.key)
	case o.isAddr && !a.last && (a.key^o.flip())&prefixIPv6 != 0:
		if c := o.compareIPv6(a, b); c != 0 {
			return c
		}
	}
	if a.id != b.id || a.row == b.row {
		return cmp.Compare(a.id, b.id)
	}
	c := strings.Compare(o.s.Key(a.row), o.s.Key(b.row))
	if o.isKey && o.desc {
		return -c
	}
	return c
}

// compareIPv6 compares in full what is equal in the first 63 bits.
func (o *ordering) compareIPv6(a, b ranked) int {
	col := o.s.addr[o.side]
	hiA, loA := o.s.addrWords(col[a.row])
	hiB, loB := o.s.addrWords(col[b.row])
	c := cmp.Or(cmp.Compare(hiA, hiB), cmp.Compare(loA, loB))
	if o.desc {
		return -c
	}
	return c
}

// ranked gives one row with its rank; the block is scratch space.
func (o *ordering) ranked(b *block, row int32) ranked {
	o.load(b, int(row), 1)
	if b.has[0]&1 == 0 {
		return ranked{id: o.s.id[row], row: row, last: true}
	}
	return ranked{key: b.val[0] ^ o.flip(), id: o.s.id[row], row: row}
}

// sample gives about size of the rows in the set, evenly spaced, in order.
func (o *ordering) sample(set bitmap, total, size int) []ranked {
	entries := make([]ranked, 0, size+1)
	step := max(total/size, 1)
	b := new(block)
	seen, next := 0, step/2
	for w, word := range set {
		n := bits.OnesCount64(word)
		for ; next < seen+n; next += step {
			rest := word
			for range next - seen {
				rest &= rest - 1
			}
			entries = append(entries, o.ranked(b, int32(w*64+bits.TrailingZeros64(rest))))
		}
		seen += n
	}
	slices.SortFunc(entries, o.compare)
	return entries
}

// bounds are the first and last rows that are gathered; nil leaves a side open.
type bounds struct{ lo, hi *ranked }

// gather gives the rows of the set within bounds, in order, and how many come before them.
func (o *ordering) gather(set bitmap, in bounds) (before int, inside []ranked) {
	var befores [maxWorkers]int
	var parts [maxWorkers][]ranked
	inParallel(o.s.Len(), func(worker, from, to int) {
		befores[worker], parts[worker] = o.gatherPart(set, in, from, to)
		slices.SortFunc(parts[worker], o.compare)
	})
	for _, n := range befores {
		before += n
	}
	for step := 1; step < maxWorkers; step *= 2 {
		for i := 0; i < maxWorkers; i += 2 * step {
			parts[i] = o.merge(parts[i], parts[i+step])
		}
	}
	return before, parts[0]
}

// merge puts two pieces that are in order into one.
func (o *ordering) merge(a, b []ranked) []ranked {
	if len(a) == 0 || len(b) == 0 {
		return append(a, b...)
	}
	all := make([]ranked, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if o.compare(a[0], b[0]) <= 0 {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return append(append(all, a...), b...)
}

func (o *ordering) gatherPart(set bitmap, in bounds, from, to int) (before int, inside []ranked) {
	// What the key alone decides goes without a call.
	loKey, hiKey := uint64(0), uint64(math.MaxUint64)
	if in.lo != nil && !in.lo.last {
		loKey = in.lo.key
	}
	if in.hi != nil && !in.hi.last {
		hiKey = in.hi.key
	}
	b, flip := new(block), o.flip()
	for ; from < to; from += blockRows {
		n := min(blockRows, to-from)
		words := set[from/64 : (from+n+63)/64]
		if allZero(words) {
			continue
		}
		o.load(b, from, n)
		for w, word := range words {
			has := b.has[w]
			for ; word != 0; word &= word - 1 {
				i := bits.TrailingZeros64(word)
				e := ranked{row: int32(from + w*64 + i), last: has>>i&1 == 0}
				if !e.last {
					e.key = b.val[w*64+i] ^ flip
					if e.key < loKey {
						before++
						continue
					}
					if e.key > hiKey {
						continue
					}
				}
				e.id = o.s.id[e.row]
				switch {
				case in.lo != nil && o.compare(e, *in.lo) < 0:
					before++
				case in.hi == nil || o.compare(e, *in.hi) <= 0:
					inside = append(inside, e)
				}
			}
		}
	}
	return before, inside
}

func allZero(words []uint64) bool {
	return !slices.ContainsFunc(words, func(w uint64) bool { return w != 0 })
}
