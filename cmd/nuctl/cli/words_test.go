// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"nuconntrack/cmd/nuctl/client"
)

func TestJoinWatch(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"list --watch 5 tcp", "list --watch=5 tcp"},
		{"list --watch 0.5", "list --watch=0.5"},
		{"list --watch tcp", "list --watch tcp"},
		{"list --watch=3 5", "list --watch=3 5"},
		{"list --watch", "list --watch"},
		{"list -- --watch 5", "list -- --watch 5"},
		{"list --watch -1", "list --watch=-1"}, // refused as a number of seconds
		{"", ""},
	} {
		if got := strings.Join(joinWatch(strings.Fields(test.line)), " "); got != test.want {
			t.Errorf("%q became %q, want %q", test.line, got, test.want)
		}
	}
}

func TestInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"2": 2 * time.Second, "0.1": 100 * time.Millisecond, "5s": 5 * time.Second, "86400": 24 * time.Hour,
		"": 0, "0": 0, "-1": 0, "0.05": 0, "86401": 0, "NaN": 0, "Inf": 0, "-Inf": 0, "1e300": 0, "1m": 0, "two": 0, "2 ": 0,
	} {
		got, err := (&listing{watch: text}).interval()
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParseSort(t *testing.T) {
	for _, test := range []struct {
		text, field string
		descending  bool
		good        bool
	}{
		{"", "", false, true}, {"mark", "mark", false, true}, {"mark:asc", "mark", false, true}, {"mark:DESC", "mark", true, true},
		{":desc", "", false, false}, {":", "", false, false}, {"mark:", "", false, false}, {"mark:up", "", false, false},
		{"mark:desc:asc", "", false, false}, {"mark: desc", "", false, false},
	} {
		field, descending, err := parseSort(test.text)
		if field != test.field || descending != test.descending || (err == nil) != test.good {
			t.Errorf("%q: %q, %v, %v", test.text, field, descending, err)
		}
	}
}

// FuzzTarget: what is taken for the name of a connection is harmless in a call and in a
// message, and comes out the same a second time.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"1", "4294967295", "4294967296", "007", "kAAA_-9.~", "-1", "", "k a", "k\x1b[2J", "k\u202e", "0x10", "1e3", strings.Repeat("k", maxKey+1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := parseTarget(text)
		if err != nil {
			return
		}
		if target == "" || len(target) > maxKey || strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>&"'$;|`, r) }) {
			t.Errorf("%q became %q", text, target)
		}
		if again, err := parseTarget(target); err != nil || again != target {
			t.Errorf("%q became %q, and that %q, %v", text, target, again, err)
		}
	})
}

func TestReadNames(t *testing.T) {
	names, err := readNames(strings.NewReader("1\r\n\n  kAAA \n3"))
	if err != nil || !slices.Equal(names, []string{"1", "kAAA", "3"}) {
		t.Errorf("got %q, %v", names, err)
	}
	for name, text := range map[string]string{
		"a line without an end": strings.Repeat("a", maxKey+10),
		"too many":              strings.Repeat("1\n", maxNamed+1),
	} {
		if _, err := readNames(strings.NewReader(text)); !errors.As(err, new(*usageError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNextWord(t *testing.T) {
	for _, test := range []struct {
		line string
		want expects
		name string
	}{
		{"", expectsTest, ""},
		{"proto", expectsValue, "proto"},
		{"proto =", expectsValue, "proto"},
		{"proto tcp", expectsJoint, "proto"},
		{"proto tcp and", expectsTest, "proto"},
		{"tcp", expectsJoint, ""},
		{"not (state", expectsValue, "state"},
		{"dport 80,", expectsValue, "dport"},
		{"dport 80, 443", expectsJoint, "dport"},
		{"assured", expectsJoint, ""},
		{"nonsense", expectsJoint, ""},
		{"tcp or !", expectsTest, ""},
	} {
		next, name := nextWord(strings.Fields(test.line))
		if next != test.want || name != test.name {
			t.Errorf("%q expects %d of %q, want %d of %q", test.line, next, name, test.want, test.name)
		}
	}
}

// TestExitCodes are what scripts branch on.
func TestExitCodes(t *testing.T) {
	fault := func(code int) error {
		return &client.Error{Kind: client.Faulted, Method: "view", Code: code, Text: "said\u202e\x1b[2J"}
	}
	for _, test := range []struct {
		err  error
		code int
	}{
		{nil, exitDone},
		{errors.New("full"), exitFailed},
		{usagef("wrong"), exitUsage},
		{fmt.Errorf("list: %w", usagef("wrong")), exitUsage},
		{fault(client.FaultAuthentication), exitDenied}, {fault(client.FaultSession), exitDenied}, {fault(client.FaultPermission), exitDenied},
		{fault(client.FaultUnknown), exitFailed}, {fault(client.FaultAmbiguous), exitFailed}, {fault(client.FaultPolicy), exitFailed},
		{fault(client.FaultReplaced), exitFailed}, {fault(client.FaultKernel), exitFailed}, {fault(client.FaultHelper), exitFailed},
		{fault(client.FaultBusy), exitFailed}, {fault(client.FaultFixed), exitFailed}, {fault(client.FaultSnapshot), exitFailed},
		{fault(client.FaultMethod), exitFailed}, {fault(client.FaultParameters), exitUsage}, {fault(99), exitFailed},
		{context.Canceled, exitFailed},
		{fmt.Errorf("write list: %w", syscall.EPIPE), exitFailed},
		{&advisedError{errors.New("not killed"), "look"}, exitFailed},
	} {
		var errs bytes.Buffer
		if got := report(&errs, test.err); got != test.code {
			t.Errorf("%v: exit code %d, want %d", test.err, got, test.code)
		}
		silent := test.err == nil || errors.Is(test.err, syscall.EPIPE)
		if silent != (errs.Len() == 0) || strings.ContainsAny(errs.String(), "\u202e\x1b") {
			t.Errorf("%v: says %q", test.err, &errs)
		}
	}
}

func TestFilterFlags(t *testing.T) {
	for _, test := range []struct {
		name  string
		flags filterFlags
		want  string
		says  string
	}{
		{"letters", filterFlags{src: "10.0.0.0/8", replyDst: "192.0.2.1", sport: "1-5"}, "map[orig_port_src:1-5 orig_src:10.0.0.0/8 repl_dst:192.0.2.1]", ""},
		{"list", filterFlags{dport: "80, 443"}, "map[orig_port_dst:[80 443]]", ""},
		{"flag", filterFlags{named: []string{"assured=no"}}, "map[assured:false]", ""},
		{"one family", filterFlags{ipv4: true, family: "IPv4"}, "map[orig_l3proto:2]", ""},
		{"both families", filterFlags{ipv4: true, family: "ipv6"}, "", "both"},
		{"gap in a list", filterFlags{dport: ",80"}, "", "empty value"},
		{"flag that is none", filterFlags{named: []string{"assured=perhaps"}}, "", "true or false"},
		{"markup for a name", filterFlags{named: []string{"</name>=1"}}, "", "NAME=VALUE"},
		{"name in upper case", filterFlags{named: []string{"ID=1"}}, "", "NAME=VALUE"},
		{"long name", filterFlags{named: []string{strings.Repeat("a", 33) + "=1"}}, "", "NAME=VALUE"},
		{"no value", filterFlags{named: []string{"id="}}, "", "NAME=VALUE"},
		{"twice", filterFlags{src: "10.0.0.1", named: []string{"orig_src=10.0.0.2"}}, "", "twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.flags.compile()
			switch {
			case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
				t.Errorf("got %v, %v; want an error with %q", got, err, test.says)
			case test.says == "" && (err != nil || fmt.Sprint(got) != test.want):
				t.Errorf("got %v, %v; want %s", got, err, test.want)
			}
		})
	}
}
