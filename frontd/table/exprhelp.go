// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"fmt"
	"strings"
)

// ExprExamples are expressions with what they ask for, for help texts.
func ExprExamples() [][2]string {
	return [][2]string{
		{"tcp and dport 80,443", "web traffic, before translation"},
		{"host 10.0.0.0/8 and not state established", "any of the four addresses"},
		{"(udp or icmp) and unreplied", "questions without an answer"},
		{"src 192.0.2.10-192.0.2.20 and nat", "a range of addresses"},
		{"rate > 100k or orig_bytes ge 1.5G", "k, M and G are powers of 1000"},
		{"timeout < 5m and age > 1d", "times: s, m, h, d"},
		{"mark 0x10/0xf0 and dport != 22", "a mask; anything but port 22"},
	}
}

// ExprHelp is the language in short, for a terminal of 80 columns.
func ExprHelp() string {
	var b strings.Builder
	b.WriteString(`An expression joins tests by and, or and not (&&, ||, !) and parentheses; not
binds closest, then and, then or. A test is a name with a value, or a word such
as tcp, ip6, assured or nat. Values may be lists (80,443: any of these), ranges
(1024-65535), networks (10.0.0.0/8), and texts in "quotation marks". Compare by
= != < <= > >= or by eq ne lt le gt ge, which the shell leaves alone. not and
!= also match what lacks the field.

`)
	for _, example := range ExprExamples() {
		fmt.Fprintf(&b, "  %-43s %s\n", example[0], example[1])
	}
	b.WriteString("\nNames, besides all fields: ")
	column := len("Names, besides all fields: ")
	for i, name := range exprShorthands() {
		if i > 0 {
			name = ", " + name
		}
		if column+len(name) > 78 {
			b.WriteString(",\n")
			name, column = strings.TrimPrefix(name, ", "), 0
		}
		b.WriteString(name)
		column += len(name)
	}
	b.WriteString(".\n")
	return b.String()
}

// exprShorthands are the names of one word that fields do not have.
func exprShorthands() (names []string) {
	for _, w := range exprWords {
		if !strings.Contains(w.word, " ") {
			names = append(names, w.word)
		}
	}
	return names
}

// exprTable is the table of names in the documentation, in Markdown.
func exprTable() string {
	var b strings.Builder
	b.WriteString("| name | also | values | meaning |\n|---|---|---|---|\n")
	done := map[string]bool{}
	for _, f := range fieldTable {
		name := exprName(f)
		if !f.Filter || done[name] {
			continue
		}
		done[name] = true
		writeExprRow(&b, name)
	}
	writeExprRow(&b, natField)
	b.WriteString("\n| word | the same as |\n|---|---|\n")
	for _, w := range exprWords {
		switch {
		case w.not:
			fmt.Fprintf(&b, "| `%s` | `not %s` |\n", w.word, w.field)
		case w.value != "":
			f, _ := exprField(w.field)
			fmt.Fprintf(&b, "| `%s` | `%s %s` |\n", w.word, exprName(f), w.value)
		}
	}
	return b.String()
}

func writeExprRow(b *strings.Builder, name string) {
	f, _ := exprField(name)
	var also []string
	for _, other := range fieldTable {
		if other.Filter && other.Name != name && exprName(other) == name {
			also = append(also, "`"+other.Name+"`")
		}
	}
	for _, w := range exprWords {
		if w.field == f.Name && w.word != name && w.value == "" && !w.not {
			also = append(also, "`"+w.word+"`")
		}
	}
	fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", name, strings.Join(also, ", "), f.exprValues(), f.Help)
}

// exprValues says in a word or two what values the field takes.
func (f Field) exprValues() string {
	switch f.class {
	case classFlag:
		return "none"
	case classAddr:
		return "address, network, range"
	case classTime:
		return "time (RFC 3339)"
	case classText:
		return "text"
	case className:
		return "name"
	case classKey:
		return "key"
	}
	switch {
	case f.unit == unitSize:
		return "size"
	case f.unit == unitSeconds:
		return "duration"
	case f.unit == unitPort:
		return "port, range"
	case f.hex:
		return "number, range, value/mask"
	case f.named != nil:
		return "name, number, range"
	}
	return "number, range"
}
