// SPDX-License-Identifier: GPL-2.0-or-later

package roff

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
)

func render(t *testing.T, p *Page) string {
	t.Helper()
	man, err := exec.LookPath("man")
	if err != nil {
		t.Fatalf("%v: install man-db", err)
	}
	cmd := exec.Command(man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-")
	cmd.Stdin = strings.NewReader(p.String())
	cmd.Env = []string{"PATH=/usr/bin:/bin", "MANWIDTH=100", "LC_ALL=C.UTF-8", "GROFF_NO_SGR=1", "TERM=dumb"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Errorf("man: %v\n%s\n%s", err, errs.String(), p)
	}
	// Bold is written over itself.
	var plain []rune
	for _, r := range out.String() {
		if r == '\b' {
			plain = plain[:max(0, len(plain)-1)]
			continue
		}
		plain = append(plain, r)
	}
	return string(plain)
}

// What goes in comes out, whatever it means to roff.
func TestTextComesOutAsItIs(t *testing.T) {
	for name, text := range map[string]string{
		"request":         ".so /etc/passwd",
		"other request":   "'so /etc/passwd",
		"escape":          `\fB\n(.w \*[x] \X'tty:'`,
		"backslash":       `C:\`,
		"hyphens":         "--dry-run -4",
		"quotes":          `it's "so" ` + "`x`",
		"caret and tilde": "~/a^b",
		"beyond ASCII":    "EXPR… für æ",
		"percent":         "100% .5 .. .",
		"macro":           `.TH "x" 1`,
	} {
		t.Run(name, func(t *testing.T) {
			p := New(Head{Name: "x", Section: 1, Summary: "y", Date: "2026-01-02"})
			p.Heading("ONE")
			p.Text("begin\n" + text + "\nend")
			p.Item(text, Tag{Bold: text, Rest: "VALUE"}, Tag{Bold: "second"})
			p.Verbatim(text)
			got := render(t, p)
			if n := strings.Count(strings.Join(strings.Fields(got), " "), text); n != 4 {
				t.Errorf("%q came out %d times, want 4:\n%s\n%s", text, n, got, p)
			}
		})
	}
}

func TestControlCharactersAreGone(t *testing.T) {
	p := New(Head{Name: "x\x1b[2J", Section: 1, Summary: "a\nb\x07", Date: "2026-01-02\n.so x"})
	p.Text("c\x1b]0;d\x7f")
	if strings.ContainsAny(p.String(), "\x1b\x07\x7f") || strings.Contains(p.String(), "\n.so") {
		t.Errorf("%q", p.String())
	}
}

func TestIndentedLinesStay(t *testing.T) {
	p := New(Head{Name: "x", Section: 1, Summary: "y", Date: "2026-01-02"})
	p.Heading("ONE")
	p.Text("filled\nlines\n  a   b\n  c   d\n\nnext")
	got := render(t, p)
	if !strings.Contains(got, "filled lines\n") || !strings.Contains(got, "a   b\n") || !strings.Contains(got, "c   d\n") {
		t.Errorf("%s", got)
	}
}

// No paragraph has another below it that is empty, no heading a break: mandoc would say so.
func TestNothingToWarnOf(t *testing.T) {
	p := New(Head{Name: "x", Section: 1, Summary: "y", Date: "2026-01-02"})
	p.Heading("ONE")
	p.Synopsis("x", "[-v]")
	p.Subheading("two")
	p.Verbatim("a\n\nb")
	for _, bad := range []string{".SH \"ONE\"\n.PP", ".SS \"two\"\n.PP", "\n\n"} {
		if strings.Contains(p.String(), bad) {
			t.Errorf("%q in\n%s", bad, p)
		}
	}
}
