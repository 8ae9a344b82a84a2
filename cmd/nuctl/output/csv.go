// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"encoding/csv"

	"nuconntrack/cmd/nuctl/connection"
)

// csvWriter writes RFC 4180 with lines that end in \n. The columns are the same for every
// server and every table, and empty where a row lacks the field.
type csvWriter struct {
	out    *csv.Writer
	fields []string
	header bool
}

func newCSV(c Config) *csvWriter {
	w := &csvWriter{out: csv.NewWriter(c.Out), fields: c.Fields, header: !c.NoHeader}
	if len(w.fields) == 0 {
		for _, f := range fieldsOf(c) {
			w.fields = append(w.fields, f.Name)
		}
	}
	return w
}

// Page writes the rows.
func (w *csvWriter) Page(rows []connection.Row) error {
	if w.header {
		w.header = false
		if err := w.out.Write(w.fields); err != nil {
			return err
		}
	}
	record := make([]string, len(w.fields))
	for _, row := range rows {
		for i, name := range w.fields {
			text, _ := row.Text(name)
			record[i] = Clean(text)
		}
		if err := w.out.Write(record); err != nil {
			return err
		}
	}
	w.out.Flush()
	return w.out.Error()
}

// End writes the titles if no page did.
func (w *csvWriter) End() error { return w.Page(nil) }
