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
	mu     sync.Mutex // guards what follows
	w      io.Writer
	fields fields
	line   []byte // the last one, whose room the next one takes
}

// NewLines makes a sink of w, which has to fail after WriteTime rather than wait longer
// for a reader that does not read.
func NewLines(w io.Writer) *Lines { return &Lines{w: w} }

// Write writes an entry in one piece.
func (l *Lines) Write(e Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fields.set(&e)
	b, err := appendLine(l.line[:0], time.Now(), &l.fields)
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
func appendLine(b []byte, now time.Time, f *fields) ([]byte, error) {
	b = append(b, `{"TIME":"`...)
	b = append(now.UTC().AppendFormat(b, timeFormat), '"')
	for _, of := range f.all {
		b = append(b, `,"`...)
		b = append(b, of.key...) // the keys stand for themselves
		b = append(b, `":`...)
		var err error
		if b, err = appendString(b, f.value(of)); err != nil {
			return b, err
		}
	}
	return append(b, '}', '\n'), nil
}

// appendString writes a JSON string. Nearly all are of characters that stand for
// themselves, and there are forty of them in the two entries of an attempt.
func appendString(b, s []byte) ([]byte, error) {
	for _, c := range s {
		if c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(string(s))
			return append(b, quoted...), err
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"'), nil
}
