// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// sample is the example of API.md, letter for letter.
const sample = `    [kill]
    allow = true
    rate  = 1000          # a second, on average
    burst = 20000         # kills, changes and refused attempts all spend from this bucket

    [change]
    allow       = true
    mark_mask   = "0xffffffff"      # a change of any bit outside is refused
    timeout_min = 10                # shorter ones are kills in disguise
    timeout_max = 432000

    [dump]
    duty = 0.5            # share of the time that may be spent reading the table

    zones = [0]                     # both directions must be in; left out: all

    [[protect]]                     # never killed, never changed
    name      = "management"
    addresses = ["192.0.2.0/24", "2001:db8::/32"]
    ports     = [22]
    protocols = ["tcp"]
`

func mustParse(t testing.TB, text string) *Rules {
	t.Helper()
	r, err := Parse([]byte(text), "test.toml")
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	return r
}

func TestParseSample(t *testing.T) {
	r := mustParse(t, sample)
	if got, want := r.Limits(), (Limits{Rate: 1000, Burst: 20000, Duty: 0.5}); got != want {
		t.Errorf("limits %+v, want %+v", got, want)
	}
	ssh := tcp("192.0.2.7", "198.51.100.1", 40000, 22)
	web := tcp("192.0.2.7", "198.51.100.1", 40000, 80)
	zoned := web
	zoned.ReplyZone = 1
	if d := r.Kill(ssh); d.Rule != "management" || d.Outcome != "protected" {
		t.Errorf("killing a connection to port 22: %+v", d)
	}
	if d := r.Kill(web); !d.Allowed {
		t.Errorf("killing a connection to port 80: %+v", d)
	}
	if d := r.Kill(zoned); d.Rule != "zones" || d.Outcome != "forbidden" {
		t.Errorf("killing a connection whose reply is in zone 1: %+v", d)
	}
	if d := r.ChangeTimeout(web, 9); d.Rule != "change.timeout_min" {
		t.Errorf("timeout 9: %+v", d)
	}
	if d := r.ChangeTimeout(web, 432000); !d.Allowed {
		t.Errorf("timeout 432000: %+v", d)
	}
	if d := r.ChangeMark(web, 0, 0xffffffff, 0xffffffff); !d.Allowed {
		t.Errorf("all bits of the mark: %+v", d)
	}
}

func TestParseDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "[kill]\n[change]\n[dump]\n", "protect = []"} {
		r := mustParse(t, text)
		if got := r.Limits(); got != (Limits{Rate: 1000, Burst: 20000, Duty: 0.5}) {
			t.Errorf("%q: limits %+v", text, got)
		}
		c := tcp("192.0.2.1", "192.0.2.2", 1, 2)
		if d := r.Kill(c); d.Rule != "kill.allow" {
			t.Errorf("%q: kill: %+v", text, d)
		}
		if d := r.ChangeMark(c, 0, 1, 1); d.Rule != "change.allow" {
			t.Errorf("%q: change: %+v", text, d)
		}
	}
	r := mustParse(t, "kill.allow = true\nchange = {allow = true}")
	c := tcp("192.0.2.1", "192.0.2.2", 1, 2)
	c.OrigZone, c.ReplyZone = 7, 65535
	for name, d := range map[string]Decision{
		"kill in any zone": r.Kill(c),
		"every mark bit":   r.ChangeMark(c, 0, 0, 0xffffffff),
		"shortest timeout": r.ChangeTimeout(c, 10),
		"longest timeout":  r.ChangeTimeout(c, 432000),
	} {
		if !d.Allowed {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if d := r.ChangeTimeout(c, 432001); d.Rule != "change.timeout_max" {
		t.Errorf("timeout 432001: %+v", d)
	}
}

func TestParseAccepts(t *testing.T) {
	rule := "[[protect]]\nname = \"a\"\n"
	for _, text := range []string{
		"zones = [0, 65535, 0]",
		"[dump]\nduty = 1",
		"kill.rate = 0.001\nkill.burst = 1",
		"kill.rate = 1e6\nkill.burst = 1000000",
		"change.mark_mask = 0", "change.mark_mask = 0xff", `change.mark_mask = "0XfF"`, `change.mark_mask = "255"`,
		"change.timeout_min = 1\nchange.timeout_max = 2147483",
		"\xef\xbb\xbfkill.allow = true",
		"kill.allow = true\r\n[change]\r\nallow = true\r\n",
		rule + "ports = [0, 65535, \"0-65535\", \"22-22\"]",
		rule + "protocols = [0, 255, \"TCP\", \"ipv6-icmp\"]",
		rule + `addresses = ["::", "0.0.0.0/0", "::/0", "::ffff:192.0.2.7/120", "192.0.2.9/24"]`,
		`protect = [{name = "a", ports = [22]}, {name = "b", ports = [23]}]`,
		"[[protect]]\nname = \"" + strings.Repeat("x", 48) + "\"\nports = [1]",
	} {
		mustParse(t, text)
	}
}

func TestParseLimits(t *testing.T) {
	var many strings.Builder
	for i := range maxProtectRules + 1 {
		fmt.Fprintf(&many, "[[protect]]\nname = \"n%d\"\nports = [%d]\n", i, i)
	}
	all := many.String()
	mustParse(t, all[:strings.LastIndex(all, "[[")])
	addresses := func(n int) string { return strings.TrimSuffix(strings.Repeat(`"::1",`, n), ",") }
	half := func(name string, n int) string {
		return fmt.Sprintf("[[protect]]\nname = %q\naddresses = [%s]\n", name, addresses(n))
	}
	mustParse(t, half("a", maxListed/2)+half("b", maxListed/2))
	for name, text := range map[string]string{
		"too many rules":                    all,
		"too many addresses in one":         half("a", maxListed+1),
		"too many addresses in two":         half("a", maxListed/2) + half("b", maxListed/2+1),
		"too many ports":                    "[[protect]]\nname = \"a\"\nports = [" + strings.Repeat("1,", maxListed+1) + "]",
		"too large":                         strings.Repeat("#", MaxFileSize+1),
		"nested without end":                "a = " + strings.Repeat("[", MaxFileSize-4),
		"tables nested without end":         "a = " + strings.Repeat("{a=", MaxFileSize/4),
		"a key without end":                 "a" + strings.Repeat(".a", MaxFileSize/2-2) + "=1",
		"an error about a very long string": "[[protect]]\nname = \"" + strings.Repeat("x", MaxFileSize/2) + "\"",
		"an error about a very long key":    strings.Repeat("x", MaxFileSize/2) + " = 1",
	} {
		_, err := Parse([]byte(text), "p")
		var fe *FileError
		if !errors.As(err, &fe) || len(err.Error()) > 600 {
			t.Errorf("%s: got %.200v", name, err)
		}
	}
	mustParse(t, strings.Repeat("#", MaxFileSize))
}

func TestFileErrorHidesControlCharacters(t *testing.T) {
	for _, text := range []string{
		"\"\\u001b[2J\u202e\" = 1",
		"[[protect]]\nname = \"\\u001b\u202e\"\nports = [1]",
		"[kill]\n\"\u202e\" == 1",
	} {
		_, err := Parse([]byte(text), "p")
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\u202e\n") {
			t.Errorf("%q: got %q", text, err)
		}
	}
}

func TestStringReadsBack(t *testing.T) {
	tests := map[string]string{
		"None":        None().String(),
		"the sample":  mustParse(t, sample).String(),
		"empty":       mustParse(t, "").String(),
		"odd numbers": mustParse(t, "kill.rate = 1e-300\ndump.duty = 1e-7\nchange.mark_mask = 0").String(),
		"lists": mustParse(t, "zones = [9, 3]\n[[protect]]\nname = \"a-b\"\naddresses = [\"::ffff:192.0.2.9/120\", \"::/0\", \"2001:db8::1\"]\n"+
			"ports = [5, \"1-4\", 9]\nprotocols = [200, \"tcp\"]\n").String(),
	}
	for name, text := range tests {
		if again := mustParse(t, text).String(); again != strings.TrimPrefix(text, "# no policy file: nothing may be killed or changed\n") {
			t.Errorf("%s: read back as\n%s\nfrom\n%s", name, again, text)
		}
	}
	for _, want := range []string{
		"zones = [3, 9]", `addresses = ["192.0.2.0/24", "::/0", "2001:db8::1"]  # every IPv4 address too`,
		`ports = ["1-5", 9]`, `protocols = ["tcp", 200]`,
	} {
		if !strings.Contains(tests["lists"], want) {
			t.Errorf("no %q in\n%s", want, tests["lists"])
		}
	}
	if !strings.Contains(tests["None"], "no policy file") {
		t.Errorf("None does not say so:\n%s", tests["None"])
	}
}
