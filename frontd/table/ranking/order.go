// SPDX-License-Identifier: GPL-2.0-or-later

package ranking

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"strings"

	"nuconntrack/frontd/table"
)

// DefaultOrder is the field that rows are ordered by where a caller names none.
const DefaultOrder = "orig_src"

// Error says which parameter of a query is wrong, and why, in words for the caller.
type Error struct {
	Param  string // by, order_by, order_dir, start or length
	Reason string
}

func (e *Error) Error() string { return e.Param + ": " + e.Reason }

// ParseOrder checks the two parameters of an order: a sortable field by its exact name,
// and ASC, DESC, A or D in any case. The error is an *Error.
func ParseOrder(field, dir string) (orderBy string, desc bool, err error) {
	if f, ok := table.FieldNamed(field); !ok || !f.Sort {
		return "", false, &Error{"order_by", fmt.Sprintf("there is no field %s to order by", table.Quoted(field))}
	}
	desc, err = parseDirection(dir)
	return field, desc, err
}

func parseDirection(dir string) (desc bool, err error) {
	switch strings.ToUpper(dir) {
	case "ASC", "A":
		return false, nil
	case "DESC", "D":
		return true, nil
	}
	return false, &Error{"order_dir", fmt.Sprintf("%s is neither ASC nor DESC", table.Quoted(dir))}
}

// ordering compares rows of a snapshot. It is a strict order of all rows, and the same
// one for the same connections in every snapshot: by the field, rows without it last in
// both directions; then by the id and then the rest of the key, upwards in both
// directions, which is the order of the keys' texts because a key begins with the id.
type ordering struct {
	s      *table.Snapshot
	field  table.Field
	load   table.Loader
	ids    []uint32
	desc   bool
	isAddr bool
	isKey  bool
}

// ranked is a row with what decides its place, so that sorting stays in few cache lines.
type ranked struct {
	key  uint64 // of the field, inverted for descending
	id   uint32
	row  int32
	last bool // the row lacks the field; key is 0
}

func newOrdering(s *table.Snapshot, f table.Field, desc bool) *ordering {
	return &ordering{s: s, field: f, load: f.Load(s), ids: s.IDs(), desc: desc, isAddr: f.IsAddress(), isKey: f.IsKey()}
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
	case o.isAddr && !a.last && (a.key^o.flip())&table.PrefixIPv6 != 0:
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
	c := bytes.Compare(o.field.IPv6(o.s, a.row)[:], o.field.IPv6(o.s, b.row)[:])
	if o.desc {
		return -c
	}
	return c
}

// ranked gives one row with its rank; the block is scratch space.
func (o *ordering) ranked(b *table.Block, row int32) ranked {
	o.load(b, int(row), 1)
	if b.Has[0]&1 == 0 {
		return ranked{id: o.ids[row], row: row, last: true}
	}
	return ranked{key: b.Val[0] ^ o.flip(), id: o.ids[row], row: row}
}
