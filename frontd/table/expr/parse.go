// SPDX-License-Identifier: GPL-2.0-or-later

package expr

import (
	"strings"
	"unicode/utf8"

	"nuconntrack/frontd/reason"
)

// Vocabulary knows the names of the language.
type Vocabulary interface {
	// Word says what a name in lower case means, or two with a space between them.
	Word(name string) (Word, bool)
	// Suggest says what may have been meant by a name that there is not, as in `did you
	// mean dport?`; false if nothing comes to mind.
	Suggest(name string) (reason.Reason, bool)
}

// Word is what a name means where a test begins.
type Word struct {
	// Field names what is asked of a connection, and is what canonical forms show. If it
	// can be the first of two words, its values must be none of the second ones.
	Field string
	Flag  bool   // the name is a whole test
	Value string // not empty: the name is a whole test, for this value of the field
	Not   bool   // the name is the opposite of that test
}

// Parse reads an expression. The error is an *Error.
func Parse(text string, words Vocabulary) (Expr, error) {
	if len(text) > MaxLength {
		return nil, &Error{utf8.RuneCountInString(text[:MaxLength]) + 1, reason.LongExpr.Of(len(text), MaxLength)}
	}
	p := parser{words: words}
	p.tokens, p.wrong = lex(text)
	x, err := p.any()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, p.fail(t, reason.NoOpening.Of()) // the only token that any leaves
	}
	if n := len(x.String()); n > MaxLength {
		return nil, p.fail(p.peek(), reason.LongWritten.Of(n, MaxLength))
	}
	return x, nil
}

// parser reads tokens by recursive descent.
type parser struct {
	words  Vocabulary
	tokens []token       // the last is never taken
	wrong  reason.Reason // with it, where it is bad
	depth  int
	tests  int
	// last is the value that was just read, "" behind anything else.
	last string
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) take() token {
	t := p.tokens[0]
	if len(p.tokens) > 1 {
		p.tokens = p.tokens[1:]
	}
	return t
}

// fail complains about a token. One that is bad has a complaint of its own.
func (p *parser) fail(t token, why reason.Reason) error {
	if t.kind == tokenBad {
		why = p.wrong
	}
	return &Error{t.column, why}
}

// found names a token in a complaint.
func found(t token) any {
	switch t.kind {
	case tokenEnd:
		return reason.FoundEnd.Of()
	case tokenQuoted:
		return reason.FoundText.Of(shown(t.text))
	}
	return shown(t.text)
}

// any = all { "or" all }
func (p *parser) any() (Expr, error) {
	return p.joined(tokenOr, p.all, anyOf)
}

// all = term { "and" term }
func (p *parser) all() (Expr, error) {
	return p.joined(tokenAnd, p.term, all)
}

func (p *parser) joined(by tokenKind, part func() (Expr, error), join func([]Expr) Expr) (Expr, error) {
	var parts []Expr
	for {
		x, err := part()
		if err != nil {
			return nil, err
		}
		parts = append(parts, x)
		if p.peek().kind != by {
			return join(parts), nil
		}
		p.take()
	}
}

// term = "not" term | "(" any ")" | test, and nothing behind it but what can be there.
func (p *parser) term() (Expr, error) {
	t := p.peek()
	var x Expr
	var err error
	switch t.kind {
	case tokenNot, tokenOpen:
		if p.depth++; p.depth > MaxDepth {
			return nil, p.fail(t, reason.DeepExpr.Of(MaxDepth))
		}
		if p.take(); t.kind == tokenNot {
			x, err = p.negated()
		} else {
			x, err = p.enclosed(t)
		}
		p.depth--
	case tokenWord:
		x, err = p.test()
	default:
		return nil, p.fail(t, reason.NoTest.Of(found(t)))
	}
	if err != nil {
		return nil, err
	}
	return x, p.behind()
}

func (p *parser) negated() (Expr, error) {
	x, err := p.term()
	if err != nil {
		return nil, err
	}
	return negate(x), nil
}

func (p *parser) enclosed(open token) (Expr, error) {
	x, err := p.any()
	if err != nil {
		return nil, err
	}
	p.last = ""
	if t := p.take(); t.kind != tokenClose {
		return nil, p.fail(t, reason.NoClosing.Of(open.column, found(t)))
	}
	return x, nil
}

// behind refuses what cannot follow a term.
func (p *parser) behind() error {
	t := p.peek()
	switch t.kind {
	case tokenEnd, tokenAnd, tokenOr, tokenClose:
		return nil
	case tokenNot, tokenOpen:
		return p.fail(t, reason.NoJoin.Of(found(t)))
	case tokenWord:
		if _, ok := p.words.Word(strings.ToLower(t.text)); ok {
			return p.fail(t, reason.NoJoinWord.Of(found(t), t.text))
		}
	}
	if p.last != "" && (t.kind == tokenWord || t.kind == tokenQuoted) {
		return p.fail(t, reason.NoJoinValue.Of(found(t), shown(p.last), shown(t.text)))
	}
	return p.fail(t, reason.NoEnd.Of(found(t)))
}
