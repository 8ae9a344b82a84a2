// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

var update = flag.Bool("update", false, "write testdata/good/*.want anew, to be read before it is committed")

// corpus returns the documents in a folder of testdata, by name without ".xml".
func corpus(t testing.TB, folder string, atLeast int) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", folder, "*.xml"))
	if err != nil || len(names) < atLeast {
		t.Fatalf("%d documents in %s, want at least %d (%v)", len(names), folder, atLeast, err)
	}
	documents := map[string][]byte{}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		documents[strings.TrimSuffix(filepath.Base(name), ".xml")] = body
	}
	return documents
}

func TestGoodDocuments(t *testing.T) {
	for name, body := range corpus(t, "good", 40) {
		t.Run(name, func(t *testing.T) {
			call, err := ReadCall(bytes.NewReader(body), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "good", name+".want")
			got := showCall(call)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("read\n%swant\n%s", got, want)
			}
			slow, err := ReadCall(iotest.OneByteReader(bytes.NewReader(body)), Limits{})
			if err != nil || showCall(slow) != got {
				t.Errorf("byte by byte: %v, %v", slow, err)
			}
			checkPeek(t, body, call)
		})
	}
}

// TestBadDocuments reads the documents whose names begin with the code of the fault they must give.
func TestBadDocuments(t *testing.T) {
	for name, body := range corpus(t, "bad", 250) {
		t.Run(name, func(t *testing.T) {
			code, _, _ := strings.Cut(name, "-")
			want, err := strconv.Atoi(code)
			if err != nil {
				t.Fatal("the name does not begin with a code")
			}
			call, err := ReadCall(bytes.NewReader(body), Limits{})
			var refused *Error
			if !errors.As(err, &refused) {
				t.Fatalf("read %v, %v", call, err)
			}
			if refused.Code != -want {
				t.Errorf("%v, want code %d", refused, -want)
			}
			if call != nil {
				t.Error("a call was returned with the error")
			}
			if len(refused.Text) > 300 {
				t.Errorf("the text has %d bytes: %s", len(refused.Text), refused.Text)
			}
		})
	}
}

// TestEveryCut reads each good document cut at each place: none may be taken for a whole one.
func TestEveryCut(t *testing.T) {
	for name, body := range corpus(t, "good", 40) {
		whole := len(bytes.TrimRight(body, spaces))
		for n := range whole {
			call, err := ReadCall(bytes.NewReader(body[:n]), Limits{})
			var refused *Error
			// What follows the root may be missing: a comment stands there in one document.
			if err == nil && bytes.HasSuffix(bytes.TrimRight(body[:n], spaces), []byte("</methodCall>")) {
				continue
			}
			if !errors.As(err, &refused) || refused.Code != FaultParse {
				t.Fatalf("%s cut after %d of %d bytes: %v, %v", name, n, whole, call, err)
			}
		}
	}
}

func showCall(c *Call) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", c.Method)
	for _, v := range c.Params {
		show(&b, v)
		b.WriteByte('\n')
	}
	return b.String()
}

func show(b *strings.Builder, v Value) {
	switch v.Kind {
	case KindNil:
		b.WriteString("nil")
	case KindInt:
		fmt.Fprintf(b, "int %d", v.Int)
	case KindDouble:
		fmt.Fprintf(b, "double %v", v.Double)
	case KindBool:
		fmt.Fprintf(b, "bool %d", v.Int)
	case KindString, KindTime, KindBase64:
		fmt.Fprintf(b, "%v %+q", v.Kind, v.Text)
	case KindArray:
		b.WriteString("[")
		for i, item := range v.Items {
			if i > 0 {
				b.WriteString(", ")
			}
			show(b, item)
		}
		b.WriteString("]")
	case KindStruct:
		b.WriteString("{")
		for i, m := range v.Members {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(b, "%+q: ", m.Name)
			show(b, m.Value)
		}
		b.WriteString("}")
	default:
		fmt.Fprintf(b, "%v?", v.Kind)
	}
}
