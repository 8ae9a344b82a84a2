// SPDX-License-Identifier: GPL-2.0-or-later

package strict

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShown bounds what a message repeats of a file, in bytes before quoting.
const maxShown = 100

// Kind names the TOML type of a value.
func Kind(v any) string {
	switch v.(type) {
	case bool:
		return "a boolean"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case string:
		return "a string"
	case []any:
		return "an array"
	case []map[string]any:
		return "an array of tables"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}

// Show returns a value of a list as a message may repeat it.
func Show(v any) string {
	switch v := v.(type) {
	case bool, int64, float64:
		return fmt.Sprint(v)
	case string:
		return Quote(v)
	}
	return Kind(v)
}

// Quote returns s quoted, without control characters, and of bounded length.
func Quote(s string) string { return strconv.Quote(shorten(s)) }

// plain returns s of bounded length and without what would steer a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, shorten(s))
}

// shorten cuts s to maxShown bytes at the border of a character.
func shorten(s string) string {
	if len(s) <= maxShown {
		return s
	}
	cut := maxShown
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
