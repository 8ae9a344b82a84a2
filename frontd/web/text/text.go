// SPDX-License-Identifier: GPL-2.0-or-later

// Package text holds what the page says, in one catalogue per language, and writes numbers and
// times as each language does. It knows nothing of HTML: what it returns is text, to be escaped
// by who shows it. Catalogues are part of the program; what a browser sends chooses among them,
// and nothing else.
package text

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"nuconntrack/frontd/reason"
)

//go:embed *.txt
var files embed.FS

// A Language is one catalogue. It does not change.
type Language struct {
	// Code is the language tag (RFC 5646), Name what the language calls itself.
	Code, Name string

	texts map[string]string
	form  func(n int) string // which plural form goes with a number
	signs signs
}

// The plural forms of the languages there are, as suffixes of keys (Unicode CLDR, cardinal rules;
// French has a third one for whole millions written in words, which are digits here).
const (
	one   = ".one"
	other = ".other"
)

// Languages returns all catalogues, the one that is the default first.
func Languages() ([]*Language, error) {
	english := &Language{Code: "en", Name: "English", signs: englishSigns(), form: func(n int) string {
		if n == 1 {
			return one
		}
		return other
	}}
	french := &Language{Code: "fr", Name: "Français", signs: frenchSigns(), form: func(n int) string {
		if n == 0 || n == 1 {
			return one
		}
		return other
	}}
	all := []*Language{english, french}
	for _, l := range all {
		data, err := files.ReadFile(l.Code + ".txt")
		if err == nil {
			l.texts, err = parse(string(data))
		}
		if err != nil {
			return nil, fmt.Errorf("read catalogue %s: %w", l.Code, err)
		}
	}
	for key, text := range french.texts {
		french.texts[key] = frenchSpaces(text)
	}
	for _, k := range reason.Kinds() {
		english.texts[whyKey(k)] = k.English()
	}
	return all, nil
}

// whyKey is the key of a kind of reasons. English ones are those of the interface, which are not
// written down twice.
func whyKey(k reason.Kind) string { return "why." + k.Key() }

// parse reads lines of "key = text"; those that begin with # and empty ones are left out.
func parse(data string) (map[string]string, error) {
	texts := make(map[string]string)
	number := 0
	for line := range strings.Lines(data) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, " = ")
		if !ok || key == "" || value == "" {
			return nil, fmt.Errorf("line %d is not \"key = text\"", number)
		}
		if _, twice := texts[key]; twice {
			return nil, fmt.Errorf("line %d: %s is there twice", number, key)
		}
		texts[key] = value
	}
	return texts, nil
}

// Text gives the text of a key with its arguments, which are written as fmt does: for numbers see
// Number. A key that is missing is shown as itself, so that a mistake is seen and nothing breaks.
func (l *Language) Text(key string, args ...any) string {
	text, ok := l.texts[key]
	switch {
	case !ok:
		return key
	case len(args) == 0:
		return text
	}
	return fmt.Sprintf(text, args...)
}

// Count is Text in the form that goes with n, which is the first argument, written as Number does.
func (l *Language) Count(key string, n int, args ...any) string {
	return l.Text(key+l.form(n), append([]any{l.Number(uint64(max(n, 0)))}, args...)...)
}

// Why says a reason.
func (l *Language) Why(r reason.Reason) string {
	args := slices.Clone(r.Args)
	for i, arg := range args {
		if part, ok := arg.(reason.Reason); ok {
			args[i] = l.Why(part)
		}
	}
	return l.Text(whyKey(r.Kind), args...)
}

// Has reports whether there is a text for the key.
func (l *Language) Has(key string) bool {
	_, ok := l.texts[key]
	return ok
}

// Keys returns all keys, sorted; those of plural texts with their suffix.
func (l *Language) Keys() []string {
	keys := make([]string, 0, len(l.texts))
	for key := range l.texts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
