// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"nuconntrack/frontd/reason"
)

// digits writes a value, or both ends of a range, without the unit.
func (u unit) digits(text string) (string, error) {
	var read func(string) (uint64, error)
	switch u {
	case unitPort:
		if number := strings.TrimPrefix(text, ":"); strings.Trim(number, "0123456789-") == "" {
			return number, nil
		}
		return "", reason.NotPort.Of(Quoted(text))
	case unitSize:
		read = readSize
	case unitSeconds:
		read = readSeconds
	default:
		return text, nil
	}
	first, last, isRange := strings.Cut(text, "-")
	lo, err := read(first)
	if err != nil {
		return "", err
	}
	if !isRange {
		return strconv.FormatUint(lo, 10), nil
	}
	hi, err := read(last)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d-%d", lo, hi), nil
}

// maxFraction is how many digits a size may have behind the point: as many as G makes whole.
const maxFraction = 9

// readSize reads digits with k, M or G behind them, and a fraction that these make whole.
func readSize(text string) (uint64, error) {
	if text == "" {
		return 0, reason.NotSize.Of(Quoted(text))
	}
	number, factor := text[:len(text)-1], uint64(1)
	switch text[len(text)-1] {
	case 'k', 'K':
		factor = 1e3
	case 'm', 'M':
		factor = 1e6
	case 'g', 'G':
		factor = 1e9
	default:
		number = text
	}
	whole, fraction, hasPoint := strings.Cut(number, ".")
	value, err := strconv.ParseUint(whole, 10, 64)
	if err != nil || hasPoint && strings.Trim(fraction, "0123456789") != "" || hasPoint && fraction == "" {
		return 0, reason.NotSize.Of(Quoted(text))
	}
	over, value := bits.Mul64(value, factor)
	part := uint64(0)
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		if len(fraction) > maxFraction {
			return 0, reason.NotWhole.Of(Quoted(text))
		}
		part, _ = strconv.ParseUint(fraction, 10, 64) // digits, and few
		for range fraction {
			if factor%10 != 0 {
				return 0, reason.NotWhole.Of(Quoted(text))
			}
			factor /= 10
		}
		part *= factor
	}
	value, carry := bits.Add64(value, part, 0)
	if over != 0 || carry != 0 {
		return 0, reason.Above64Bits.Of(Quoted(text))
	}
	return value, nil
}

// readSeconds reads digits, or numbers of days, hours, minutes and seconds, the longer
// ones first, as tables show them.
func readSeconds(text string) (uint64, error) {
	if v, err := strconv.ParseUint(text, 10, 64); err == nil {
		return v, nil
	}
	const units = "dhms"
	seconds := [len(units)]uint64{86400, 3600, 60, 1}
	sum, next := uint64(0), 0
	for rest := text; ; {
		end := strings.IndexAny(rest, units)
		if end < 0 {
			return 0, reason.NotSpan.Of(Quoted(text))
		}
		place := strings.IndexByte(units, rest[end])
		v, err := strconv.ParseUint(rest[:end], 10, 32)
		if err != nil || place < next {
			return 0, reason.NotSpan.Of(Quoted(text))
		}
		sum += v * seconds[place] // below 2^49 each
		next = place + 1
		if rest = rest[end+1:]; rest == "" {
			return sum, nil
		}
	}
}
