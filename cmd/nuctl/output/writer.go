// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"fmt"
	"io"
	"strings"

	"nuconntrack/cmd/nuctl/connection"
)

// Writer writes rows in one format.
type Writer interface {
	// Page writes some rows. It may be called any number of times.
	Page(rows []connection.Row) error
	// End writes what the format wants after the last row.
	End() error
}

// Config is what New needs.
type Config struct {
	// Format is one of Formats.
	Format string
	// Out gets the result.
	Out io.Writer
	// Columns is the width of the terminal; 0 is no limit. Of use to tables only.
	Columns int
	// Fields are the columns to write, by name; none means what suits the format.
	Fields []string
	// NoHeader leaves out the line of titles that tables and CSV begin with.
	NoHeader bool
	// Unicode says that Out can show characters beyond ASCII.
	Unicode bool
}

// Formats are the names of the formats.
func Formats() []string { return []string{"table", "json", "jsonl", "csv"} }

// New makes the Writer of a format.
func New(c Config) (Writer, error) {
	switch c.Format {
	case "table":
		return newTable(c), nil
	case "json":
		return &jsonWriter{out: c.Out, array: true}, nil
	case "jsonl":
		return &jsonWriter{out: c.Out}, nil
	case "csv":
		return newCSV(c), nil
	}
	return nil, fmt.Errorf("output format %q is none of %s", c.Format, strings.Join(Formats(), ", "))
}
