// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"math"
	"strconv"
	"strings"

	"nuconntrack/frontd/reason"
	"nuconntrack/ipc"
)

// ParseChange reads the name of a field and its new value as people write them: a mark in decimal
// or, after 0x, in hexadecimal, with or without a mask after a slash; a timeout in seconds.
func ParseChange(field, value string) (ipc.Change, error) {
	switch field {
	case ipc.FieldMark.String():
		bits, mask, err := ParseMark(value)
		return ipc.Change{Field: ipc.FieldMark, Value: bits, Mask: mask}, err
	case ipc.FieldTimeout.String():
		n, err := ParseNumber(value, field, math.MaxUint32, 10)
		if err != nil {
			return ipc.Change{}, err
		}
		return TimeoutChange(n)
	}
	return ipc.Change{}, NoSuchChange(field)
}

// TimeoutChange is the change of a timeout to so many seconds.
func TimeoutChange(seconds uint64) (ipc.Change, error) {
	if seconds < 1 || seconds > ipc.MaxTimeout {
		return ipc.Change{}, wrongParam(ipc.FieldTimeout, reason.NotSeconds.Of(seconds, ipc.MaxTimeout))
	}
	return ipc.Change{Field: ipc.FieldTimeout, Value: uint32(seconds)}, nil
}

// NoSuchChange is the fault of a field that cannot be changed.
func NoSuchChange(field string) error {
	return wrongParam("field", reason.NoChange.Of(cut(field)))
}

// ParseMark reads connmark bits and their mask, which is all bits where none is written.
func ParseMark(s string) (value, mask uint32, err error) {
	mask = math.MaxUint32
	bits, rest, masked := strings.Cut(s, "/")
	if masked {
		if mask, err = bitsOf(rest, reason.MaskOfMark.Of()); err != nil {
			return 0, 0, err
		}
	}
	if value, err = bitsOf(bits, "mark"); err != nil {
		return 0, 0, err
	}
	if value&^mask != 0 {
		return 0, 0, wrongParam("mark", reason.OutsideItsMask.Of(value, mask))
	}
	return value, mask, nil
}

func bitsOf(s string, name any) (uint32, error) {
	base := 10
	if len(s) > 2 && (strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X")) {
		s, base = s[2:], 16
	}
	n, err := parseNumber(s, name, math.MaxUint32, base)
	return uint32(n), err
}

// ParseNumber reads an unsigned number up to largest; name stands in the fault.
func ParseNumber(s, name string, largest uint64, base int) (uint64, error) {
	return parseNumber(s, name, largest, base)
}

// parseNumber takes as a name also a part of a Reason.
func parseNumber(s string, name any, largest uint64, base int) (uint64, error) {
	if strings.HasPrefix(s, "-") {
		return 0, negative(name)
	}
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil || n > largest {
		return 0, because(CodeParams, reason.NotNumber.Of(name, cut(s), largest))
	}
	return n, nil
}

// Negative is the fault of a negative number.
func Negative(name string) error { return negative(name) }

func negative(name any) error { return because(CodeParams, reason.NegativeParam.Of(name)) }
