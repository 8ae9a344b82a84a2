// SPDX-License-Identifier: GPL-2.0-or-later

// Package roff writes manual pages in the macros of man(7), as groff and mandoc read them. Every
// text that it is given comes out as it is: none can end up as a request or an escape. It knows
// nothing of what the pages say.
package roff

import (
	"fmt"
	"strings"
)

// A Page is one manual page. The zero Page is not one: see New.
type Page struct {
	Name    string
	Section int
	b       strings.Builder
	fresh   bool // nothing stands below the heading yet: a paragraph begins by itself
}

// Head is what stands around a page.
type Head struct {
	Name    string // as man finds it
	Section int    // 1 to 8
	Summary string // one line, for whatis
	Date    string // of the text, as 2006-01-02
	Source  string // the program with its version
	Manual  string // title of the whole
}

// New begins a page with its title and its name.
func New(h Head) *Page {
	p := &Page{Name: h.Name, Section: h.Section}
	p.b.WriteString(".\\\" Made from the program, do not edit.\n")
	fmt.Fprintf(&p.b, ".TH %s %d %s %s %s\n", quote(strings.ToUpper(h.Name)), h.Section, `"`+plain(h.Date)+`"`, quote(h.Source), quote(h.Manual))
	// Names, not sentences: neither stretched nor divided.
	p.b.WriteString(".nh\n.ad l\n")
	p.Heading("NAME")
	p.fresh = false
	p.b.WriteString(escape(h.Name) + " \\- " + escape(h.Summary) + "\n")
	return p
}

// File is the name of the page's file.
func (p *Page) File() string { return fmt.Sprintf("%s.%d", p.Name, p.Section) }

// String gives the page's source.
func (p *Page) String() string { return p.b.String() }

// Heading begins a section.
func (p *Page) Heading(text string) {
	p.b.WriteString(".SH " + quote(text) + "\n")
	p.fresh = true
}

// Subheading begins a part of a section.
func (p *Page) Subheading(text string) {
	p.b.WriteString(".SS " + quote(text) + "\n")
	p.fresh = true
}

// begin begins a paragraph.
func (p *Page) begin(macro string) {
	if !p.fresh {
		p.b.WriteString(macro)
	}
	p.fresh = false
}

// Text writes paragraphs, which empty lines separate. What is indented stays as it is.
func (p *Page) Text(text string) { p.paragraphs(text, ".PP\n") }

// Verbatim writes lines as they are.
func (p *Page) Verbatim(text string) {
	p.begin(".PP\n")
	p.literal(strings.Split(strings.Trim(text, "\n"), "\n"))
}

// A Tag is one head of an item: Bold as it is written, Rest what stands for something else.
type Tag struct{ Bold, Rest string }

// Item writes heads, of which there must be one, and below them, indented, what they mean.
func (p *Page) Item(text string, tags ...Tag) {
	p.fresh = false
	for i, t := range tags {
		macro := ".TP\n"
		if i > 0 {
			macro = ".TQ\n"
		}
		p.b.WriteString(macro + "\\fB" + escape(t.Bold) + "\\fR")
		if t.Rest != "" {
			p.b.WriteString("\\ \\fI" + escape(t.Rest) + "\\fR")
		}
		p.b.WriteString("\n")
	}
	p.body(text)
}

// Synopsis writes how a program is called.
func (p *Page) Synopsis(name, rest string) {
	p.begin(".PP\n")
	p.b.WriteString("\\fB" + escape(name) + "\\fR")
	if rest != "" {
		p.b.WriteString(" " + escape(rest))
	}
	p.b.WriteString("\n")
}

// A Reference names a page.
type Reference struct {
	Name    string
	Section int
}

// See ends a page with others.
func (p *Page) See(references ...Reference) {
	p.Heading("SEE ALSO")
	for i, r := range references {
		comma := ","
		if i == len(references)-1 {
			comma = ""
		}
		fmt.Fprintf(&p.b, ".BR %s (%d)%s\n", escape(r.Name), r.Section, comma)
	}
}

// body writes what belongs to a tag: its first paragraph follows the tag's line.
func (p *Page) body(text string) {
	first, rest, more := strings.Cut(strings.Trim(text, "\n"), "\n\n")
	if strings.HasPrefix(first, " ") {
		p.b.WriteString("\\&\n")
		p.paragraphs(text, ".IP\n")
		return
	}
	p.flow(strings.Split(first, "\n"))
	if more {
		p.paragraphs(rest, ".IP\n")
	}
}

func (p *Page) paragraphs(text, macro string) {
	for paragraph := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		paragraph = strings.Trim(paragraph, "\n")
		if paragraph == "" {
			continue
		}
		p.begin(macro)
		p.flow(strings.Split(paragraph, "\n"))
	}
}

// flow writes lines, of which the indented ones are not filled.
func (p *Page) flow(lines []string) {
	for len(lines) > 0 {
		n := 1
		indented := strings.HasPrefix(lines[0], " ")
		for n < len(lines) && strings.HasPrefix(lines[n], " ") == indented {
			n++
		}
		if indented {
			p.literal(lines[:n])
		} else {
			for _, line := range lines[:n] {
				p.b.WriteString(escape(strings.TrimSpace(line)) + "\n")
			}
		}
		lines = lines[n:]
	}
}

func (p *Page) literal(lines []string) {
	p.b.WriteString(".nf\n")
	for _, line := range lines {
		if line = strings.TrimRight(line, " "); line == "" {
			line = "\\&" // an empty line would be a request of its own
		} else {
			line = escape(line)
		}
		p.b.WriteString(line + "\n")
	}
	p.b.WriteString(".fi\n")
}

// special are characters that mean something else, or would be printed as another one that
// nobody can paste into a shell.
var special = strings.NewReplacer(
	`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`, `"`, `\(dq`, "\t", "        ",
)

// escape makes a line of text of what may hold anything.
func escape(text string) string {
	var b strings.Builder
	for _, r := range special.Replace(strings.ReplaceAll(text, "\n", " ")) {
		switch {
		case r < ' ' || r == 0x7f: // steers terminals
		case r > 0x7f:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	if s := b.String(); !strings.HasPrefix(s, ".") {
		return s
	}
	return `\&` + b.String()
}

// plain keeps the digits and hyphens of a date, which is read, not printed.
func plain(date string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, date)
}

// quote makes one argument of a macro.
func quote(text string) string { return `"` + escape(text) + `"` }
