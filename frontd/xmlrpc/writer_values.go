// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// encodeStep is how many bytes are encoded to base64 at a time: a multiple of 3, so that
// padding comes at the end only.
const encodeStep = 3 << 10

// Int writes a number that belongs below 2^31 as <int>. One that does not fit all the
// same is written as U32 or, beyond that or below zero, U64 would: nothing is cut off.
func (w *Writer) Int(v int) {
	switch {
	case v >= math.MinInt32 && v <= math.MaxInt32:
		w.number("<value><int>", int64(v), "</int></value>")
	case v > 0 && uint64(v) <= math.MaxUint32:
		w.U32(uint32(v))
	default:
		w.number("<value><string>", int64(v), "</string></value>")
	}
}

// U32 writes a number of 32 bits without sign.
func (w *Writer) U32(v uint32) {
	open, shut := w.dialect.wide()
	w.number(open, int64(v), shut)
}

// U64 writes a number of 64 bits without sign: <string> in every dialect.
func (w *Writer) U64(v uint64) {
	if w.ready() {
		w.put("<value><string>")
		w.buf = strconv.AppendUint(w.buf, v, 10)
		w.put("</string></value>")
		w.wrote()
	}
}

// I64 writes a number of 64 bits with a sign.
func (w *Writer) I64(v int64) {
	open, shut := w.dialect.wide()
	w.number(open, v, shut)
}

// Bool writes <boolean>.
func (w *Writer) Bool(v bool) {
	text := "<boolean>0</boolean>"
	if v {
		text = "<boolean>1</boolean>"
	}
	w.fixed(text)
}

// Nothing writes what a method returns that has nothing to return.
func (w *Writer) Nothing() { w.fixed(w.dialect.nothing()) }

// String writes <string>. Invalid UTF-8 and characters that XML 1.0 cannot carry become U+FFFD.
func (w *Writer) String(s string) { w.element("<value><string>", s, "</string></value>") }

// Double writes <double> in decimal, without an exponent, which the specification does not
// have. Infinities and NaN, for which it has nothing, are an error.
func (w *Writer) Double(v float64) {
	if !w.ready() {
		return
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		w.err = fmt.Errorf("write answer: %v is not a number that XML-RPC has", v)
		return
	}
	w.put("<value><double>")
	w.buf = strconv.AppendFloat(w.buf, v, 'f', -1, 64)
	if v == math.Trunc(v) {
		w.put(".0") // some clients take a number without a point for an int
	}
	w.put("</double></value>")
	w.wrote()
}

// Value writes any value. A KindInt beyond 32 bits is written by I64, a KindNil by Nothing. A kind that does not
// exist and a KindTime that is no time are errors. It recurses as deep as v is.
func (w *Writer) Value(v Value) {
	switch v.Kind {
	case KindNil:
		w.Nothing()
	case KindInt:
		if v.Int >= math.MinInt32 && v.Int <= math.MaxInt32 {
			w.number("<value><int>", v.Int, "</int></value>")
		} else {
			w.I64(v.Int)
		}
	case KindDouble:
		w.Double(v.Double)
	case KindBool:
		w.Bool(v.Int != 0)
	case KindString:
		w.String(v.Text)
	case KindTime:
		if w.ready() && !isTime(v.Text) {
			w.err = fmt.Errorf("write answer: %q is not a time", cut(v.Text))
		}
		w.element("<value><dateTime.iso8601>", v.Text, "</dateTime.iso8601></value>")
	case KindBase64:
		w.base64(v.Text)
	case KindArray:
		w.BeginArray()
		for i := range v.Items {
			w.Value(v.Items[i])
		}
		w.EndArray()
	case KindStruct:
		w.BeginStruct()
		for i := range v.Members {
			w.Member(v.Members[i].Name)
			w.Value(v.Members[i].Value)
		}
		w.EndStruct()
	default:
		if w.ready() {
			w.err = fmt.Errorf("write answer: there is no %v", v.Kind)
		}
	}
}

func (w *Writer) number(open string, v int64, shut string) {
	if w.ready() {
		w.put(open)
		w.decimal(v)
		w.put(shut)
		w.wrote()
	}
}

func (w *Writer) decimal(v int64) { w.buf = strconv.AppendInt(w.buf, v, 10) }

func (w *Writer) fixed(element string) {
	if w.ready() {
		w.put("<value>")
		w.put(element)
		w.put("</value>")
		w.wrote()
	}
}

func (w *Writer) element(open, text, shut string) {
	if w.ready() {
		w.put(open)
		w.escape(text)
		w.put(shut)
		w.wrote()
	}
}

func (w *Writer) base64(data string) {
	if !w.ready() {
		return
	}
	w.put("<value><base64>")
	for len(data) > 0 {
		n := min(len(data), encodeStep)
		w.buf = base64.StdEncoding.AppendEncode(w.buf, []byte(data[:n]))
		data = data[n:]
		w.put("")
	}
	w.put("</base64></value>")
	w.wrote()
}

// escape appends text of others.
func (w *Writer) escape(s string) {
	from := 0
	for i := 0; i < len(s); {
		size, replacement := 1, ""
		switch c := s[i]; {
		case c == '&':
			replacement = "&amp;"
		case c == '<':
			replacement = "&lt;"
		case c == '>':
			replacement = "&gt;"
		case c == '\r': // as it is, it would be read as a line feed
			replacement = "&#13;"
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || !isChar(r) {
				replacement = "\uFFFD"
			}
		case !isChar(rune(c)):
			replacement = "\uFFFD"
		}
		if replacement != "" {
			w.long(s[from:i])
			w.put(replacement)
			from = i + size
		}
		i += size
	}
	w.long(s[from:])
}

// long appends text of any length, a piece at a time.
func (w *Writer) long(s string) {
	for len(s) > pieceSize-len(w.buf) {
		n := pieceSize - len(w.buf)
		w.put(s[:n])
		s = s[n:]
		if w.err != nil {
			return
		}
	}
	w.buf = append(w.buf, s...)
}
