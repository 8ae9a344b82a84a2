// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/output"
)

// What a terminal is told (ECMA-48, and xterm's private modes).
const (
	// The other screen, without a cursor, and cutting off what is wider: a table gives way only
	// so far.
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearRest   = "\x1b[J"
)

// watcher lists again and again.
type watcher struct {
	app      *app
	listing  *listing
	query    client.Query
	interval time.Duration
	said     map[string]bool
}

// watchList lists until ctx ends, which is no error: there is no other end.
func (a *app) watchList(ctx context.Context, l *listing, q client.Query, chosen bool) error {
	interval, err := l.interval()
	if err != nil {
		return err
	}
	w := &watcher{app: a, listing: l, query: q, interval: interval, said: map[string]bool{}}
	screen, isFile := a.stdout.(*os.File)
	drawn := isFile && isTerminal(a.stdout) && output.Tabular(l.format)
	if !drawn {
		if chosen && l.format != "jsonl" && l.format != "json" {
			return usagef("--watch writes tables to a terminal and jsonl elsewhere, not %s", l.format)
		}
		w.query.Fields = l.fields
	}
	closeNames := a.setNames(l)
	defer closeNames()
	err = a.withSession(ctx, func(s *client.Session) error {
		if drawn {
			return w.draw(ctx, s, screen)
		}
		return w.stream(ctx, s)
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// stream writes each round as lines of JSON with the time of its table.
func (w *watcher) stream(ctx context.Context, s *client.Session) error {
	writer, err := output.New(output.Config{Format: "jsonl", Out: w.app.stdout})
	if err != nil {
		return err
	}
	return w.repeat(ctx, nil, func() error {
		for page, err := range s.Pages(ctx, w.query) {
			if err != nil {
				return err
			}
			w.warn(page.Warnings...)
			rows := rowsOf(page)
			for _, row := range rows {
				row["taken"] = page.Taken
			}
			if err := writer.Page(rows); err != nil {
				return fmt.Errorf("write list: %w", err)
			}
		}
		return nil
	}, func(text string) error { w.warn(text); return nil })
}

func (w *watcher) warn(texts ...string) {
	for _, text := range texts {
		if !w.said[text] {
			w.said[text] = true
			w.app.warn(text)
		}
	}
}

// repeat does a round at once, then one in each interval and with each resize of the
// terminal; a round that takes long makes the next one wait, and none piles up. What may
// pass by itself is told instead of ending it all.
func (w *watcher) repeat(ctx context.Context, resized <-chan os.Signal, round func() error, tell func(string) error) error {
	tick := time.NewTicker(w.interval)
	defer tick.Stop()
	for {
		err := round()
		if passing(err) {
			text, next, _ := explain(asCall(err))
			err = tell(text + ": " + next)
		}
		if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-resized:
		case <-ctx.Done():
			return nil
		}
	}
}

// passing says whether an error may be over with the next call: the helper restarts, or the
// server has too much to do.
func passing(err error) bool {
	call := asCall(err)
	return call != nil && call.Kind == client.Faulted && (call.Code == client.FaultHelper || call.Code == client.FaultBusy)
}

func asCall(err error) *client.Error {
	var call *client.Error
	errors.As(err, &call)
	return call
}

// draw shows as much of each round as fits a screen of its own, which is left as it was.
func (w *watcher) draw(ctx context.Context, s *client.Session, screen *os.File) error {
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	if _, err := io.WriteString(screen, enterScreen); err != nil {
		return fmt.Errorf("write to the terminal: %w", err)
	}
	defer func() { _, _ = io.WriteString(screen, leaveScreen) }()
	var last frame
	return w.repeat(ctx, resized, func() error {
		columns, lines, err := term.GetSize(int(screen.Fd()))
		if err != nil {
			return fmt.Errorf("measure the terminal: %w", err)
		}
		f, err := w.frame(ctx, s, columns, lines)
		if err != nil {
			// The table of the last time stays for as long as there is no other.
			f.table = last.table
		}
		last = f
		if err != nil {
			return err
		}
		return f.show(screen)
	}, func(text string) error {
		last.bottom = []string{text}
		return last.show(screen)
	})
}

// frame is what a screen shows: a title, a table, and lines at the bottom.
type frame struct {
	columns, lines int
	title, time    string
	table          []string
	bottom         []string
	colour         bool
}

func (w *watcher) frame(ctx context.Context, s *client.Session, columns, lines int) (frame, error) {
	f := frame{columns: columns, lines: lines, colour: w.app.colour(w.app.stdout)}
	f.title = fmt.Sprintf("Every %v: nuctl %s", w.interval, strings.Join(w.app.args, " "))
	f.time = time.Now().Format(time.TimeOnly)
	q := w.query
	q.Limit = max(1, lines-3)
	if w.listing.limit > 0 {
		q.Limit = min(q.Limit, w.listing.limit)
	}
	var rows []connection.Row
	var last client.Page
	for page, err := range s.Pages(ctx, q) {
		if err != nil {
			return f, err
		}
		rows, last = append(rows, w.listing.rowsOf(page)...), page
	}
	f.bottom = append([]string{fmt.Sprintf("%d of %s, %d in the table", len(rows), plural(last.Total), last.Count)}, last.Warnings...)
	var text bytes.Buffer
	writer, err := output.New(w.app.outputConfig(w.listing, &text, columns))
	if err == nil {
		err = cmp.Or(writer.Page(rows), writer.End())
	}
	f.table = slices.Collect(strings.Lines(text.String()))
	return f, err
}

// show draws the frame in one write over what was there. Each line is cleared before it is
// written: behind one that is as wide as the screen the cursor stands on its last character.
func (f frame) show(screen io.Writer) error {
	title := output.Head(output.Clean(f.title), max(0, f.columns-len(f.time)-2))
	pad := max(1, f.columns-output.Width(title)-len(f.time))
	lines := []string{title + strings.Repeat(" ", pad) + f.time}
	room := max(0, f.lines-1-len(f.bottom))
	for _, line := range f.table[:min(len(f.table), room)] {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	for i, line := range f.bottom[:min(len(f.bottom), max(0, f.lines-1))] {
		line = output.Head(output.Clean(line), f.columns)
		if f.colour && i > 0 {
			line = output.Yellow(line)
		}
		lines = append(lines, line)
	}
	last := len(lines) - 1
	text := home
	if last > 0 {
		text += clearLine + strings.Join(lines[:last], "\r\n"+clearLine) + "\r\n"
	}
	if _, err := io.WriteString(screen, text+clearRest+lines[last]); err != nil {
		return fmt.Errorf("write to the terminal: %w", err)
	}
	return nil
}
