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
	// GroupBy says that the rows are groups by this field, in one of GroupFormats; empty for
	// connections.
	GroupBy string
	// OrderBy is the field by which the rows are sorted, whose column stays however narrow
	// the terminal is; empty for none.
	OrderBy string
	// NoHeader leaves out the line of titles that tables and CSV begin with.
	NoHeader bool
	// Unicode says that Out can show characters beyond ASCII.
	Unicode bool
	// Colour says that Out is a terminal whose user has nothing against colours.
	Colour bool
	// Names, if not nil, gives the names that stand for addresses and ports in tables.
	Names Names
}

// Names knows names for what rows hold. What it returns is text of the network.
type Names interface {
	// Learn looks up what can be found out in bounded time about the addresses of rows.
	Learn(rows []connection.Row)
	// Host is the name of an address, or the address.
	Host(addr string) string
	// Service is the name of a port of a protocol, or its number.
	Service(protocol string, port uint64) string
}

// Formats are the names of the formats.
func Formats() []string { return []string{"table", "wide", "json", "jsonl", "csv", "extended", "save"} }

// Tabular says whether a format is for people at a terminal.
func Tabular(format string) bool { return format == "table" || format == "wide" }

// Needs are the fields that a format is made of; none for those that show every field.
func Needs(format string) []string {
	switch format {
	case "table":
		return connection.Summary()
	case "extended", "save":
		return conntrackFields()
	}
	return nil
}

// fieldsOf are those that rows may have, in their order.
func fieldsOf(c Config) []connection.Field {
	if c.GroupBy != "" {
		return groupFields()
	}
	return connection.Fields()
}

// Notes are what a Writer has to say about rows that it could not write.
func Notes(w Writer) []string {
	if n, ok := w.(interface{ Notes() []string }); ok {
		return n.Notes()
	}
	return nil
}

// New makes the Writer of a format.
func New(c Config) (Writer, error) {
	switch c.Format {
	case "table", "wide":
		return newTable(c), nil
	case "extended":
		return &extendedWriter{out: c.Out}, nil
	case "save":
		return &saveWriter{out: c.Out, left: map[string]int{}}, nil
	case "json":
		return newJSON(c, true), nil
	case "jsonl":
		return newJSON(c, false), nil
	case "csv":
		return newCSV(c), nil
	}
	return nil, fmt.Errorf("output format %q is none of %s", c.Format, strings.Join(Formats(), ", "))
}
