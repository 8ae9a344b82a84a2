// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// document wraps what belongs between <params> and </params>.
func document(params string) string {
	return "<methodCall><methodName>m</methodName><params>" + params + "</params></methodCall>"
}

func arrayOf(n int, value string) string {
	return document("<param><value><array><data>" + strings.Repeat(value, n) + "</data></array></value></param>")
}

func structOf(n int) string {
	return document("<param><value><struct>" + strings.Repeat("<member><name/><value/></member>", n) + "</struct></value></param>")
}

func nested(depth int) string {
	return document("<param>" + strings.Repeat("<value><array><data>", depth) +
		strings.Repeat("</data></array></value>", depth) + "</param>")
}

func TestLimits(t *testing.T) {
	small := document("")
	for _, tc := range []struct {
		name   string
		body   string
		limits Limits
		text   string // in the error; empty: it is read
	}{
		{"20,000 values in an array", arrayOf(DefaultValues-1, "<value/>"), Limits{}, ""},
		{"20,001 values in an array", arrayOf(DefaultValues, "<value/>"), Limits{}, "more than 20000 values"},
		{"20,000 parameters", document(strings.Repeat("<param><value/></param>", DefaultValues)), Limits{}, ""},
		{"20,001 parameters", document(strings.Repeat("<param><value/></param>", DefaultValues+1)), Limits{}, "more than 20000 values"},
		{"20,000 members", structOf(DefaultValues), Limits{}, "more than 20000 values"},
		{"own limit reached", arrayOf(4, "<value/>"), Limits{Values: 5}, ""},
		{"own limit passed", arrayOf(5, "<value/>"), Limits{Values: 5}, "more than 5 values"},
		{"negative limits are defaults", small, Limits{Bytes: -1, Depth: -1, Values: -1}, ""},
		{"depth 16", nested(16), Limits{}, ""},
		{"depth 17", nested(17), Limits{}, "more than 16 arrays"},
		{"own depth reached", nested(1), Limits{Depth: 1}, ""},
		{"own depth passed", nested(2), Limits{Depth: 1}, "more than 1 arrays"},
		{"depth without end", strings.TrimSuffix(nested(0), "</param></params></methodCall>") + strings.Repeat("<value><array><data>", 100000), Limits{}, "more than 16 arrays"},
		{"as many bytes as may be", small, Limits{Bytes: int64(len(small))}, ""},
		{"one byte more", small + " ", Limits{Bytes: int64(len(small))}, "longer than"},
		{"4 MiB", small + strings.Repeat(" ", DefaultBytes-len(small)), Limits{}, ""},
		{"4 MiB and a byte", small + strings.Repeat(" ", DefaultBytes-len(small)+1), Limits{}, "longer than 4194304 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ReadCall(strings.NewReader(tc.body), tc.limits)
			if tc.text == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var refused *Error
			if !errors.As(err, &refused) || refused.Code != FaultInvalid || !strings.Contains(refused.Text, tc.text) {
				t.Errorf("error %v, want %q", err, tc.text)
			}
		})
	}
}

// TestEndlessBody shows that a body is not read past its limit.
func TestEndlessBody(t *testing.T) {
	r := &countingReader{}
	_, err := ReadCall(r, Limits{Bytes: 1000})
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != FaultInvalid {
		t.Errorf("error %v", err)
	}
	if r.n > 1001 {
		t.Errorf("%d bytes were read", r.n)
	}
}

type countingReader struct{ n int }

func (r *countingReader) Read(b []byte) (int, error) {
	r.n += len(b)
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

func TestFailingReader(t *testing.T) {
	broken := errors.New("connection reset")
	for _, tc := range []struct {
		name string
		r    io.Reader
		want error
	}{
		{"at once", iotest.ErrReader(broken), broken},
		{"after a whole document", io.MultiReader(strings.NewReader(document("")), iotest.ErrReader(broken)), broken},
		{"cut by the transport", io.MultiReader(strings.NewReader(document("")), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
		{"no progress", stuckReader{}, io.ErrNoProgress},
	} {
		t.Run(tc.name, func(t *testing.T) {
			call, err := ReadCall(tc.r, Limits{})
			var refused *Error
			if call != nil || !errors.Is(err, tc.want) || errors.As(err, &refused) {
				t.Errorf("%v, %v", call, err)
			}
		})
	}
	if _, err := ReadCall(iotest.DataErrReader(strings.NewReader(document(""))), Limits{}); err != nil {
		t.Errorf("end reported with the last bytes: %v", err)
	}
}

func TestTransportCharset(t *testing.T) {
	latin1 := strings.ReplaceAll(document("<param><value>\xe9</value></param>"), "é", "\xe9")
	utf8 := document("<param><value>é</value></param>")
	prolog := func(name string) string { return `<?xml version="1.0" encoding="` + name + `"?>` }
	for _, tc := range []struct {
		name, charset, body, want string // want empty: refused
	}{
		{"latin1 by transport", "ISO-8859-1", latin1, "é"},
		{"latin1 by transport, any case", "iso-8859-1", latin1, "é"},
		{"transport over prolog", "ISO-8859-1", prolog("UTF-8") + latin1, "é"},
		{"utf-8 over a latin1 prolog", "utf-8", prolog("ISO-8859-1") + utf8, "é"},
		{"utf-8 over a latin1 prolog, and a lie", "utf-8", prolog("ISO-8859-1") + latin1, ""},
		{"mark over transport", "ISO-8859-1", "\ufeff" + utf8, "é"},
		{"us-ascii is read as utf-8", "us-ascii", utf8, "é"},
		{"utf-8 by transport, a lie", "utf-8", latin1, ""},
		{"unknown by transport", "windows-1252", utf8, ""},
		{"unknown in the prolog, known by transport", "utf-8", prolog("windows-1252") + utf8, ""},
		{"unknown by transport, known in the prolog", "utf-16", prolog("utf-8") + utf8, ""},
		{"unknown by transport, with a mark", "utf-16", "\ufeff" + utf8, ""},
		{"utf-16 mark, utf-8 by transport", "utf-8", "\xff\xfe" + utf8, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			call, err := ReadCall(strings.NewReader(tc.body), Limits{Charset: tc.charset})
			var refused *Error
			switch {
			case tc.want == "" && errors.As(err, &refused) && refused.Code == FaultParse:
			case tc.want != "" && err == nil && call.Params[0].Text == tc.want:
			default:
				t.Errorf("%+v, %v", call, err)
			}
		})
	}
}

func TestErrorTexts(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"line", "\n\n<?xml version='1.0'?>\n<methodCall>\n<x/>", "not an XML-RPC call: line 5: element <x> where <methodName> should be"},
		{"too wide", document("<param><value><int>18446744073709551616</int></value></param>"), `not an XML-RPC call: line 1: <int> "18446744073709551616" does not fit into 64 bits, send it as <string>`},
		{"missing", document("<param/>"), "not an XML-RPC call: line 1: <value> is missing"},
		{"crossed", "<methodCall>\r\n<methodName>a</params>", "not well formed: line 2: </params> where </methodName> should be"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ReadCall(strings.NewReader(tc.body), Limits{})
			var refused *Error
			if !errors.As(err, &refused) || refused.Text != tc.want {
				t.Errorf("%v\nwant %s", err, tc.want)
			}
		})
	}
}

// TestAppendToItems shows that lists do not reach into each other's memory.
func TestAppendToItems(t *testing.T) {
	list := "<value><array><data><value>a</value></data></array></value>"
	call, err := ReadCall(strings.NewReader(document("<param>"+list+"</param><param>"+list+"</param>")), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_ = append(call.Params[0].Items, Value{Kind: KindInt})
	if got := call.Params[1].Items[0].Text; got != "a" {
		t.Errorf("the other list holds %q", got)
	}
}

// TestMemory holds the package to the multiple that its comment states.
func TestMemory(t *testing.T) {
	huge := Limits{Bytes: 1 << 40, Values: 1 << 30}
	for _, tc := range []struct {
		name   string
		body   string
		limits Limits
	}{
		{"small", document("<param><value>s</value></param>"), Limits{}},
		{"empty values", arrayOf(100000, "<value/>"), huge},
		{"empty values up to the limit", arrayOf(19999, "<value/>"), Limits{}},
		{"empty arrays", arrayOf(50000, "<value><array><data/></array></value>"), huge},
		{"members", structOf(50000), huge},
		{"a word that looks like values", document("<param><value><![CDATA[" + strings.Repeat("<value", 300000) + "]]></value></param>"), huge},
		{"a word that looks like members", document("<param><value><![CDATA[" + strings.Repeat("<member", 300000) + "]]></value></param>"), huge},
		{"references", document("<param><value>" + strings.Repeat("&lt;", 300000) + "</value></param>"), huge},
		{"comments", document("<param><value>" + strings.Repeat("a<!---->", 100000) + "</value></param>"), huge},
		{"comments between", arrayOf(50000, "<!----> <value/><!---->"), huge},
		{"latin1", "<?xml version='1.0' encoding='iso-8859-1'?>" + document("<param><value>"+strings.Repeat("\xff", 1<<20+1)+"</value></param>"), huge},
		{"base64", document("<param><value><base64>" + strings.Repeat("AAAA", 300000) + "</base64></value></param>"), huge},
		{"one byte beyond a power of two", document("") + strings.Repeat(" ", 1<<20+1-len(document(""))), huge},
		{"a huge method name", "<methodCall><methodName>" + strings.Repeat("a", 1<<20), huge},
		{"a huge tag", "<" + strings.Repeat("a", 1<<20), huge},
		{"a huge number", document("<param><value><int>" + strings.Repeat("9", 1<<20) + "</int></value></param>"), huge},
		{"nesting", strings.Repeat("<value><array><data>", 50000), huge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := allocated(tc.body, tc.limits); got > memoryBound(len(tc.body)) {
				t.Errorf("%d bytes allocated for a body of %d: %.1f times", got, len(tc.body), float64(got)/float64(len(tc.body)))
			}
		})
	}
}

func memoryBound(body int) uint64 { return uint64(24*body + 4<<10) }

// allocated returns how many bytes reading a body allocates: the least of three, since other
// goroutines of the test binary allocate too.
func allocated(body string, l Limits) uint64 {
	least := ^uint64(0)
	for range 3 {
		var before, after runtime.MemStats
		r := strings.NewReader(body)
		runtime.ReadMemStats(&before)
		ReadCall(r, l) //nolint:errcheck // refused bodies are measured too
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

func TestAllocations(t *testing.T) {
	body := corpus(t, "good", 40)["perl-rpc-xml"]
	r := bytes.NewReader(nil)
	if got := testing.AllocsPerRun(100, func() {
		r.Reset(body)
		if _, err := ReadCall(r, Limits{}); err != nil {
			t.Fatal(err)
		}
	}); got > 6 {
		t.Errorf("%v allocations for a small call", got)
	}
}
