// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"net/netip"
	"strconv"
)

// ValueKind says which member of a Value counts, and how it goes over the wire.
type ValueKind uint8

// The kinds of values.
const (
	KindInt  ValueKind = iota + 1 // Num, below 2^31
	KindU32                       // Num, 32 bits
	KindU64                       // Num, 64 bits
	KindBool                      // Num, 0 or 1
	KindText                      // Text
	KindAddr                      // Addr
)

// Value is what a field of a row holds. It is made without allocating for everything
// but KindText of times, keys and protocols that have only a number.
type Value struct {
	Kind ValueKind
	Num  uint64
	Text string
	Addr netip.Addr
}

// String is the value as a text: numbers in decimal, flags true or false.
func (v Value) String() string {
	switch v.Kind {
	case KindText:
		return v.Text
	case KindAddr:
		return v.Addr.String()
	case KindBool:
		return strconv.FormatBool(v.Num != 0)
	}
	return strconv.FormatUint(v.Num, 10)
}
