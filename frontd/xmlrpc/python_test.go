// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What readByPython gives for documents that Python does not read.
const (
	malformed   = "null"
	notForLoads = "false" // XML that xmlrpc.client refuses
)

// readByPython gives what Python makes of each document.
func readByPython(t *testing.T, documents [][]byte) []string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is missing: apt-get install python3")
	}
	var in, errs bytes.Buffer
	for _, d := range documents {
		in.WriteString(base64.StdEncoding.EncodeToString(d) + "\n")
	}
	cmd := exec.CommandContext(t.Context(), python, "-I", "testdata/python.py")
	cmd.Stdin, cmd.Stderr = &in, &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	var all []string
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var compact bytes.Buffer
		if err := json.Compact(&compact, lines.Bytes()); err != nil {
			t.Fatal(err)
		}
		all = append(all, compact.String())
	}
	if len(all) != len(documents) {
		t.Fatalf("%d answers to %d documents\n%s", len(all), len(documents), &errs)
	}
	return all
}

// asPython shows a call as testdata/python.py does.
func asPython(t *testing.T, c *Call) string {
	t.Helper()
	params := []any{}
	for _, p := range c.Params {
		params = append(params, shownValue(p))
	}
	b, err := json.Marshal([]any{c.Method, params})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func shownValue(v Value) []any {
	var content any
	switch v.Kind {
	case KindInt:
		content = strconv.FormatInt(v.Int, 10)
	case KindBool:
		content = v.Int
	case KindDouble:
		content = fmt.Sprintf("%016x", math.Float64bits(v.Double))
	case KindString, KindTime, KindBase64:
		content = hex.EncodeToString([]byte(v.Text))
	case KindArray:
		items := []any{}
		for _, item := range v.Items {
			items = append(items, shownValue(item))
		}
		content = items
	case KindStruct:
		members := []any{}
		for _, m := range v.Members {
			members = append(members, []any{hex.EncodeToString([]byte(m.Name)), shownValue(m.Value)})
		}
		content = members
	}
	return []any{v.Kind.String(), content}
}

// pythonDiffers are the good documents that Python reads in another way, or not at all.
var pythonDiffers = map[string]string{
	"bom-newline":     "white space before the prolog is no XML, but clients send it",
	"leading-newline": "the same",
	"bom-over-latin1": "a byte order mark decides (RFC 7303), expat believes the prolog",
	"numbers":         "Python wants no white space around a boolean",
}

// TestCorpusAndPython: Python reads the good documents as we do, but for those listed. What
// it makes of bad ones is its business: it looks at little but the XML.
func TestCorpusAndPython(t *testing.T) {
	good := corpus(t, "good", 40)
	names := slices.Sorted(maps.Keys(good))
	var documents [][]byte
	for _, name := range names {
		documents = append(documents, good[name])
	}
	for i, theirs := range readByPython(t, documents) {
		call, err := ReadCall(bytes.NewReader(documents[i]), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		ours := asPython(t, call)
		if _, listed := pythonDiffers[names[i]]; listed == (ours == theirs) {
			t.Errorf("%s: listed as different: %t; read\n%s\nPython read\n%s", names[i], listed, ours, theirs)
		}
	}
}

const agreements = 3000 // documents of each kind

// TestAgreesWithPython writes calls in all the ways that are allowed: we and Python must
// read all of them, and alike.
func TestAgreesWithPython(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var documents [][]byte
	for range agreements {
		a := author{rand: random}
		documents = append(documents, a.document())
	}
	for i, theirs := range readByPython(t, documents) {
		call, err := ReadCall(bytes.NewReader(documents[i]), Limits{})
		if err != nil {
			t.Errorf("%v\nPython read %s\nin %q", err, theirs, documents[i])
			continue
		}
		if ours := asPython(t, call); ours != theirs {
			t.Errorf("read\n%s\nPython read\n%s\nin %q", ours, theirs, documents[i])
		}
		if t.Failed() {
			t.FailNow() // one is enough to look at
		}
	}
}

// TestAgreesWithPythonOnDamage damages such documents. Where both read one they must read the
// same; and what we read must be well-formed in the eyes of Python's parser, expat.
func TestAgreesWithPythonOnDamage(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var documents [][]byte
	for range agreements {
		a := author{rand: random}
		documents = append(documents, damage(random, a.document()))
	}
	both := 0
	for i, theirs := range readByPython(t, documents) {
		call, err := ReadCall(bytes.NewReader(documents[i]), Limits{})
		var refused *Error
		if err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
		if err != nil {
			continue
		}
		both++
		if bytes.Contains(bytes.ToLower(documents[i]), []byte(`encoding="utf8"`)) {
			continue // no registered name, and expat does not know it
		}
		spaced := len(bytes.TrimLeft(documents[i], spaces)) < len(documents[i]) // see pythonDiffers
		if ours := asPython(t, call); ours != theirs && theirs != notForLoads && !(spaced && theirs == malformed) {
			t.Fatalf("read\n%s\nPython read\n%s\nin %q", ours, theirs, documents[i])
		}
	}
	if both < agreements/20 || both > agreements*19/20 {
		t.Errorf("%d of %d damaged documents are good: that shows little", both, agreements)
	}
}

// damage changes a few bytes.
func damage(random *rand.Rand, document []byte) []byte {
	const alphabet = "<>&;/!?-]['\"= \t\r\n\x00\x0b#x0159aein\x80\xc3\xa9"
	d := bytes.Clone(document)
	for range 1 + random.IntN(3) {
		i := random.IntN(len(d))
		switch random.IntN(4) {
		case 0:
			d = slices.Delete(d, i, i+1)
		case 1:
			d[i] = alphabet[random.IntN(len(alphabet))]
		case 2:
			d = slices.Insert(d, i, alphabet[random.IntN(len(alphabet))])
		case 3: // a piece comes again
			d = slices.Insert(d, i, d[i:i+random.IntN(min(20, len(d)-i)+1)]...)
		}
	}
	return d
}

// oneOf gives one of its arguments.
func oneOf(r *rand.Rand, all ...string) string { return all[r.IntN(len(all))] }

// repeat calls one up to most times.
func repeat(r *rand.Rand, most int, one func() string) string {
	var b strings.Builder
	for range r.IntN(most + 1) {
		b.WriteString(one())
	}
	return b.String()
}
