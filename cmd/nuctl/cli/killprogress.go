// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"nuconntrack/cmd/nuctl/output"
)

// progressColumns is where the line of progress is cut off if the terminal does not tell its width.
const progressColumns = 80

// progress is a line on a terminal that says how far a kill is that the helper's policy slows
// down. Without a terminal it is nothing.
type progress struct {
	out     io.Writer // nil: nobody looks
	columns int
	shown   int // columns that the line takes
}

func (a *app) newProgress() *progress {
	file, ok := a.stderr.(*os.File)
	if !ok || !isTerminal(file) {
		return &progress{}
	}
	columns := columnsOf(file, a.getenv("COLUMNS"))
	if columns == 0 {
		columns = progressColumns
	}
	return &progress{out: file, columns: columns}
}

func (p *progress) shows() bool { return p.out != nil }

// show says where a queue is that waits so long for its next portion; nothing before the first
// refusal.
func (p *progress) show(q *killQueue, pause time.Duration) {
	if q.since.IsZero() {
		return
	}
	text := fmt.Sprintf("%d killed, %d to go", q.report.killed, len(q.left))
	switch rate := q.pace.measured; {
	case pause > 2*leastPause:
		text += fmt.Sprintf(", the next in %s", pause.Round(time.Second))
	case rate >= 1:
		rest := time.Duration(float64(len(q.left))/rate*float64(time.Second)) + time.Second
		text += fmt.Sprintf(", about %.0f a second: %s left", rate, rest.Truncate(time.Second))
	}
	p.say(text + " (Ctrl-C ends it)")
}

// say shows a text of ours in place of the last one.
func (p *progress) say(text string) {
	if p.out == nil {
		return
	}
	text = output.Head(text, p.columns-1)
	width := output.Width(text)
	fmt.Fprintf(p.out, "\r%s%s", text, strings.Repeat(" ", max(0, p.shown-width)))
	p.shown = width
}

// clear takes the line away.
func (p *progress) clear() {
	if p.out != nil && p.shown > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.shown))
		p.shown = 0
	}
}
