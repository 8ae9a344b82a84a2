// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"

	"nuconntrack/cmd/nuctl/connection"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, out string }{
		{"plain", "ESTABLISHED 10.0.0.1", "ESTABLISHED 10.0.0.1"},
		{"umlaut", "Jürgen", "Jürgen"},
		{"wide", "山田", "山田"},
		{"escape sequence", "\x1b[2J", `\x1b[2J`},
		{"C1 sequence", "\u009b2J", `\u009b2J`},
		{"line break", "a\r\nb", `a\x0d\x0ab`},
		{"tab and delete", "a\tb\x7f", `a\x09b\x7f`},
		{"direction marks", "a\u202eb\u2066c", `a\u202eb\u2066c`},
		{"right to left", "א1", `\u05d01`},
		{"combining", "e\u0301", `e\u0301`},
		{"invisible", "a\u200bb\u00ad\ufeff", `a\u200bb\u00ad\ufeff`},
		{"line separator", "a\u2028b", `a\u2028b`},
		{"not UTF-8", "a\xff\xc0", `a\xff\xc0`},
		{"tags", "\U000e0041", `\U000e0041`},
		{"long", strings.Repeat("a", maxText+1), strings.Repeat("a", maxText) + "..."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Clean(test.in); got != test.out {
				t.Errorf("got %q, want %q", got, test.out)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b\u202e\xff")
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range Clean(text) {
			if !unicode.IsPrint(r) || r == unicode.ReplacementChar && !strings.ContainsRune(text, r) {
				t.Fatalf("%q lets %U pass", text, r)
			}
		}
		var back string
		var written bytes.Buffer
		jsonText(&written, text)
		if err := json.Unmarshal(written.Bytes(), &back); err != nil || back != strings.ToValidUTF8(text, "\ufffd") && back != replaced(text) {
			t.Fatalf("%q became %q: %v", text, back, err)
		}
	})
}

// replaced is a text with each bad byte replaced, which is how encoding/json does it.
func replaced(text string) string { return string([]rune(text)) }

func TestSize(t *testing.T) {
	for in, want := range map[uint64]string{
		0: "0", 999: "999", 1000: "1.0k", 1999: "1.9k", 9999: "9.9k", 10000: "10k", 999999: "999k", 1e6: "1.0M",
		1e9: "1.0G", 1e12: "1.0T", 1e15: "1.0P", 1e18: "1.0E", 1<<64 - 1: "18E",
	} {
		if got := Size(in); got != want {
			t.Errorf("%d: got %s, want %s", in, got, want)
		}
	}
}

func TestSeconds(t *testing.T) {
	for in, want := range map[uint64]string{
		0: "0s", 59: "59s", 60: "1m00s", 3599: "59m59s", 3600: "1h00m", 86399: "23h59m", 86400: "1d00h", 432000: "5d00h", 1<<32 - 1: "49710d06h",
	} {
		if got := Seconds(in); got != want {
			t.Errorf("%d: got %s, want %s", in, got, want)
		}
	}
}

func write(t *testing.T, c Config, pages ...[]connection.Row) string {
	t.Helper()
	var b strings.Builder
	c.Out = &b
	w, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range pages {
		if err := w.Page(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Whatever a row lacks or holds of a wrong type is unknown, never 0.
func TestUnknownIsNotZero(t *testing.T) {
	rows := []connection.Row{
		{},
		{"id": true, "byte_rate": "fast", "timeout": map[string]any{}, "mark": int64(-1), "orig_src": nil, "state": []any{1}},
	}
	for _, line := range strings.Split(strings.TrimSpace(write(t, Config{Format: "table", NoHeader: true}, rows[:1])), "\n") {
		if strings.Trim(line, "- ") != "" {
			t.Errorf("got %q", line)
		}
	}
	if got := write(t, Config{Format: "table", NoHeader: true}, rows[1:]); strings.Contains(got, "0") {
		t.Errorf("got %q", got)
	}
	if got, want := write(t, Config{Format: "jsonl"}, rows[:1]), "{}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTableFits(t *testing.T) {
	row := connection.Row{
		"id": "4294967295", "proto": "tcp", "state": "ESTABLISHED", "orig_src": "2001:db8:1111:2222:3333:4444:5555:6666",
		"orig_port_src": int64(65535), "orig_dst": "2001:db8:7777:8888:9999:aaaa:bbbb:cccc", "orig_port_dst": int64(443),
		"repl_src": "fd00::1", "repl_port_src": int64(8443), "byte_rate": "123456", "zone": int64(3), "timeout": "431999", "mark": "1",
	}
	for columns := 50; columns <= 220; columns += 10 {
		out := write(t, Config{Format: "table", Columns: columns, Unicode: true}, []connection.Row{row})
		for line := range strings.Lines(out) {
			if w := width(strings.TrimSuffix(line, "\n")); w > columns {
				t.Errorf("%d columns: %d in %q", columns, w, line)
			}
		}
		if !strings.Contains(out, "4294967295") {
			t.Errorf("%d columns: no id in %q", columns, out)
		}
	}
}

// Later pages keep to the columns of the first, and are not cut to its widths.
func TestTableOfPages(t *testing.T) {
	short, long := connection.Row{"id": "1", "orig_src": "10.0.0.1"}, connection.Row{"id": "2", "orig_src": "192.168.100.200", "zone": int64(5)}
	out := write(t, Config{Format: "table"}, []connection.Row{short}, []connection.Row{long})
	if strings.Count(out, "PROTO") != 1 || !strings.Contains(out, "192.168.100.200") || strings.Contains(out, "ZONE") {
		t.Errorf("got:\n%s", out)
	}
}

func TestJSONIsValid(t *testing.T) {
	row := connection.Row{
		"id": "18446744073709551616", "mark": "007", "labels": "a\"\\\u202e", "new_field": int64(7), "odd": map[string]any{"a": "\x1b"},
		"use": float64(1), "na\u202eme": "x", "assured": false,
	}
	out := write(t, Config{Format: "json"}, []connection.Row{row}, nil, []connection.Row{row})
	var back []map[string]any
	if err := json.Unmarshal([]byte(out), &back); err != nil || len(back) != 2 {
		t.Fatalf("%v in %s", err, out)
	}
	// What is not a number of 64 bits stays the text that it was.
	if back[0]["id"] != "18446744073709551616" || back[0]["labels"] != "a\"\\\u202e" || back[0]["na\u202eme"] != "x" || back[0]["assured"] != false {
		t.Errorf("got %v", back[0])
	}
	if strings.ContainsAny(out, "\u202e\x1b") {
		t.Errorf("not harmless: %q", out)
	}
}

func TestUnknownFormat(t *testing.T) {
	for _, format := range []string{"", "TABLE", "xml"} {
		if _, err := New(Config{Format: format}); err == nil {
			t.Errorf("%q was accepted", format)
		}
	}
}

type full struct{}

var errFull = errors.New("no space")

func (full) Write([]byte) (int, error) { return 0, errFull }

// A disk that is full is an error in every format.
func TestWriteError(t *testing.T) {
	for _, format := range Formats() {
		w, err := New(Config{Format: format, Out: full{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Page([]connection.Row{{"id": "1"}}), w.End()); !errors.Is(err, errFull) {
			t.Errorf("%s: got %v", format, err)
		}
	}
}
