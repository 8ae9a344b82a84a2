// SPDX-License-Identifier: GPL-2.0-or-later

package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// timeFormat is RFC 3339 with milliseconds, in UTC.
const timeFormat = "2006-01-02T15:04:05.000Z"

// Lines writes entries as JSON objects, one a line, with the time in the member TIME:
// there is no journal that would add it. All values are strings, as in the journal.
type Lines struct {
	mu   sync.Mutex // guards what follows
	w    io.Writer
	line []byte // the last one, whose room the next one takes
}

// NewLines makes a sink of w, which has to fail after WriteTime rather than wait longer
// for a reader that does not read.
func NewLines(w io.Writer) *Lines { return &Lines{w: w} }

// Write writes an entry in one piece.
func (l *Lines) Write(e Entry) error {
	fields := append([]field{{"TIME", time.Now().UTC().Format(timeFormat)}}, e.fields()...)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, err := appendLine(l.line[:0], fields)
	l.line = b
	if err != nil {
		return fmt.Errorf("encode audit entry: %w", err)
	}
	if len(b) > MaxEntry {
		return fmt.Errorf("write audit entry: %d bytes, at most %d", len(b), MaxEntry)
	}
	if _, err := l.w.Write(b); err != nil {
		return fmt.Errorf("write audit entry: %w", err)
	}
	return nil
}

// appendLine keeps the order of the fields, which a map would not.
func appendLine(b []byte, fields []field) ([]byte, error) {
	b = append(b, '{')
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		for j, s := range [2]string{f.key, f.value} {
			if j > 0 {
				b = append(b, ':')
			}
			var err error
			if b, err = appendString(b, s); err != nil {
				return b, err
			}
		}
	}
	return append(b, '}', '\n'), nil
}

// appendString writes a JSON string. Nearly all are of characters that stand for
// themselves, and there are forty of them in the two entries of an attempt.
func appendString(b []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(s)
			return append(b, quoted...), err
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"'), nil
}
