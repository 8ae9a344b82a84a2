// SPDX-License-Identifier: GPL-2.0-or-later

package expr

import (
	"strings"

	"nuconntrack/frontd/reason"
)

// test = word | flag [ ( "=" | "!=" ) boolean ] | name [ op ] value { "," value }
func (p *parser) test() (Expr, error) {
	t := p.take()
	word, err := p.word(t)
	if err != nil {
		return nil, err
	}
	if p.tests++; p.tests > MaxTests {
		return nil, p.fail(t, reason.ManyTests.Of(MaxTests))
	}
	test := &Test{Field: word.Field, Op: Equal, Column: t.column}
	p.last = ""
	not := word.Not
	switch {
	case word.Value != "":
		test.Values = []Value{{word.Value, t.column}}
	case word.Flag:
		off, err := p.flag(t)
		if err != nil {
			return nil, err
		}
		not = not != off
	default:
		off, err := p.comparison(test, t)
		if err != nil {
			return nil, err
		}
		not = off
	}
	if not {
		return Not{test}, nil
	}
	return test, nil
}

// word looks a name up, the longer of two that begin alike first.
func (p *parser) word(t token) (Word, error) {
	name := strings.ToLower(t.text)
	if next := p.peek(); next.kind == tokenWord {
		if word, ok := p.words.Word(name + " " + strings.ToLower(next.text)); ok {
			p.take()
			return word, nil
		}
	}
	word, ok := p.words.Word(name)
	if !ok {
		why := reason.NoName.Of(shown(t.text))
		if meant, ok := p.words.Suggest(name); ok {
			why = reason.NoNameBut.Of(shown(t.text), meant)
		}
		return Word{}, p.fail(t, why)
	}
	return word, nil
}

// op takes a comparison, if one is next. `dport !22` is read as filters of the interface
// write it.
func (p *parser) op() (Op, bool) {
	t := p.peek()
	var op Op
	switch t.kind {
	case tokenOp:
		op = Op(t.text)
		if op == "==" {
			op = Equal
		}
	case tokenNot:
		if t.text != "!" {
			return "", false
		}
		op = unequal
	case tokenWord:
		var ok bool
		if op, ok = opWord(t.text); !ok {
			return "", false
		}
	default:
		return "", false
	}
	p.take()
	return op, true
}

// flag reads what may follow a flag, and whether it turns the meaning round.
func (p *parser) flag(name token) (off bool, err error) {
	at := p.peek()
	if at.kind == tokenNot {
		return false, nil
	}
	op, ok := p.op()
	if !ok {
		return false, nil
	}
	if op != Equal && op != unequal {
		return false, p.fail(at, reason.FlagCompared.Of(name.text, op))
	}
	v := p.take()
	switch strings.ToLower(v.text) {
	case "true", "yes", "1":
		return op == unequal, nil
	case "false", "no", "0":
		return op == Equal, nil
	}
	return false, p.fail(v, reason.NoBoolean.Of(found(v)))
}

// comparison reads what follows the name of a field, and whether it is a !=.
func (p *parser) comparison(test *Test, name token) (not bool, err error) {
	op, explicit := p.op()
	if !explicit {
		op = Equal
	}
	if not = op == unequal; not {
		op = Equal
	}
	test.Op = op
	for {
		v := p.take()
		switch {
		case v.kind == tokenNot:
			return false, p.fail(v, reason.NoValueNot.Of(name.text, found(v), name.text, name.text))
		case v.kind != tokenWord && v.kind != tokenQuoted:
			return false, p.fail(v, reason.NoValue.Of(name.text, found(v)))
		}
		test.Values = append(test.Values, Value{v.text, v.column})
		p.last = v.text
		comma := p.peek()
		if comma.kind != tokenComma {
			return not, nil
		}
		if op != Equal {
			return false, p.fail(comma, reason.ListCompared.Of(op))
		}
		p.take()
	}
}
