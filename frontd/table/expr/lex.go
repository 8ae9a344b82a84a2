// SPDX-License-Identifier: GPL-2.0-or-later

package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"nuconntrack/frontd/reason"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenBad           // lex says what is wrong
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
	hint reason.Kind
}{
	{"&&", tokenAnd, 0}, {"||", tokenOr, 0},
	{"<>", tokenBad, reason.SpellUnequal}, {"=>", tokenBad, reason.SpellAtLeast}, {"=<", tokenBad, reason.SpellAtMost},
	{"==", tokenOp, 0}, {"!=", tokenOp, 0}, {"<=", tokenOp, 0}, {">=", tokenOp, 0},
	{"=", tokenOp, 0}, {"<", tokenOp, 0}, {">", tokenOp, 0},
	{"!", tokenNot, 0}, {",", tokenComma, 0},
	{"(", tokenOpen, 0}, {")", tokenClose, 0},
	{"&", tokenBad, reason.SpellAnd}, {"|", tokenBad, reason.SpellOr},
	{"{", tokenBad, reason.SpellList}, {"'", tokenBad, reason.SpellText},
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

// lex cuts a text into tokens. The last is the end, or the first that is bad, for the reason given.
func lex(text string) (tokens []token, wrong reason.Reason) {
	for column := 1; ; {
		rest := strings.TrimLeft(text, " \t\r\n")
		column += len(text) - len(rest)
		t, size, wrong := cut(rest)
		t.column += column
		tokens = append(tokens, t)
		if t.kind == tokenEnd || t.kind == tokenBad {
			return tokens, wrong
		}
		column += utf8.RuneCountInString(rest[:size])
		text = rest[size:]
	}
}

// cut reads the first token, and how many bytes it has. Its column is how many characters
// behind the beginning the token, or what is wrong with it, is to be found.
func cut(text string) (t token, size int, wrong reason.Reason) {
	if text == "" {
		return token{kind: tokenEnd}, 0, wrong
	}
	if size = strings.IndexFunc(text, notInWord); size != 0 {
		if size < 0 {
			size = len(text)
		}
		return token{kind: keyword(text[:size]), text: text[:size]}, size, wrong
	}
	if text[0] == '"' {
		return cutQuoted(text)
	}
	for _, s := range symbols {
		if !strings.HasPrefix(text, s.text) {
			continue
		}
		if s.kind == tokenBad {
			return bad(0, s.hint.Of())
		}
		return token{kind: s.kind, text: s.text}, len(s.text), wrong
	}
	r, size := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && size == 1 {
		return bad(0, reason.BadEncoding.Of())
	}
	return bad(0, reason.BadCharacter.Of(r))
}

// bad is what cut gives where something is wrong so many characters behind the beginning.
func bad(column int, why reason.Reason) (token, int, reason.Reason) {
	return token{kind: tokenBad, column: column}, 0, why
}

// cutQuoted reads a text in quotation marks, in which \" and \\ stand for " and \.
func cutQuoted(text string) (t token, size int, wrong reason.Reason) {
	var b strings.Builder
	escaped := false
	characters := 1
	for i, r := range text[1:] {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[1+i:], string(utf8.RuneError)):
			return bad(characters, reason.BadEncoding.Of())
		case !unicode.IsPrint(r):
			// It could make what is shown of the expression look like something else.
			return bad(characters, reason.BadCharacter.Of(r))
		case escaped && r != '"' && r != '\\':
			return bad(characters, reason.BadEscape.Of())
		case !escaped && r == '\\':
			escaped = true
		case !escaped && r == '"':
			return token{kind: tokenQuoted, text: b.String()}, 1 + i + 1, wrong
		default:
			escaped = false
			b.WriteRune(r)
		}
		characters++
	}
	return bad(0, reason.NoQuote.Of())
}
