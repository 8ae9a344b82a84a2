// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// FileError says what is wrong with a policy file and where. Line counts from
// 1 and is 0 where the error is not about a place; Key is dotted as in TOML and
// empty where no key is to blame.
type FileError struct {
	File   string
	Line   int
	Key    string
	Reason string
}

func (e *FileError) Error() string {
	s := e.File
	if e.Line > 0 {
		s += ": line " + strconv.Itoa(e.Line)
	}
	if e.Key != "" {
		s += ": key " + e.Key
	}
	return s + ": " + e.Reason
}

// file is a policy file being read. The first error sticks, so that readers of
// values need not look at each of them.
//
// Values are taken from generic tables and not by reflection into structs:
// the library matches the names of struct fields in any case, keeps no line
// for a key that nothing decoded, and only the last line for keys of an array
// of tables.
type file struct {
	data   []byte
	name   string
	values map[string]any
	err    error
}

func newFile(data []byte, name string) *file {
	f := &file{data: data, name: name}
	if len(data) > MaxFileSize {
		f.err = &FileError{File: name, Reason: fmt.Sprintf("larger than %d bytes", MaxFileSize)}
		return f
	}
	if line := scanKeys(data, func([]string, int) {}); line > 0 {
		f.err = &FileError{File: name, Line: line, Reason: fmt.Sprintf("nested deeper than %d", maxNesting)}
		return f
	}
	if err := toml.Unmarshal(data, &f.values); err != nil {
		f.err = f.syntaxError(err)
	}
	return f
}

func (f *file) syntaxError(err error) error {
	var parse toml.ParseError
	if !errors.As(err, &parse) {
		return &FileError{File: f.name, Reason: plain(err.Error())}
	}
	return &FileError{File: f.name, Line: parse.Position.Line, Key: plain(parse.LastKey), Reason: plain(parse.Message)}
}

// lineOf returns the line of the key at path or, for what stands inside a
// value, of the key that the value belongs to.
func (f *file) lineOf(path []string) int {
	line, depth := 0, 0
	scanKeys(f.data, func(p []string, at int) {
		if n := len(path); len(p) == n+1 && strings.HasPrefix(p[n], "#") {
			p = p[:n] // an array of tables stands where its first element does
		}
		if len(p) > depth && len(p) <= len(path) && slices.Equal(p, path[:len(p)]) {
			line, depth = at, len(p)
		}
	})
	return line
}

func (f *file) root() table {
	if f.err != nil {
		return table{file: f}
	}
	return table{file: f, values: f.values}
}

// table is one table of a file. Its path holds the names above it and, after
// the name of an array of tables, the element's number after '#'.
type table struct {
	file   *file
	path   []string
	values map[string]any
}

// at returns a path of its own for what stands below the table.
func (t table) at(parts ...string) []string {
	return append(slices.Clip(slices.Clone(t.path)), parts...)
}

// fail keeps the error if it is the first. An empty key blames the table.
func (t table) fail(key, format string, args ...any) {
	if t.file.err != nil {
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
	t.file.err = &FileError{
		File: t.file.name, Line: t.file.lineOf(path),
		Key: plain(strings.Join(names, ".")), Reason: fmt.Sprintf(format, args...),
	}
}

func (t table) has(key string) bool {
	_, ok := t.values[key]
	return ok
}

// only refuses keys other than those named.
func (t table) only(keys ...string) {
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		if !slices.Contains(keys, key) {
			t.fail(key, "unknown key; known here are %s", strings.Join(keys, ", "))
			return
		}
	}
}

// table returns the table below key, an empty one where there is none.
func (t table) table(key string) table {
	below := table{file: t.file, path: t.at(key)}
	v, ok := t.values[key]
	if !ok {
		return below
	}
	if below.values, ok = v.(map[string]any); !ok {
		t.fail(key, "want a table, not %s", kind(v))
	}
	return below
}

// tables returns the elements of an array of tables.
func (t table) tables(key string, most int) []table {
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
		t.fail(key, "want tables ([[%s]]), not %s", key, kind(v))
	}
	if len(elements) > most {
		t.fail(key, "more than %d of them", most)
		return nil
	}
	tables := make([]table, 0, len(elements))
	for i, e := range elements {
		m, ok := e.(map[string]any)
		if !ok {
			t.fail(key, "want tables ([[%s]]), not %s", key, kind(e))
			return nil
		}
		tables = append(tables, table{file: t.file, path: t.at(key, "#"+strconv.Itoa(i)), values: m})
	}
	return tables
}

// boolean returns the value of key, false where there is none.
func (t table) boolean(key string) bool {
	v, ok := t.values[key]
	if !ok {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		t.fail(key, "want true or false, not %s", kind(v))
	}
	return b
}

// integer returns the value of key, which has to be in least to most.
func (t table) integer(key string, standard, least, most int64) int64 {
	v, ok := t.values[key]
	if !ok {
		return standard
	}
	n, ok := v.(int64)
	switch {
	case !ok:
		t.fail(key, "want an integer, not %s", kind(v))
	case n < least || n > most:
		t.fail(key, "%d is not in %d to %d", n, least, most)
	}
	return n
}

// share returns the value of key, which has to be above 0 and at most most.
func (t table) share(key string, standard, most float64) float64 {
	var n float64
	switch v := t.values[key].(type) {
	case nil:
		return standard
	case int64:
		n = float64(v)
	case float64:
		n = v
	default:
		t.fail(key, "want a number, not %s", kind(v))
		return 0
	}
	if !(n > 0 && n <= most) { // NaN fails both
		t.fail(key, "%v is not above 0 and at most %s", n, strconv.FormatFloat(most, 'f', -1, 64))
	}
	return n
}

// text returns the string at key, the empty one where there is none.
func (t table) text(key string) string {
	v, ok := t.values[key]
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		t.fail(key, "want a string, not %s", kind(v))
	}
	return s
}

// list returns the elements at key, nil where there is none. An empty list is
// refused: it could mean nothing or everything.
func (t table) list(key string) []any {
	v, ok := t.values[key]
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	switch {
	case !ok:
		t.fail(key, "want an array of values, not %s", kind(v))
	case len(list) == 0:
		t.fail(key, "the array is empty; leave the key out to mean any")
	case len(list) > maxListed:
		t.fail(key, "more than %d elements", maxListed)
		return nil
	}
	return list
}
