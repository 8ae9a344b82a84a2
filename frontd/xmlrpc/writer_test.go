// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

const (
	responseOpen = prolog10 + "<methodResponse><params><param>"
	exOpen       = prolog10 + `<methodResponse xmlns:ex="http://ws.apache.org/xmlrpc/namespaces/extensions"><params><param>`
)

// answer writes one value and returns what stands between <param> and </param>.
func answer(t testing.TB, d Dialect, write func(*Writer)) string {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, d)
	w.Response()
	write(w)
	w.EndResponse()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	open := responseOpen
	if d == Ex {
		open = exOpen
	}
	s, begins := strings.CutPrefix(out.String(), open)
	s, ends := strings.CutSuffix(s, afterOne)
	if !begins || !ends {
		t.Fatalf("wrote %s", out.String())
	}
	return s
}

func TestWriteScalars(t *testing.T) {
	for _, tc := range []struct {
		name          string
		write         func(*Writer)
		plain, i8, ex string // i8 and ex empty: as plain
	}{
		{"int", func(w *Writer) { w.Int(-5) }, "<int>-5</int>", "", ""},
		{"int, largest", func(w *Writer) { w.Int(math.MaxInt32) }, "<int>2147483647</int>", "", ""},
		{"int, smallest", func(w *Writer) { w.Int(math.MinInt32) }, "<int>-2147483648</int>", "", ""},
		{"int of 32 bits", func(w *Writer) { w.Int(1 << 31) }, "<string>2147483648</string>", "<i8>2147483648</i8>", "<ex:i8>2147483648</ex:i8>"},
		{"int of 33 bits", func(w *Writer) { w.Int(1 << 32) }, "<string>4294967296</string>", "", ""},
		{"int far below zero", func(w *Writer) { w.Int(math.MinInt64) }, "<string>-9223372036854775808</string>", "", ""},
		{"u32, zero", func(w *Writer) { w.U32(0) }, "<string>0</string>", "<i8>0</i8>", "<ex:i8>0</ex:i8>"},
		{"u32, largest", func(w *Writer) { w.U32(math.MaxUint32) }, "<string>4294967295</string>", "<i8>4294967295</i8>", "<ex:i8>4294967295</ex:i8>"},
		{"u64, zero", func(w *Writer) { w.U64(0) }, "<string>0</string>", "", ""},
		{"u64, largest", func(w *Writer) { w.U64(math.MaxUint64) }, "<string>18446744073709551615</string>", "", ""},
		{"i64", func(w *Writer) { w.I64(-1) }, "<string>-1</string>", "<i8>-1</i8>", "<ex:i8>-1</ex:i8>"},
		{"true", func(w *Writer) { w.Bool(true) }, "<boolean>1</boolean>", "", ""},
		{"false", func(w *Writer) { w.Bool(false) }, "<boolean>0</boolean>", "", ""},
		{"nothing", func(w *Writer) { w.Nothing() }, "<boolean>1</boolean>", "<nil/>", "<ex:nil/>"},
		{"double", func(w *Writer) { w.Double(-12.25) }, "<double>-12.25</double>", "", ""},
		{"double, whole", func(w *Writer) { w.Double(4294967295) }, "<double>4294967295.0</double>", "", ""},
		{"double, small", func(w *Writer) { w.Double(1e-9) }, "<double>0.000000001</double>", "", ""},
		{"string", func(w *Writer) { w.String(" grüß\n\tdich ") }, "<string> grüß\n\tdich </string>", "", ""},
		{"string, empty", func(w *Writer) { w.String("") }, "<string></string>", "", ""},
		{"string, markup", func(w *Writer) { w.String(`<a b="c">&amp;]]>'`) }, `<string>&lt;a b="c"&gt;&amp;amp;]]&gt;'</string>`, "", ""},
		{"string, carriage return", func(w *Writer) { w.String("a\r\nb\r") }, "<string>a&#13;\nb&#13;</string>", "", ""},
		{"string, control characters", func(w *Writer) { w.String("\x00a\x1b\x7f") }, "<string>\ufffda\ufffd\x7f</string>", "", ""},
		{"string, not utf-8", func(w *Writer) { w.String("a\xffb\xe2\x82") }, "<string>a\ufffdb\ufffd\ufffd</string>", "", ""},
		{"string, no characters", func(w *Writer) { w.String("\ufffe\uffff\ufffd") }, "<string>\ufffd\ufffd\ufffd</string>", "", ""},
		{"string, beyond 16 bits", func(w *Writer) { w.String("\U0001f600") }, "<string>\U0001f600</string>", "", ""},
		{"value, nil", func(w *Writer) { w.Value(Value{}) }, "<boolean>1</boolean>", "<nil/>", "<ex:nil/>"},
		{"value, int", func(w *Writer) { w.Value(Value{Kind: KindInt, Int: 7}) }, "<int>7</int>", "", ""},
		{"value, wide int", func(w *Writer) { w.Value(Value{Kind: KindInt, Int: -1 << 40}) }, "<string>-1099511627776</string>", "<i8>-1099511627776</i8>", "<ex:i8>-1099511627776</ex:i8>"},
		{"value, time", func(w *Writer) { w.Value(Value{Kind: KindTime, Text: "19980717T14:08:55"}) }, "<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>", "", ""},
		{"value, base64", func(w *Writer) { w.Value(Value{Kind: KindBase64, Text: "\x00\xff\x10\x20"}) }, "<base64>AP8QIA==</base64>", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for d, want := range []string{Plain: tc.plain, I8: tc.i8, Ex: tc.ex} {
				if want == "" {
					want = tc.plain
				}
				if got := answer(t, Dialect(d), tc.write); got != "<value>"+want+"</value>" {
					t.Errorf("dialect %d: %s, want %s", d, got, want)
				}
			}
		})
	}
}

func TestWriteNested(t *testing.T) {
	got := answer(t, Plain, func(w *Writer) {
		w.BeginStruct()
		w.Member("a<b")
		w.BeginArray()
		w.Int(1)
		w.BeginStruct()
		w.EndStruct()
		w.EndArray()
		w.Member("c")
		w.Bool(true)
		w.EndStruct()
	})
	const want = "<value><struct><member><name>a&lt;b</name><value><array><data><value><int>1</int></value>" +
		"<value><struct></struct></value></data></array></value></member>" +
		"<member><name>c</name><value><boolean>1</boolean></value></member></struct></value>"
	if got != want {
		t.Errorf("wrote %s\nwant  %s", got, want)
	}
}

func TestWriteFault(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, Ex)
	w.Response()
	w.BeginArray()
	w.Int(5) // an answer that fails half-way, before any of it has left
	w.Fault(-32602, "id \"<x>\": \x00 too large")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	const want = prolog10 + `<methodResponse><fault><value><struct>` +
		`<member><name>faultCode</name><value><int>-32602</int></value></member>` +
		`<member><name>faultString</name><value><string>id "&lt;x&gt;": ` + "\ufffd" + ` too large</string></value></member>` +
		`</struct></value></fault></methodResponse>` + "\n"
	if out.String() != want {
		t.Errorf("wrote %s\nwant  %s", out.String(), want)
	}
}

func TestFaultTooLate(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, Plain)
	w.Response()
	w.String(strings.Repeat("x", 2*pieceSize))
	before := out.Len()
	w.Fault(1, "late")
	if err := w.Flush(); !errors.Is(err, ErrStarted) || out.Len() != before {
		t.Errorf("error %v, %d bytes after %d", err, out.Len(), before)
	}
}

// TestMisuse shows that what would not be an XML-RPC document is never completed.
func TestMisuse(t *testing.T) {
	for _, tc := range []struct {
		name  string
		write func(*Writer)
	}{
		{"value before Response", func(w *Writer) { w.Int(1) }},
		{"two values", func(w *Writer) { w.Response(); w.Int(1); w.Int(2) }},
		{"no value", func(w *Writer) { w.Response(); w.EndResponse() }},
		{"two responses", func(w *Writer) { w.Response(); w.Response() }},
		{"end without beginning", func(w *Writer) { w.EndResponse() }},
		{"value in a struct without a name", func(w *Writer) { w.Response(); w.BeginStruct(); w.Int(1) }},
		{"member without value", func(w *Writer) { w.Response(); w.BeginStruct(); w.Member("a"); w.Member("b") }},
		{"struct ends in a member", func(w *Writer) { w.Response(); w.BeginStruct(); w.Member("a"); w.EndStruct() }},
		{"member in an array", func(w *Writer) { w.Response(); w.BeginArray(); w.Member("a") }},
		{"member alone", func(w *Writer) { w.Member("a") }},
		{"crossed ends", func(w *Writer) { w.Response(); w.BeginArray(); w.EndStruct() }},
		{"end of nothing", func(w *Writer) { w.Response(); w.EndArray() }},
		{"unfinished array", func(w *Writer) { w.Response(); w.BeginArray(); w.EndResponse() }},
		{"value after a fault", func(w *Writer) { w.Fault(1, "x"); w.Int(1) }},
		{"infinite", func(w *Writer) { w.Response(); w.Double(math.Inf(1)) }},
		{"not a number", func(w *Writer) { w.Response(); w.Double(math.NaN()) }},
		{"no time", func(w *Writer) { w.Response(); w.Value(Value{Kind: KindTime, Text: "<now>"}) }},
		{"no kind", func(w *Writer) { w.Response(); w.Value(Value{Kind: 99}) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			w := NewWriter(&out, Plain)
			tc.write(w)
			first := w.Err()
			w.Response()
			w.Nothing()
			w.EndResponse()
			w.Fault(1, "x")
			if err := w.Flush(); first == nil || err != first {
				t.Errorf("errors %v, then %v", first, err)
			}
			if out.Len() > 0 {
				t.Errorf("wrote %s", out.String())
			}
			w.Reset(&out, Plain)
			w.Fault(1, "x")
			if err := w.Flush(); err != nil || out.Len() == 0 {
				t.Errorf("after Reset: %v", err)
			}
		})
	}
}

// pieceWriter fails once left bytes have been written.
type pieceWriter struct {
	largest, total, left int
	calls                int
}

var errFull = errors.New("broken pipe")

func (p *pieceWriter) Write(b []byte) (int, error) {
	p.calls++
	p.largest = max(p.largest, len(b))
	p.total += len(b)
	if p.left -= len(b); p.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// TestPieces shows that an answer never stands in memory as a whole, be it one long
// string or many values.
func TestPieces(t *testing.T) {
	for _, tc := range []struct {
		name  string
		write func(*Writer)
	}{
		{"one string", func(w *Writer) { w.String(strings.Repeat("x", 5<<20)) }},
		{"one string of markup", func(w *Writer) { w.String(strings.Repeat("<", 1<<20)) }},
		{"one name", func(w *Writer) {
			w.BeginStruct()
			w.Member(strings.Repeat("x", 5<<20))
			w.Int(1)
			w.EndStruct()
		}},
		{"base64", func(w *Writer) { w.Value(Value{Kind: KindBase64, Text: strings.Repeat("x", 5<<20)}) }},
		{"values", func(w *Writer) {
			w.BeginArray()
			for i := range 200000 {
				w.Int(i)
			}
			w.EndArray()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out := &pieceWriter{left: math.MaxInt}
			w := NewWriter(out, Plain)
			w.Response()
			tc.write(w)
			w.EndResponse()
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			const slack = 8 << 10 // one step of base64 is the longest thing appended at once
			if out.total < 3<<20 || out.largest > pieceSize+slack || cap(w.buf) > 2*(pieceSize+slack) {
				t.Errorf("%d bytes in %d pieces, the largest %d, buffer %d", out.total, out.calls, out.largest, cap(w.buf))
			}
		})
	}
}

func TestWriteErrorSticks(t *testing.T) {
	out := &pieceWriter{left: 3 * pieceSize}
	w := NewWriter(out, Plain)
	w.Response()
	w.BeginArray()
	for range 100 {
		w.String(strings.Repeat("x", pieceSize))
	}
	w.EndArray()
	w.EndResponse()
	if err := w.Flush(); !errors.Is(err, errFull) || !errors.Is(w.Err(), errFull) {
		t.Errorf("error %v", err)
	}
	if out.calls > 5 {
		t.Errorf("%d writes, though the first failures were final", out.calls)
	}
	short := NewWriter(shortWriter{}, Plain)
	short.Fault(1, "x")
	if err := short.Flush(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v for a short write", err)
	}
}

type shortWriter struct{}

func (shortWriter) Write(b []byte) (int, error) { return len(b) - 1, nil }

// TestAnswersAreXML has an XML parser that is not ours read what is written.
func TestAnswersAreXML(t *testing.T) {
	for _, d := range []Dialect{Plain, I8, Ex} {
		var out bytes.Buffer
		w := NewWriter(&out, d)
		w.Response()
		writeRows(w, 3)
		w.EndResponse()
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		decoder := xml.NewDecoder(&out)
		for {
			if _, err := decoder.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}
