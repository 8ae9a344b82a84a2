// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"errors"
	"strconv"
	"strings"
)

// scalarKind knows the elements that hold text only, or nothing.
func scalarKind(element string) (Kind, bool) {
	switch element {
	case "string":
		return KindString, true
	case "int", "i4", "i8", "ex:i8":
		return KindInt, true
	case "boolean":
		return KindBool, true
	case "double":
		return KindDouble, true
	case "nil", "ex:nil":
		return KindNil, true
	case "dateTime.iso8601":
		return KindTime, true
	case "base64":
		return KindBase64, true
	}
	return 0, false
}

// scalar makes a value of the text of an element.
func (p *parser) scalar(kind Kind, element, text string) (Value, error) {
	if kind == KindString {
		return Value{Kind: KindString, Text: text}, nil
	}
	trimmed := strings.Trim(text, spaces)
	switch kind {
	case KindInt:
		return p.integer(element, trimmed)
	case KindDouble:
		f, err := strconv.ParseFloat(trimmed, 64)
		// ParseFloat reads hexadecimal, underscores, "inf" and "nan" too.
		if !isDecimal(trimmed) || err != nil {
			return Value{}, p.invalid("<double> %q is not a decimal number that a double can hold", cut(trimmed))
		}
		return Value{Kind: KindDouble, Double: f}, nil
	case KindBool:
		if trimmed != "0" && trimmed != "1" {
			return Value{}, p.invalid("<boolean> %q is neither 0 nor 1", cut(trimmed))
		}
		return Value{Kind: KindBool, Int: int64(trimmed[0] - '0')}, nil
	case KindTime:
		if !isTime(trimmed) {
			return Value{}, p.invalid("<dateTime.iso8601> %q is not like 19980717T14:08:55", cut(trimmed))
		}
		return Value{Kind: KindTime, Text: trimmed}, nil
	case KindBase64:
		decoded, ok := decodeBase64(text)
		if !ok {
			return Value{}, p.invalid("<base64> is not valid")
		}
		return Value{Kind: KindBase64, Text: decoded}, nil
	}
	if trimmed != "" { // KindNil
		return Value{}, p.invalid("<%s> is not empty", element)
	}
	return Value{}, nil
}

func (p *parser) integer(element, text string) (Value, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return Value{}, p.invalid("<%s> %q does not fit into 64 bits, send it as <string>", element, cut(text))
	}
	if err != nil {
		return Value{}, p.invalid("<%s> %q is not a whole number", element, cut(text))
	}
	return Value{Kind: KindInt, Int: n}, nil
}

// isDecimal accepts a sign, digits with or without a point, and an exponent,
// which the specification does not have and most clients send.
func isDecimal(s string) bool {
	s = unsigned(s)
	whole, s := digits(s)
	fraction := 0
	if rest, ok := strings.CutPrefix(s, "."); ok {
		fraction, s = digits(rest)
	}
	if whole+fraction == 0 {
		return false
	}
	if s == "" {
		return true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	n, s := digits(unsigned(s[1:]))
	return n > 0 && s == ""
}

func unsigned(s string) string {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		return s[1:]
	}
	return s
}

// digits returns how many digits s begins with, and what follows.
func digits(s string) (int, string) {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n, s[n:]
}

// isTime accepts what clients send for a dateTime.iso8601: 19980717T14:08:55, with or without
// dashes and colons, a fraction and a zone. Days are not checked against their month.
func isTime(s string) bool {
	if n, _ := digits(s); n < 4 {
		return false
	}
	s = s[4:]
	ok := true
	part := func(separator string, low, high int) {
		s = strings.TrimPrefix(s, separator)
		if len(s) < 2 || !isDigit(s[0]) || !isDigit(s[1]) {
			ok, s = false, ""
			return
		}
		n := int(s[0]-'0')*10 + int(s[1]-'0')
		ok = ok && n >= low && n <= high
		s = s[2:]
	}
	part("-", 1, 12)
	part("-", 1, 31)
	if !strings.HasPrefix(s, "T") {
		return false
	}
	s = s[1:]
	part("", 0, 24)
	part(":", 0, 59)
	part(":", 0, 60)
	if rest, found := strings.CutPrefix(s, "."); found {
		var n int
		n, s = digits(rest)
		ok = ok && n > 0
	}
	if s == "" || s == "Z" {
		return ok
	}
	if s[0] != '+' && s[0] != '-' {
		return false
	}
	s = s[1:]
	part("", 0, 23)
	if s != "" {
		part(":", 0, 59)
	}
	return ok && s == ""
}
