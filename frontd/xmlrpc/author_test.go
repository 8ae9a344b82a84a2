// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// author writes calls that are good, in every way there is to write the same: gaps and
// comments, references, CDATA, attributes, empty elements, charsets, forms of numbers.
type author struct {
	rand   *rand.Rand
	latin1 bool
	ex     bool // the prefix is declared
}

func (a *author) document() []byte {
	prolog := ""
	switch a.rand.IntN(5) {
	case 0:
		prolog = "<?xml version='1.0'?>"
	case 1:
		prolog = `<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>`
	case 2:
		a.latin1 = true
		prolog = `<?xml version="1.0" encoding="` + oneOf(a.rand, "ISO-8859-1", "iso-8859-1") + `"?>`
	case 3:
		prolog = "\xef\xbb\xbf"
	}
	a.ex = a.rand.IntN(3) == 0
	root := "methodCall"
	if a.ex {
		root += ` xmlns:ex="` + extensions + `"`
	}
	body := "<" + root + ">" + a.gap() + a.element("methodName", oneOf(a.rand, "view", "system.listMethods", "a", "x/y:z_0")) + a.gap() +
		a.params() + a.gap() + "</methodCall>" + a.gap()
	if a.latin1 {
		var b []byte
		for _, r := range body {
			b = append(b, byte(r))
		}
		body = string(b)
	}
	return []byte(prolog + body)
}

func (a *author) params() string {
	switch a.rand.IntN(8) {
	case 0:
		return ""
	case 1:
		return "<params/>"
	}
	return "<params>" + a.gap() + repeat(a.rand, 4, func() string {
		return "<param>" + a.gap() + a.value(3) + a.gap() + "</param>" + a.gap()
	}) + "</params>"
}

// gap is what may stand between elements.
func (a *author) gap() string {
	return oneOf(a.rand, "", "", "", " ", "\n", "\r\n\t", "<!-- <value> & -->", "\n<!---->\n")
}

func (a *author) element(name, content string) string {
	tag := name + oneOf(a.rand, "", "", "", " ", "\n", ` a="1"`, ` a='&lt;"' b = ">"`)
	if content == "" && a.rand.IntN(2) == 0 {
		return "<" + tag + "/>"
	}
	return "<" + tag + ">" + content + "</" + name + oneOf(a.rand, "", "", " ") + ">"
}

func (a *author) value(depth int) string {
	if a.rand.IntN(8) == 0 {
		return a.element("value", a.text(12))
	}
	return a.element("value", a.gap()+a.typed(depth)+a.gap())
}

func (a *author) typed(depth int) string {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch a.rand.IntN(kinds) {
	case 0:
		tags := []string{"int", "i4", "i8"}
		if a.ex {
			tags = append(tags, "ex:i8")
		}
		return a.element(oneOf(a.rand, tags...), a.around(a.integer()))
	case 1:
		return a.element("boolean", oneOf(a.rand, "0", "1")) // Python wants no space here
	case 2:
		return a.element("double", a.around(a.double()))
	case 3:
		return a.element("string", a.text(20))
	case 4:
		return a.element("base64", a.base64())
	case 5:
		if a.rand.IntN(2) == 0 {
			return a.element("dateTime.iso8601", a.around(oneOf(a.rand, "19980717T14:08:55", "2026-01-02T03:04:05Z", "20260102T030405")))
		}
		if a.ex && a.rand.IntN(2) == 0 {
			return a.element("ex:nil", "")
		}
		return a.element("nil", "")
	case 6:
		return a.element("array", a.gap()+a.element("data", a.gap()+repeat(a.rand, 3, func() string {
			return a.value(depth-1) + a.gap()
		}))+a.gap())
	}
	n := 0
	return a.element("struct", a.gap()+repeat(a.rand, 3, func() string {
		n++ // no name twice
		return "<member>" + a.gap() + a.element("name", strconv.Itoa(n)+a.text(5)) + a.gap() + a.value(depth-1) + a.gap() + "</member>" + a.gap()
	}))
}

// around puts white space around a number.
func (a *author) around(s string) string {
	return oneOf(a.rand, "", "", " ", "\n\t") + s + oneOf(a.rand, "", "", " ", "\r\n")
}

func (a *author) integer() string {
	n := strconv.FormatInt(int64(a.rand.Uint64())>>a.rand.IntN(64), 10)
	if n[0] != '-' {
		n = oneOf(a.rand, "", "", "+", "00") + n
	}
	return n
}

func (a *author) double() string {
	f := (a.rand.Float64() - 0.5) * float64(uint64(1)<<a.rand.IntN(64))
	return oneOf(a.rand, strconv.FormatFloat(f, 'f', -1, 64), strconv.FormatFloat(f, 'e', -1, 64),
		strconv.FormatFloat(f, 'g', 5, 64), "-0", "1.", ".5", "+1.50", "1E3")
}

func (a *author) base64() string {
	b := make([]byte, a.rand.IntN(20))
	for i := range b {
		b[i] = byte(a.rand.Uint32())
	}
	var s strings.Builder
	for _, c := range base64.StdEncoding.EncodeToString(b) {
		s.WriteString(string(c) + oneOf(a.rand, "", "", "", "\n", "\r\n "))
	}
	return s.String()
}

// text is character data, each piece of it in one of its forms.
func (a *author) text(most int) string {
	return repeat(a.rand, most, func() string {
		c := a.oneRune("ab1 \t\n]-é\u00a0ÿ'\"")
		if a.rand.IntN(4) == 0 && !a.latin1 {
			c = a.oneRune("\u0085\u2028€\uFFFD𐍈\U0010FFFD")
		}
		switch a.rand.IntN(9) {
		case 0:
			return fmt.Sprintf("&#%d;", c)
		case 1:
			return fmt.Sprintf("&#x%X;", c)
		case 2:
			return "<![CDATA[" + string(c) + oneOf(a.rand, "", "<&", "]]", "\r\n", "&lt;") + "]]>"
		case 3:
			return "<!-- " + string(c) + " -->" // "--" never comes together
		case 4:
			return oneOf(a.rand, "&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "&#13;", "&#x1F600;")
		case 5:
			return oneOf(a.rand, "\r\n", "\r", "a>", "]]")
		}
		return string(c)
	})
}

func (a *author) oneRune(of string) rune {
	all := []rune(of)
	return all[a.rand.IntN(len(all))]
}
