// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// FuzzReadCall: no panic, no error of another type, limits and the stated memory kept, and PeekSession agrees.
func FuzzReadCall(f *testing.F) {
	for _, folder := range []string{"good", "bad"} {
		for _, body := range corpus(f, folder, 40) {
			f.Add(body)
		}
	}
	limits := Limits{Bytes: 1 << 16, Depth: 5, Values: 100}
	f.Fuzz(func(t *testing.T, body []byte) {
		PeekSession(body[:len(body)/2])
		if got := allocated(string(body), limits); got > memoryBound(len(body)) {
			t.Errorf("%d bytes allocated for a body of %d", got, len(body))
		}
		call, err := ReadCall(bytes.NewReader(body), limits)
		if err != nil {
			var refused *Error
			if call != nil || !errors.As(err, &refused) || refused.Code != FaultParse && refused.Code != FaultInvalid {
				t.Fatalf("%v, %v", call, err)
			}
			return
		}
		checkPeek(t, body, call)
		n := 0
		for _, v := range call.Params {
			n += checkValue(t, v, limits.Depth)
		}
		if n > limits.Values {
			t.Errorf("%d values", n)
		}
		// What was read can be written, and read again.
		for _, v := range call.Params {
			if got := rewritten(t, I8, v, Limits{}); !reflect.DeepEqual(got, v) {
				t.Errorf("read %#v, then %#v", v, got)
			}
		}
	})
}

// checkValue holds a value to what its kind promises, and returns how many values it is.
func checkValue(t *testing.T, v Value, depth int) int {
	n := 1
	switch v.Kind {
	case KindArray, KindStruct:
		if depth == 0 {
			t.Fatal("too deep")
		}
	case KindDouble:
		if math.IsNaN(v.Double) || math.IsInf(v.Double, 0) {
			t.Errorf("double %v", v.Double)
		}
	case KindBool:
		if v.Int != 0 && v.Int != 1 {
			t.Errorf("boolean %d", v.Int)
		}
	}
	for _, item := range v.Items {
		n += checkValue(t, item, depth-1)
	}
	names := map[string]bool{}
	for _, m := range v.Members {
		if names[m.Name] {
			t.Errorf("member %q twice", m.Name)
		}
		names[m.Name] = true
		n += checkValue(t, m.Value, depth-1)
	}
	return n
}

// rewritten writes a value and reads it again as a parameter.
func rewritten(t *testing.T, d Dialect, v Value, l Limits) Value {
	t.Helper()
	text := answer(t, d, func(w *Writer) { w.Value(v) })
	call, err := ReadCall(strings.NewReader(document("<param>"+text+"</param>")), l)
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return call.Params[0]
}

// FuzzRoundTrip makes a value of the fuzzer's bytes: written in any dialect and read again it is the
// same, but for what the dialect has no type for.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{})
	for kind := range byte(9) {
		f.Add([]byte{kind, 8, 1, 2, 3, 4, 5, 6, 7, 8, 4, 3, 'a', '<', '\r', 1, 0xff})
	}
	f.Add([]byte{7, 3, 8, 2, 1, 'a', 1, 9, 1, 'b', 7, 1, 4, 2, '&', ']'})
	f.Add([]byte{2, 0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		g := generator{data: data}
		v := g.value(DefaultDepth)
		for _, d := range []Dialect{Plain, I8, Ex} {
			want := expected(v, d)
			got := rewritten(t, d, v, Limits{Bytes: 1 << 30, Values: 1 << 30})
			if !reflect.DeepEqual(got, want) {
				t.Errorf("dialect %d\nwrote %#v\nread  %#v", d, want, got)
			}
		}
	})
}

type generator struct{ data []byte }

func (g *generator) byte() byte {
	if len(g.data) == 0 {
		return 0
	}
	b := g.data[0]
	g.data = g.data[1:]
	return b
}

func (g *generator) number() (n uint64) {
	for range 8 {
		n = n<<8 | uint64(g.byte())
	}
	return n
}

func (g *generator) text() string {
	n := min(int(g.byte()), len(g.data))
	s := string(g.data[:n])
	g.data = g.data[n:]
	return s
}

func (g *generator) value(depth int) Value {
	kind := Kind(g.byte() % 9)
	if depth == 0 && kind >= KindArray {
		kind = KindNil
	}
	v := Value{Kind: kind}
	switch kind {
	case KindInt:
		v.Int = int64(g.number())
	case KindBool:
		v.Int = int64(g.byte() & 1)
	case KindDouble:
		if v.Double = math.Float64frombits(g.number()); math.IsNaN(v.Double) || math.IsInf(v.Double, 0) {
			v.Double = 0
		}
	case KindString, KindBase64:
		v.Text = g.text()
	case KindTime:
		v.Text = "19980717T14:08:55"
	case KindArray:
		for range min(int(g.byte()), len(g.data)) {
			v.Items = append(v.Items, g.value(depth-1))
		}
	case KindStruct:
		for i := range min(int(g.byte()), len(g.data)) {
			name := strconv.Itoa(i) + ":" + g.text() // never twice
			v.Members = append(v.Members, Member{name, g.value(depth - 1)})
		}
	}
	return v
}

// expected is what a reader of dialect d makes of v.
func expected(v Value, d Dialect) Value {
	switch v.Kind {
	case KindNil:
		if d == Plain {
			return Value{Kind: KindBool, Int: 1}
		}
	case KindInt:
		if d == Plain && (v.Int < math.MinInt32 || v.Int > math.MaxInt32) {
			return Value{Kind: KindString, Text: strconv.FormatInt(v.Int, 10)}
		}
	case KindString:
		v.Text = carried(v.Text)
	case KindArray:
		var items []Value
		for _, item := range v.Items {
			items = append(items, expected(item, d))
		}
		v.Items = items
	case KindStruct:
		var members []Member
		for _, m := range v.Members {
			members = append(members, Member{carried(m.Name), expected(m.Value, d)})
		}
		v.Members = members
	}
	return v
}

// carried is a text with each thing replaced that XML 1.0 cannot carry.
func carried(s string) string {
	var out strings.Builder
	for _, r := range s { // gives U+FFFD for each byte that is not UTF-8
		if r < 0x20 && !strings.ContainsRune("\t\n\r", r) || r == 0xfffe || r == 0xffff {
			r = 0xfffd
		}
		out.WriteRune(r)
	}
	return out.String()
}
