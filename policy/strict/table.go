// SPDX-License-Identifier: GPL-2.0-or-later

package strict

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// Limits of a file.
const (
	MaxFileSize = 1 << 20 // bytes
	MaxListed   = 10_000  // elements of one list
	maxNesting  = 8       // of arrays, inline tables and dotted keys
)

// Error says what is wrong with a file and where. Line counts from 1 and is 0
// where the error is not about a place; Key is dotted as in TOML and empty where no
// key is to blame.
type Error struct {
	File   string
	Line   int
	Key    string
	Reason string
}

func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s += ": line " + strconv.Itoa(e.Line)
	}
	if e.Key != "" {
		s += ": key " + e.Key
	}
	return s + ": " + e.Reason
}

// file is one file, or several that are read as one. Errors are kept, so that readers of
// values need not look at each of them.
//
// Values are taken from generic tables and not by reflection into structs:
// the library matches the names of struct fields in any case, keeps no line
// for a key that nothing decoded, and only the last line for keys of an array
// of tables.
type file struct {
	parts []Part // the last one counts
	errs  Errors
	more  bool // there were more than maxErrors
}

// Read parses a file and returns its outermost table. name stands in errors only.
// Errors are kept: see Table.Err.
func Read(data []byte, name string) Table { return ReadAll(Part{Name: name, Data: data}) }

// open parses a part; a mistake in its form is kept.
func (f *file) open(part Part) (values map[string]any) {
	if len(part.Data) > MaxFileSize {
		f.keep(&Error{File: part.Name, Reason: fmt.Sprintf("larger than %d bytes", MaxFileSize)})
		return nil
	}
	if line := scanKeys(part.Data, func([]string, int) {}); line > 0 {
		f.keep(&Error{File: part.Name, Line: line, Reason: fmt.Sprintf("nested deeper than %d", maxNesting)})
		return nil
	}
	if err := toml.Unmarshal(part.Data, &values); err != nil {
		f.keep(syntaxError(part.Name, err))
		return nil
	}
	return values
}

func syntaxError(name string, err error) *Error {
	var parse toml.ParseError
	if !errors.As(err, &parse) {
		return &Error{File: name, Reason: plain(err.Error())}
	}
	return &Error{File: name, Line: parse.Position.Line, Key: plain(parse.LastKey), Reason: plain(parse.Message)}
}

// Table is one table of a file. Reading a value that is missing, of another type or out
// of bounds never panics: it keeps an error for Err and returns something harmless.
type Table struct {
	file *file
	// path holds the names above the table and, after the name of an array of tables,
	// the element's number after '#'.
	path   []string
	values map[string]any
}

// Err returns what is wrong with the whole file: nil, a *Error, or Errors, one for each mistake
// that was found, as they stand in the files.
func (t Table) Err() error {
	switch len(t.file.errs) {
	case 0:
		return nil
	case 1:
		return t.file.errs[0]
	}
	return t.file.sorted()
}

// at returns a path of its own for what stands below the table.
func (t Table) at(parts ...string) []string {
	return append(slices.Clip(slices.Clone(t.path)), parts...)
}

// Fail keeps an error, the first one about a key and the first about a table: those that follow
// come of what stood in for a value that was wrong. For the same reason one about a key that is
// not there is kept only if it is the first of all. format and args are its Reason. An empty
// key blames the table.
func (t Table) Fail(key, format string, args ...any) {
	if key != "" && !t.Has(key) && len(t.file.errs) > 0 {
		return
	}
	path := t.path
	if key != "" {
		path = t.at(key)
	}
	var names []string
	for _, p := range path {
		if !strings.HasPrefix(p, "#") {
			names = append(names, toml.Key{p}.String())
		}
	}
	name, line := t.file.place(path)
	t.file.keep(&Error{File: name, Line: line, Key: plain(strings.Join(names, ".")), Reason: fmt.Sprintf(format, args...)})
}

// Has reports whether the key is there, with whatever value.
func (t Table) Has(key string) bool {
	_, ok := t.values[key]
	return ok
}

// Keys returns the names of all keys, sorted.
func (t Table) Keys() []string { return slices.Sorted(maps.Keys(t.values)) }

// Value returns the value of key as the TOML library made it, nil where there is none.
func (t Table) Value(key string) any { return t.values[key] }

// Only refuses keys other than those named.
func (t Table) Only(keys ...string) {
	for _, key := range t.Keys() {
		if !slices.Contains(keys, key) {
			t.Fail(key, "unknown key; known here are %s", strings.Join(keys, ", "))
		}
	}
}

// Table returns the table below key, an empty one where there is none.
func (t Table) Table(key string) Table {
	below := Table{file: t.file, path: t.at(key)}
	v, ok := t.values[key]
	if !ok {
		return below
	}
	if below.values, ok = v.(map[string]any); !ok {
		t.Fail(key, "want a table, not %s", Kind(v))
	}
	return below
}

// Tables returns the elements of an array of tables.
func (t Table) Tables(key string, most int) []Table {
	v, ok := t.values[key]
	if !ok {
		return nil
	}
	var elements []any
	switch v := v.(type) {
	case []map[string]any:
		for _, m := range v {
			elements = append(elements, m)
		}
	case []any:
		elements = v
	default:
		t.Fail(key, "want tables ([[%s]]), not %s", key, Kind(v))
	}
	if len(elements) > most {
		t.Fail(key, "more than %d of them", most)
		return nil
	}
	tables := make([]Table, 0, len(elements))
	for i, e := range elements {
		m, ok := e.(map[string]any)
		if !ok {
			t.Fail(key, "want tables ([[%s]]), not %s", key, Kind(e))
			return nil
		}
		tables = append(tables, Table{file: t.file, path: t.at(key, "#"+strconv.Itoa(i)), values: m})
	}
	return tables
}

// Boolean returns the value of key, false where there is none.
func (t Table) Boolean(key string) bool {
	v, ok := t.values[key]
	if !ok {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		t.Fail(key, "want true or false, not %s", Kind(v))
	}
	return b
}

// Integer returns the value of key, which has to be in least to most.
func (t Table) Integer(key string, standard, least, most int64) int64 {
	v, ok := t.values[key]
	if !ok {
		return standard
	}
	n, ok := v.(int64)
	switch {
	case !ok:
		t.Fail(key, "want an integer, not %s", Kind(v))
	case n < least || n > most:
		t.Fail(key, "%d is not in %d to %d", n, least, most)
	}
	return n
}

// Share returns the value of key, which has to be above 0 and at most most.
func (t Table) Share(key string, standard, most float64) float64 {
	var n float64
	switch v := t.values[key].(type) {
	case nil:
		return standard
	case int64:
		n = float64(v)
	case float64:
		n = v
	default:
		t.Fail(key, "want a number, not %s", Kind(v))
		return 0
	}
	if !(n > 0 && n <= most) { // NaN fails both
		t.Fail(key, "%v is not above 0 and at most %s", n, strconv.FormatFloat(most, 'f', -1, 64))
	}
	return n
}

// Text returns the string at key, the empty one where there is none.
func (t Table) Text(key string) string {
	v, ok := t.values[key]
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		t.Fail(key, "want a string, not %s", Kind(v))
	}
	return s
}

// List returns the elements at key, nil where there is none; an empty list is not
// nil. One of more than MaxListed elements is an error.
func (t Table) List(key string) []any {
	v, ok := t.values[key]
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	switch {
	case !ok:
		t.Fail(key, "want an array of values, not %s", Kind(v))
	case len(list) > MaxListed:
		t.Fail(key, "more than %d elements", MaxListed)
		return nil
	}
	return list
}
