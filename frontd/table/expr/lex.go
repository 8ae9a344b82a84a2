// SPDX-License-Identifier: GPL-2.0-or-later

package expr

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenBad           // its text says what is wrong
	tokenWord
	tokenQuoted
	tokenAnd
	tokenOr
	tokenNot
	tokenOp
	tokenComma
	tokenOpen
	tokenClose
)

// token is one piece of an expression.
type token struct {
	kind   tokenKind
	text   string // as it was written; of quoted texts and words what they say
	column int
}

// symbols are the tokens that are no words, the longer of two that begin alike first.
// What only other languages have is here to say what to write instead.
var symbols = []struct {
	text string
	kind tokenKind
	hint string
}{
	{"&&", tokenAnd, ""}, {"||", tokenOr, ""},
	{"<>", tokenBad, `"not equal" is written !=`},
	{"=>", tokenBad, `"greater or equal" is written >=`},
	{"=<", tokenBad, `"less or equal" is written <=`},
	{"==", tokenOp, ""}, {"!=", tokenOp, ""}, {"<=", tokenOp, ""}, {">=", tokenOp, ""},
	{"=", tokenOp, ""}, {"<", tokenOp, ""}, {">", tokenOp, ""},
	{"!", tokenNot, ""}, {",", tokenComma, ""}, {"(", tokenOpen, ""}, {")", tokenClose, ""},
	{"&", tokenBad, `"and" is written and or &&`},
	{"|", tokenBad, `"or" is written or or ||`},
	{"{", tokenBad, "a list of values is written without braces: 80,443"},
	{"'", tokenBad, `texts stand in double quotation marks: "…"`},
}

// keyword is the kind of a word.
func keyword(word string) tokenKind {
	switch strings.ToLower(word) {
	case "and":
		return tokenAnd
	case "or":
		return tokenOr
	case "not":
		return tokenNot
	}
	return tokenWord
}

// opWord reads the comparisons that can be written as words, which shells leave alone.
func opWord(word string) (Op, bool) {
	switch strings.ToLower(word) {
	case "eq":
		return Equal, true
	case "ne":
		return unequal, true
	case "lt":
		return Less, true
	case "le":
		return LessOrEqual, true
	case "gt":
		return Greater, true
	case "ge":
		return GreaterOrEqual, true
	}
	return "", false
}

// notInWord says that a character can stand in quotation marks only. The others are those
// of names, numbers, addresses, ranges, masks, times and keys.
func notInWord(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune("_.:/-+%", r)
}

// lex cuts a text into tokens. The last is the end, or the first that is bad.
func lex(text string) []token {
	var tokens []token
	for column := 1; ; {
		rest := strings.TrimLeft(text, " \t\r\n")
		column += len(text) - len(rest)
		t, size := cut(rest)
		t.column += column
		tokens = append(tokens, t)
		if t.kind == tokenEnd || t.kind == tokenBad {
			return tokens
		}
		column += utf8.RuneCountInString(rest[:size])
		text = rest[size:]
	}
}

// cut reads the first token, and how many bytes it has. Its column is how many characters
// behind the beginning the token, or what is wrong with it, is to be found.
func cut(text string) (token, int) {
	if text == "" {
		return token{kind: tokenEnd}, 0
	}
	if size := strings.IndexFunc(text, notInWord); size != 0 {
		if size < 0 {
			size = len(text)
		}
		return token{kind: keyword(text[:size]), text: text[:size]}, size
	}
	if text[0] == '"' {
		return cutQuoted(text)
	}
	for _, s := range symbols {
		if !strings.HasPrefix(text, s.text) {
			continue
		}
		if s.kind == tokenBad {
			return token{kind: tokenBad, text: s.hint}, 0
		}
		return token{kind: s.kind, text: s.text}, len(s.text)
	}
	r, size := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && size == 1 {
		return token{kind: tokenBad, text: "this is not UTF-8"}, 0
	}
	return token{kind: tokenBad, text: fmt.Sprintf("unexpected character %q", r)}, 0
}

// cutQuoted reads a text in quotation marks, in which \" and \\ stand for " and \.
func cutQuoted(text string) (token, int) {
	var b strings.Builder
	escaped := false
	characters := 1
	for i, r := range text[1:] {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[1+i:], string(utf8.RuneError)):
			return token{kind: tokenBad, column: characters, text: "this is not UTF-8"}, 0
		case !unicode.IsPrint(r):
			// It could make what is shown of the expression look like something else.
			return token{kind: tokenBad, column: characters, text: fmt.Sprintf("unexpected character %q", r)}, 0
		case escaped && r != '"' && r != '\\':
			return token{kind: tokenBad, column: characters, text: `behind \ stands " or \ only`}, 0
		case !escaped && r == '\\':
			escaped = true
		case !escaped && r == '"':
			return token{kind: tokenQuoted, text: b.String()}, 1 + i + 1
		default:
			escaped = false
			b.WriteRune(r)
		}
		characters++
	}
	return token{kind: tokenBad, text: `the text has no closing "`}, 0
}
