// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"regexp"
	"strings"
	"testing"

	"nuconntrack/cmd/nuctl/connection"
)

func savable() connection.Row {
	return connection.Row{"orig_l3proto": int64(2), "orig_l4proto": int64(6), "timeout": "60", "status": int64(14), "mark": "5",
		"orig_src": "10.0.0.1", "orig_dst": "10.0.0.2", "repl_src": "10.0.0.2", "repl_dst": "10.0.0.1", "state": "ESTABLISHED",
		"orig_port_src": int64(1), "orig_port_dst": int64(2), "repl_port_src": int64(2), "repl_port_dst": int64(1)}
}

// FuzzSave: root runs what is saved. Whatever a server puts into a row, a line is left out or
// has the one form there is.
func FuzzSave(f *testing.F) {
	for _, field := range conntrackFields() {
		f.Add(field, "1")
		f.Add(field, "10.0.0.1\n-D -s 10.0.0.2")
	}
	f.Add("orig_src", "fe80::1%eth0")
	f.Add("repl_dst", "::ffff:10.0.0.1")
	f.Add("state", "SYN_SENT2")
	f.Add("orig_l4proto", "253")
	f.Add("mark", "4294967296")
	form := regexp.MustCompile(`^-A( -{1,2}[a-z0-9-]+ [0-9a-zA-Z_,.:]+)+\n$`)
	f.Fuzz(func(t *testing.T, field, text string) {
		row := savable()
		row[field] = text
		out := write(t, Config{Format: "save"}, []connection.Row{row})
		if out != "" && !form.MatchString(out) {
			t.Errorf("%s %q is saved as %q", field, text, out)
		}
	})
}

// TestSaveNotes counts what is left out, by its reason.
func TestSaveNotes(t *testing.T) {
	sctp, odd := savable(), savable()
	sctp["orig_l4proto"], odd["state"] = int64(132), "DANCING"
	var b strings.Builder
	w, err := New(Config{Format: "save", Out: &b})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Page([]connection.Row{sctp, savable(), odd, sctp}); err != nil {
			t.Fatal(err)
		}
	}
	notes := Notes(w)
	if len(notes) != 2 || !strings.HasPrefix(notes[0], "4 connections left out: SCTP") || !strings.HasPrefix(notes[1], "2 connections left out: TCP") {
		t.Errorf("notes %q", notes)
	}
	if strings.Count(b.String(), "\n") != 2 {
		t.Errorf("saved:\n%s", &b)
	}
	csv, err := New(Config{Format: "csv", Out: &b})
	if err != nil || Notes(csv) != nil {
		t.Errorf("csv has notes: %v, %v", Notes(csv), err)
	}
}

func TestShorten(t *testing.T) {
	for _, test := range []struct {
		name, cell string
		n          int
		want       string
	}{
		{"fits", "10.0.0.1:80", 11, "10.0.0.1:80"},
		{"a port that stays", "10.0.0.1:80 > 192.0.2.1:80", 23, "10.0.0.1:80 > 192.0.2.1"},
		{"translation is cut", "10.0.0.1:80 > 192.0.2.1:81", 20, "10.0.0.1:80 > 192.0~"},
		{"translation is only told of", "10.0.0.1:80 > 192.0.2.1:81", 13, "10.0.0.1:80~"},
		{"IPv6 keeps its port", "[2001:db8:1:2:3:4:5:6]:443", 20, "[2001:db8:1:2:~]:443"},
		{"hardly any room", "[2001:db8:1:2:3:4:5:6]:443", 9, "[2001:db~"},
		{"translated and long", "[2001:db8:1:2:3:4:5:6]:443 > [::1]:1", 20, "[2001:db8:1:2:~]:443"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := shorten(test.cell, test.n, " > ", "~"); got != test.want || width(got) > test.n {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// liar gives names that no resolver should have let pass.
type liar struct{}

func (liar) Learn([]connection.Row)        {}
func (liar) Host(string) string            { return "evil\x1b[2J\u202e.example" }
func (liar) Service(string, uint64) string { return "ht\rtp" }

func TestNamesAreCleaned(t *testing.T) {
	row := savable()
	row["proto"] = "tcp"
	for _, format := range []string{"table", "wide"} {
		out := write(t, Config{Format: format, Names: liar{}}, []connection.Row{row})
		if strings.ContainsAny(out, "\x1b\u202e\r") || !strings.Contains(out, `evil\x1b[2J\u202e.example:ht\x0dtp`) {
			t.Errorf("%s: %q", format, out)
		}
	}
}

// TestSortedColumnStays: who sorts by a column wants to see it.
func TestSortedColumnStays(t *testing.T) {
	row := savable()
	row["proto"], row["id"], row["timeout"] = "tcp", "4294967295", "60"
	for _, order := range []string{"timeout", "mark", "byte_rate"} {
		title := map[string]string{"timeout": "EXPIRES", "mark": "MARK", "byte_rate": "B/S"}[order]
		out := write(t, Config{Format: "table", Columns: 50, OrderBy: order}, []connection.Row{row})
		if !strings.Contains(out, title) {
			t.Errorf("by %s:\n%s", order, out)
		}
		if other := write(t, Config{Format: "table", Columns: 50}, []connection.Row{row}); strings.Contains(other, title) {
			t.Errorf("without an order:\n%s", other)
		}
	}
}
