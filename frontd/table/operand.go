// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/table/ident"
)

// Operand is what a member of a filter may hold: a string, an int64 or int, a float64
// without a fraction, a bool, or a slice []any of those.
type Operand = any

// The limits of a filter. What is beyond is refused, never cut.
const (
	// MaxMembers is how many members a filter may have.
	MaxMembers = 64
	// MaxAlternatives is how many values all members of a filter may have together.
	MaxAlternatives = 20000
	// MaxOperand is how many bytes a string of a filter may have.
	MaxOperand = 1024
	// maxQuoted is how much of a value an error repeats.
	maxQuoted = 64
)

// Quoted repeats what a caller sent, safely and never at length.
func Quoted(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%q…", s[:maxQuoted])
	}
	return fmt.Sprintf("%q", s)
}

// alternatives are the values that a member asks for, of which any will do, as the
// member's class has them.
type alternatives struct {
	numbers
	addresses
	texts []string
	keys  []string
}

// tidy brings the sets into the order that looking things up in them needs.
func (a *alternatives) tidy() {
	a.spans = mergeSpans(a.spans)
	a.index = indexSpans(a.spans)
	a.v4 = mergeSpans(a.v4)
	a.index4 = indexSpans(a.v4)
	a.v6 = mergeSpans6(a.v6)
	slices.Sort(a.texts)
	a.texts = slices.Compact(a.texts)
}

// add reads one value, without any `!`, into the set.
func (a *alternatives) add(f *Field, value Operand) error {
	switch v := value.(type) {
	case bool:
		if f.class != classFlag {
			return reason.NotBoolean.Of()
		}
		return a.addFlag(v)
	case int:
		return a.addInt(f, int64(v))
	case int64:
		return a.addInt(f, v)
	case float64:
		if v != math.Trunc(v) || math.Abs(v) >= 1<<53 {
			return reason.NotWholeNumber.Of(v)
		}
		return a.addInt(f, int64(v))
	case string:
		return a.addString(f, v)
	case []any:
		return reason.NestedArray.Of()
	}
	return reason.NotComparable.Of()
}

func (a *alternatives) addFlag(v bool) error {
	n := uint64(0)
	if v {
		n = 1
	}
	a.spans = append(a.spans, span{n, n})
	return nil
}

// addInt reads an XML-RPC number. An old client sends flags as 0 and 1.
func (a *alternatives) addInt(f *Field, v int64) error {
	switch {
	case v < 0 && (f.class == classNumber || f.class == classAddr):
		return reason.NegativeValue.Of(v)
	case f.class == classFlag && v >= 0 && v <= 1:
		return a.addFlag(v == 1)
	case f.class == classFlag:
		return reason.NotFlag.Of(v)
	case f.class == classNumber:
		return a.addSpan(f, uint64(v), uint64(v))
	case f.class == classAddr:
		return a.addAddressNumber(f, uint64(v))
	}
	return reason.NotText.Of()
}

func (a *alternatives) addSpan(f *Field, lo, hi uint64) error {
	switch {
	case lo > f.limit || hi > f.limit:
		return reason.AboveLimit.Of(max(lo, hi), f.limit)
	case lo > hi:
		return reason.WrongWay.Of(fmt.Sprintf("%d-%d", lo, hi))
	}
	a.spans = append(a.spans, span{lo, hi})
	return nil
}

func (a *alternatives) addString(f *Field, s string) error {
	switch {
	case len(s) > MaxOperand:
		return reason.LongValue.Of(len(s), MaxOperand)
	case s == "":
		return reason.EmptyValue.Of()
	}
	switch f.class {
	case classNumber:
		return a.addNumberText(f, s)
	case classAddr:
		return a.addAddressText(f, s)
	case classTime:
		return a.addTimeText(s)
	case classText:
		a.texts = append(a.texts, s)
		return nil
	case className:
		rank, ok := f.named(s)
		if !ok {
			return reason.NotName.Of(Quoted(s))
		}
		a.spans = append(a.spans, span{rank, rank})
		return nil
	case classKey:
		if _, err := ident.DecodeKey(s); err != nil {
			return reason.NotKey.Of(Quoted(s))
		}
		a.keys = append(a.keys, s)
		return nil
	}
	return reason.NotFlag.Of(Quoted(s))
}

// addNumberText reads a number, a name, value/mask, a-b or a comparison.
func (a *alternatives) addNumberText(f *Field, s string) error {
	if op, rest := cutComparison(s); op != "" {
		v, err := f.number(rest)
		if err != nil {
			return err
		}
		return a.addComparison(f, op, v)
	}
	if value, bitmask, ok := strings.Cut(s, "/"); ok && f.hex {
		return a.addMasked(f, value, bitmask)
	}
	if v, err := f.number(s); err == nil {
		return a.addSpan(f, v, v)
	}
	if f.named != nil {
		if v, ok := f.named(s); ok {
			return a.addSpan(f, v, v)
		}
	}
	if first, last, ok := strings.Cut(s, "-"); ok && first != "" && last != "" {
		lo, err := f.number(first)
		if err != nil {
			return err
		}
		hi, err := f.number(last)
		if err != nil {
			return err
		}
		return a.addSpan(f, lo, hi)
	}
	_, err := f.number(s)
	return err
}

// cutComparison splits off one of the four comparisons.
func cutComparison(s string) (op, rest string) {
	for _, op := range [4]string{">=", "<=", ">", "<"} {
		if rest, ok := strings.CutPrefix(s, op); ok {
			return op, rest
		}
	}
	return "", s
}

// addComparison asks for what is on one side of a number that the field can have. It may
// be on a side where nothing is: nothing matches then.
func (a *alternatives) addComparison(f *Field, op string, v uint64) error {
	if v > f.limit {
		return reason.AboveLimit.Of(v, f.limit)
	}
	switch {
	case op == ">=":
		a.spans = append(a.spans, span{v, f.limit})
	case op == "<=":
		a.spans = append(a.spans, span{0, v})
	case op == ">" && v < f.limit:
		a.spans = append(a.spans, span{v + 1, f.limit})
	case op == "<" && v > 0:
		a.spans = append(a.spans, span{0, v - 1})
	}
	return nil
}

func (a *alternatives) addMasked(f *Field, value, bitmask string) error {
	v, err := f.number(value)
	if err != nil {
		return err
	}
	m, err := f.number(bitmask)
	if err != nil {
		return err
	}
	switch {
	case v > f.limit || m > f.limit:
		return reason.AboveLimit.Of(max(v, m), f.limit)
	case v&^m != 0:
		return reason.OutsideMask.Of(v, m)
	}
	a.masked = append(a.masked, masked{v, m})
	return nil
}

// number reads decimal digits, or hexadecimal ones after 0x where the field has them.
func (f *Field) number(s string) (uint64, error) {
	base, digits := 10, s
	if f.hex && len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X") {
		base, digits = 16, s[2:]
	}
	v, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, reason.NotValue.Of(Quoted(s))
	}
	return v, nil
}

// addTimeText reads a time of RFC 3339, which stands for as long as its last digit does,
// so that a time matches what shows as that time; or a comparison with one.
func (a *alternatives) addTimeText(s string) error {
	op, rest := cutComparison(s)
	t, err := time.Parse(time.RFC3339Nano, rest)
	if err != nil || t.Year() < 1970 || t.Year() > 2261 || t.Unix() < 0 {
		return reason.NotTime.Of(Quoted(s))
	}
	digits := 0
	if _, fraction, ok := strings.Cut(rest, "."); ok {
		digits = len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
	}
	if digits > 9 {
		return reason.FineTime.Of(Quoted(s))
	}
	first := uint64(t.UnixNano())
	last := first + uint64(math.Pow10(9-digits)) - 1
	all := Field{limit: maxU64}
	switch op {
	case ">", "<=":
		return a.addComparison(&all, op, last)
	case ">=", "<":
		return a.addComparison(&all, op, first)
	}
	return a.addSpan(&all, first, last)
}
