// SPDX-License-Identifier: GPL-2.0-or-later

package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxErrors is how many mistakes of a file are kept.
const maxErrors = 50

// A Part is one of several files that are read as one.
type Part struct {
	Name string // stands in errors only
	Data []byte
}

// ReadAll reads parts as one file: what stands in a later one counts instead of what stands in
// those before. Tables are joined key by key, an array, of tables too, takes the place of another as
// a whole. Errors name the part with the value that counts.
func ReadAll(parts ...Part) Table {
	f := &file{parts: parts}
	values := map[string]any{}
	for _, p := range parts {
		join(values, f.open(p))
	}
	if len(f.errs) > 0 {
		return Table{file: f}
	}
	return Table{file: f, values: values}
}

func join(into, from map[string]any) {
	for key, v := range from {
		below, isTable := v.(map[string]any)
		if !isTable {
			into[key] = v
			continue
		}
		table, ok := into[key].(map[string]any)
		if !ok {
			table = map[string]any{}
			into[key] = table
		}
		join(table, below)
	}
}

// Errors are mistakes of one file, at least two. errors.As finds the first.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each of them.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, err := range e {
		all[i] = err
	}
	return all
}

// keep keeps an error if it is the first about its place.
func (f *file) keep(e *Error) {
	known := func(k *Error) bool { return k.File == e.File && k.Line == e.Line && k.Key == e.Key }
	switch {
	case slices.ContainsFunc(f.errs, known):
	case len(f.errs) < maxErrors:
		f.errs = append(f.errs, e)
	case !f.more:
		f.more = true
		f.errs = append(f.errs, &Error{File: e.File, Reason: fmt.Sprintf("more than %d mistakes; those that follow are left out", maxErrors)})
	}
}

// sorted returns the mistakes in the order of the parts and of their lines; those without a line
// come last of their part, and that there are more comes last of all.
func (f *file) sorted() Errors {
	all := slices.Clone(f.errs)
	known := all
	if f.more {
		known = all[:maxErrors]
	}
	part := func(e *Error) int {
		return slices.IndexFunc(f.parts, func(p Part) bool { return p.Name == e.File })
	}
	slices.SortStableFunc(known, func(a, b *Error) int {
		// A line of 0 becomes the highest number.
		return cmp.Or(cmp.Compare(part(a), part(b)), cmp.Compare(uint(a.Line)-1, uint(b.Line)-1))
	})
	return all
}

// place returns the file and the line of the key at path or, for what stands inside a value, of
// the key that the value belongs to. Line 0: it stands nowhere.
func (f *file) place(path []string) (name string, line int) {
	if len(f.parts) == 0 {
		return "", 0
	}
	name, depth := f.parts[0].Name, 0
	array := slices.IndexFunc(path, func(p string) bool { return strings.HasPrefix(p, "#") })
	for _, part := range slices.Backward(f.parts) {
		at, found := lineOf(part.Data, path)
		if found > depth {
			name, line, depth = part.Name, at, found
		}
		if array >= 0 && found >= array {
			break // elements of an array all stand in one part
		}
	}
	return name, line
}

// lineOf returns the line of as much of path as stands in data, and how much that is.
func lineOf(data []byte, path []string) (line, depth int) {
	scanKeys(data, func(p []string, at int) {
		if n := len(path); len(p) == n+1 && strings.HasPrefix(p[n], "#") {
			p = p[:n] // an array of tables stands where its first element does
		}
		if len(p) > depth && len(p) <= len(path) && slices.Equal(p, path[:len(p)]) {
			line, depth = at, len(p)
		}
	})
	return line, depth
}
