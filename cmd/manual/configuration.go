// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"regexp"
	"strings"

	"nuconntrack/cmd/manual/roff"
	"nuconntrack/frontd/config"
	"nuconntrack/policy"
)

func (b *book) configurations() {
	p := b.page(pageConfig, 5, "configuration of nuconntrack-frontd")
	p.Heading("DESCRIPTION")
	p.Text("/etc/nuconntrack/frontd.toml is a file in TOML 1.0. An unknown key, a wrong type or a combination that " +
		"cannot work is an error that names the file, the line and the key.")
	p.Heading("KEYS")
	reference(p, config.Reference())
	p.See(roff.Reference{Name: pageFrontd, Section: 8}, roff.Reference{Name: pageExpressions, Section: 7}, roff.Reference{Name: "nuctl-passwd", Section: 1})

	p = b.page(pagePolicy, 5, "what nuconntrack-privd may do")
	p.Heading("DESCRIPTION")
	p.Text("/etc/nuconntrack/policy.toml is a file in TOML 1.0. It holds for everybody who asks the helper. Without " +
		"it nothing can be killed or changed.")
	p.Heading("KEYS")
	reference(p, policy.Reference())
	p.See(roff.Reference{Name: pagePrivd, Section: 8})
}

var (
	// header is a line that begins a table, and may be an example's.
	header = regexp.MustCompile(`^#?\[+[\w.]+\]+$`)
	// setting is a key with its value.
	setting = regexp.MustCompile(`^#?[\w".@]+\s*= `)
	// example is a line of an example within a comment.
	example = regexp.MustCompile(`^# (\[+[\w.]+\]+$|\w+\s*= )`)
)

// reference writes what a reference configuration says: comments are the text of the keys that
// follow them, up to the next empty line or comment.
func reference(p *roff.Page, text string) {
	var comment []string
	var keys []roff.Tag
	flush := func() {
		said := strings.Join(comment, "\n")
		switch {
		case len(keys) > 0:
			p.Item(said, keys...)
		case len(comment) > 0:
			p.Text(said)
		}
		comment, keys = nil, nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case line == "":
			flush()
		case header.MatchString(line):
			// Its comment may stand before it.
			said := comment
			comment = nil
			flush()
			p.Subheading(strings.TrimPrefix(line, "#"))
			comment = said
			if len(said) > 0 {
				flush()
			}
		case setting.MatchString(line):
			keys = append(keys, roff.Tag{Bold: strings.TrimPrefix(line, "#")})
		default:
			if len(keys) > 0 {
				flush()
			}
			comment = append(comment, commentLine(line))
		}
	}
	flush()
}

// commentLine takes the mark away. Examples are indented, so that they stay as they are.
func commentLine(line string) string {
	if strings.HasPrefix(line, "# SPDX-") {
		return ""
	}
	if example.MatchString(line) {
		return "    " + strings.TrimPrefix(line, "# ")
	}
	return strings.TrimPrefix(strings.TrimPrefix(line, "#"), " ")
}
