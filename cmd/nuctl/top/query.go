// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"errors"
	"strings"

	"nuconntrack/frontd/table"
)

// query is what the table shows.
type query struct {
	expr    string // as the user wrote it; empty matches all
	orderBy string
	desc    bool
	by      string // field to group by; empty for connections
}

// checkExpr says what is wrong with an expression, and at which character, counted from 1;
// column 0 if there is no such place. An empty one is right.
func checkExpr(text string) (column int, reason string) {
	if strings.TrimSpace(text) == "" {
		return 0, ""
	}
	_, err := table.ParseExpr(text)
	if err == nil {
		return 0, ""
	}
	var bad *table.FilterError
	if errors.As(err, &bad) {
		return bad.Column, bad.Reason.Error()
	}
	return 0, err.Error()
}

// filters are those of the call.
func (q query) filters() map[string]any {
	if strings.TrimSpace(q.expr) == "" {
		return nil
	}
	return map[string]any{"expr": q.expr}
}

// narrowed is the expression that also asks for a value of a field.
func narrowed(expr, test string) string {
	if strings.TrimSpace(expr) == "" {
		return test
	}
	return "(" + expr + ") and " + test
}

// command is how nuctl list or nuctl groups shows the same.
func (q query) command() string {
	words := []string{"nuctl", "list"}
	if q.by != "" {
		words = []string{"nuctl", "groups", shellQuoted(q.by)}
	}
	sort := q.orderBy
	if q.desc {
		sort += ":desc"
	}
	words = append(words, "--sort", sort)
	if q.expr != "" {
		words = append(words, shellQuoted(q.expr))
	}
	return strings.Join(words, " ")
}

// shellQuoted writes a word for a POSIX shell.
func shellQuoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:,@%+=", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
