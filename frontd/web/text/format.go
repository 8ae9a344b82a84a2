// SPDX-License-Identifier: GPL-2.0-or-later

package text

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// signs are how a language writes numbers and times.
type signs struct {
	group, decimal string
	unit           string     // between a number and its unit
	bytes          string     // what a byte is called, after k, M, …
	percent        string     // after a number
	months         [12]string // short
	first          string     // day of a month
}

// Between digits and before units French has a narrow space that no line is broken at, English a
// comma and the common one (Imprimerie nationale, SI brochure).
const (
	narrowSpace  = "\u202f"
	noBreakSpace = "\u00a0"
)

// frenchSpaces makes the spaces beside guillemets and double signs those that no line is broken at
// (Imprimerie nationale, Lexique des règles typographiques). Catalogues have common ones there, which
// can be told apart by eye. What only looks like such a sign, as != does, stays as it is: readers copy it.
func frenchSpaces(s string) string {
	words := strings.Split(s, " ")
	var b strings.Builder
	for i, word := range words {
		switch sign := strings.TrimRight(word, ".,"); {
		case i == 0:
		case sign == ";" || sign == "!" || sign == "?":
			b.WriteString(narrowSpace)
		case sign == ":" || sign == "»" || strings.HasSuffix(words[i-1], "«"):
			b.WriteString(noBreakSpace)
		default:
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// Spaces are those that no line is broken at, which texts of a catalogue have.
const Spaces = narrowSpace + noBreakSpace

func englishSigns() signs {
	return signs{
		group: ",", decimal: ".", unit: noBreakSpace, bytes: "B", percent: "%", first: "1",
		months: [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	}
}

func frenchSigns() signs {
	return signs{
		group: narrowSpace, decimal: ",", unit: noBreakSpace, bytes: "o", percent: noBreakSpace + "%", first: "1er",
		months: [12]string{"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."},
	}
}

// Number writes a number with its digits in groups of three: 1,234,567.
func (l *Language) Number(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(l.signs.group)
		}
		b.WriteRune(d)
	}
	return b.String()
}

// Bytes writes a size with three digits at least where it has them, and a unit that is a power of
// 1000: 1.23 MB, 1,23 Mo.
func (l *Language) Bytes(n uint64) string {
	const unit = 1000
	if n < unit {
		return strconv.FormatUint(n, 10) + l.signs.unit + l.signs.bytes
	}
	value, prefixes := float64(n), "kMGTPE"
	at := -1
	for value >= unit-0.5 && at+1 < len(prefixes) {
		value /= unit
		at++
	}
	decimals := 2
	switch {
	case value >= 99.95:
		decimals = 0
	case value >= 9.995:
		decimals = 1
	}
	digits := strings.Replace(strconv.FormatFloat(value, 'f', decimals, 64), ".", l.signs.decimal, 1)
	return digits + l.signs.unit + prefixes[at:at+1] + l.signs.bytes
}

// Share writes a part of something, which is not 0, in percent; what is little is not nothing.
func (l *Language) Share(part, whole uint64) string {
	percent := 100 * float64(part) / float64(whole)
	if part > 0 && percent < 1 {
		return "<" + noBreakSpace + "1" + l.signs.percent
	}
	return strconv.FormatFloat(percent, 'f', 0, 64) + l.signs.percent
}

// Rate writes bytes a second.
func (l *Language) Rate(n uint64) string { return l.Bytes(n) + "/s" }

// Seconds writes a span with its two largest units: 4 d 3 h, 5 min 7 s.
func (l *Language) Seconds(n uint64) string {
	units := []struct {
		key  string
		size uint64
	}{{"unit.day", 86400}, {"unit.hour", 3600}, {"unit.minute", 60}, {"unit.second", 1}}
	part := func(n uint64, key string) string { return l.Number(n) + l.signs.unit + l.Text(key) }
	for i, u := range units[:len(units)-1] {
		if n < u.size {
			continue
		}
		next := units[i+1]
		text := part(n/u.size, u.key)
		if rest := n % u.size / next.size; rest > 0 {
			text += " " + part(rest, next.key)
		}
		return text
	}
	return part(n, "unit.second")
}

// Ago writes a short span of time with tenths of seconds below ten of them.
func (l *Language) Ago(d time.Duration) string {
	d = max(d, 0)
	if d >= 10*time.Second {
		return l.Seconds(uint64(d / time.Second))
	}
	digits := strings.Replace(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".", l.signs.decimal, 1)
	return digits + l.signs.unit + l.Text("unit.second")
}

// Time writes a time of day in UTC, with its date.
func (l *Language) Time(t time.Time) string {
	t = t.UTC()
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		day = l.signs.first
	}
	return fmt.Sprintf("%s %s %d, %s%sUTC", day, l.signs.months[t.Month()-1], t.Year(), t.Format("15:04:05"), noBreakSpace)
}

// Clock writes the time of day alone, in UTC.
func (l *Language) Clock(t time.Time) string { return t.UTC().Format("15:04:05") }
