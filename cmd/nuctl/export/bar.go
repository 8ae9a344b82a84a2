// SPDX-License-Identifier: GPL-2.0-or-later

package export

import (
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// barPause is how long a line of the bar stays.
	barPause = 100 * time.Millisecond
	// barWidth is the length of the bar itself, barLine that of its line: of any terminal.
	barWidth = 30
	barLine  = 78
)

// Bar shows how far something is, on one line of a terminal. The zero value shows nothing.
type Bar struct {
	Out   io.Writer // nil: nobody looks
	began time.Time
	shown time.Time
}

// Show is told after each step.
func (b *Bar) Show(done, total int, bytes int64) {
	if b.Out == nil {
		return
	}
	now := time.Now()
	if b.began.IsZero() {
		b.began = now
	}
	if now.Sub(b.shown) < barPause && done < total {
		return
	}
	b.shown = now
	fmt.Fprintf(b.Out, "\r%-*.*s", barLine, barLine, line(done, total, bytes, now.Sub(b.began)))
}

// End takes the bar away.
func (b *Bar) End() {
	if b.Out != nil && !b.shown.IsZero() {
		fmt.Fprintf(b.Out, "\r%*s\r", barLine, "")
	}
}

func line(done, total int, bytes int64, spent time.Duration) string {
	share := 1.0
	if total > 0 {
		share = min(float64(done)/float64(total), 1)
	}
	full := int(share * barWidth)
	text := fmt.Sprintf("[%s%s] %3d%%  %d of %d  %.1f MB", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full),
		int(share*100), done, total, float64(bytes)/1e6)
	if share > 0 && share < 1 && spent > time.Second {
		left := time.Duration(float64(spent) * (1 - share) / share)
		text += fmt.Sprintf("  %s left", left.Round(time.Second))
	}
	return text
}
