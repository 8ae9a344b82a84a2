// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"nuconntrack/frontd/rpc"
	"nuconntrack/frontd/table"
)

// width is how many characters a line of the document has.
const width = 100

// document is the page about the interface once more, for those who read the documents.
func document() string {
	var b strings.Builder
	b.WriteString(`# The XML-RPC interface

Made by ` + "`make api`" + ` from the programs, and kept true by a test; ` + "`man nuconntrack-api`" + ` is the same. More is in
[expressions.md](expressions.md), [groups.md](groups.md), [roles.md](roles.md) (reports of kills, scopes, the connection that carries the
call) and [marks.md](marks.md) (users, classes, what is hidden). The server itself tells by ` + "`system.methodHelp`" + ` and ` + "`fields`" + `.
`)
	for _, s := range interfaceText() {
		b.WriteString("\n## " + s.title + "\n\n" + filled(escaped(s.text)) + "\n")
	}
	b.WriteString("\n## Methods\n")
	for _, m := range rpc.Methods() {
		call, text, _ := strings.Cut(m.Help, "): ")
		fmt.Fprintf(&b, "\n### %s\n\n`%s)` → %s\n\n%s\n", m.Name, call, m.Returns, filled(escaped(capital(text))))
	}
	b.WriteString("\n## Fields of a connection\n\nThe type on the wire, and what else the field serves for.\n\n| field | | meaning |\n|---|---|---|\n")
	for _, f := range table.Fields() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, strings.Join(uses(f), ", "), escaped(f.Help))
	}
	b.WriteString("\n## Faults\n\n| code | meaning |\n|---|---|\n")
	for _, f := range rpc.Faults() {
		fmt.Fprintf(&b, "| %s | %s |\n", strconv.Itoa(f.Code), escaped(f.Meaning))
	}
	return b.String()
}

// escaped is a text in which nothing is taken for Markdown.
func escaped(text string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "<", `\<`, "[", `\[`, "|", `\|`).Replace(text)
}

// capital makes the first letter one, unless the text begins with the name of something.
func capital(text string) string {
	if word, _, _ := strings.Cut(text, " "); text == "" || strings.ContainsAny(word, "_.:") {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// filled breaks the lines of each paragraph anew. What is longer than a line stays whole.
func filled(text string) string {
	var all []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		var b strings.Builder
		column := 0
		for word := range strings.FieldsSeq(paragraph) {
			n := utf8.RuneCountInString(word)
			switch {
			case column == 0:
			case column+1+n > width:
				b.WriteByte('\n')
				column = 0
			default:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += n
		}
		all = append(all, b.String())
	}
	return strings.Join(all, "\n\n")
}
