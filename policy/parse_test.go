// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
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
	if d := r.Kill(ssh); d.Rule != "protect:management" || d.Outcome != "protected" {
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
	if d := r.ChangeMark(web, 0xffffffff, 0xffffffff); !d.Allowed {
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
		if d := r.ChangeMark(c, 1, 1); d.Rule != "change.allow" {
			t.Errorf("%q: change: %+v", text, d)
		}
	}
	r := mustParse(t, "kill.allow = true\nchange = {allow = true}")
	c := tcp("192.0.2.1", "192.0.2.2", 1, 2)
	c.OrigZone, c.ReplyZone = 7, 65535
	for name, d := range map[string]Decision{
		"kill in any zone": r.Kill(c),
		"every mark bit":   r.ChangeMark(c, 0, 0xffffffff),
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

func TestParseErrors(t *testing.T) {
	head := "[[protect]]\nname = \"first\"\nports = [22]\n\n[[protect]] # second\nname = \"second\"\n"
	tests := []struct {
		name, text string
		line       int
		key        string
	}{
		{"not TOML", "[kill]\nallow == true", 2, "kill.allow"},
		{"not UTF-8", "# \xff\n", 1, ""},
		{"key twice", "[kill]\nallow = true\nallow = false", 3, "kill.allow"},
		{"unknown table", "\n[kil]\nallow = true", 2, "kil"},
		{"other case", "[kill]\nAllow = true", 2, "kill.Allow"},
		{"unknown key at the top", "allow = true", 1, "allow"},
		{"unknown key in kill", "[kill]\nallow = true\nrates = 1", 3, "kill.rates"},
		{"unknown key in change", "[change]\n\nmask = 1", 3, "change.mask"},
		{"unknown key in dump", "[dump]\nallow = true", 2, "dump.allow"},
		{"unknown key in the first rule", "[[protect]]\nport = [22]\nname = \"x\"\n[[protect]]\nname = \"y\"", 2, "protect.port"},
		{"unknown key in the second rule", head + "ports = [1]\ncomment = \"x\"", 8, "protect.comment"},
		{"unknown key after strings", "[kill]\nallow = true\n[[protect]]\nname = \"a\"\nprotocols = [\n  'tcp', # ]\n  \"\"\"udp\"\"\",\n]\nx = 1", 9, "protect.x"},
		{"unknown key that needs quotes", "[kill]\n\"a b\" = 1", 2, `kill."a b"`},
		{"table below a rule", head + "ports = [1]\n[protect.more]\nx = 1", 8, "protect.more"},
		{"kill is no table", "kill = true", 1, "kill"},
		{"dump is an array", "[[dump]]\nduty = 1", 1, "dump"},
		{"protect is a table", "[protect]\nname = \"a\"", 1, "protect"},
		{"protect holds numbers", "\nprotect = [1]", 2, "protect"},

		{"allow is a string", "[kill]\nallow = \"true\"", 2, "kill.allow"},
		{"allow is a number", "[change]\nallow = 1", 2, "change.allow"},
		{"rate zero", "[kill]\nrate = 0", 2, "kill.rate"},
		{"rate negative", "[kill]\nrate = -1.5", 2, "kill.rate"},
		{"rate too high", "[kill]\nrate = 1000001", 2, "kill.rate"},
		{"rate infinite", "[kill]\nrate = inf", 2, "kill.rate"},
		{"rate not a number", "[kill]\nrate = nan", 2, "kill.rate"},
		{"rate a string", "[kill]\nrate = \"1000\"", 2, "kill.rate"},
		{"burst zero", "[kill]\nburst = 0", 2, "kill.burst"},
		{"burst too high", "[kill]\nburst = 1000001", 2, "kill.burst"},
		{"burst a float", "[kill]\nburst = 1.0", 2, "kill.burst"},
		{"duty zero", "[dump]\nduty = 0", 2, "dump.duty"},
		{"duty above one", "[dump]\nduty = 1.01", 2, "dump.duty"},
		{"duty a boolean", "[dump]\nduty = true", 2, "dump.duty"},

		{"mask beyond 32 bits", "[change]\nmark_mask = 0x100000000", 2, "change.mark_mask"},
		{"mask negative", "[change]\nmark_mask = -1", 2, "change.mark_mask"},
		{"mask a string beyond 32 bits", "[change]\nmark_mask = \"0x100000000\"", 2, "change.mark_mask"},
		{"mask a word", "[change]\nmark_mask = \"all\"", 2, "change.mark_mask"},
		{"mask empty", "[change]\nmark_mask = \"\"", 2, "change.mark_mask"},
		{"mask without digits", "[change]\nmark_mask = \"0x\"", 2, "change.mark_mask"},
		{"mask that may be octal", "[change]\nmark_mask = \"010\"", 2, "change.mark_mask"},
		{"mask a boolean", "[change]\nmark_mask = true", 2, "change.mark_mask"},
		{"timeout_min zero", "[change]\ntimeout_min = 0", 2, "change.timeout_min"},
		{"timeout_max too long", "[change]\ntimeout_max = 2147484", 2, "change.timeout_max"},
		{"timeout_max a date", "[change]\ntimeout_max = 2026-01-01", 2, "change.timeout_max"},
		{"min above max", "[change]\ntimeout_max = 10\ntimeout_min = 11", 3, "change.timeout_min"},
		{"min above the default max", "[change]\ntimeout_min = 432001", 2, "change.timeout_min"},
		{"max below the default min", "[change]\ntimeout_max = 9", 2, "change.timeout_max"},

		{"zones empty", "zones = []", 1, "zones"},
		{"zones empty in dump", "[dump]\nzones = []", 2, "dump.zones"},
		{"zones twice", "zones = [0]\n[dump]\nzones = [0]", 3, "dump.zones"},
		{"zone too high", "zones = [65536]", 1, "zones"},
		{"zone negative", "zones = [-1]", 1, "zones"},
		{"zone a string", "zones = [\"0\"]", 1, "zones"},
		{"zones a number", "zones = 0", 1, "zones"},

		{"rule without a list", head, 5, "protect"},
		{"rule without a name", "[[protect]]\nports = [22]", 1, "protect"},
		{"inline rule without a list", "\n\nprotect = [{name = \"a\"}]", 3, "protect"},
		{"name empty", "[[protect]]\nname = \"\"\nports = [1]", 2, "protect.name"},
		{"name with a space", "[[protect]]\nname = \"a b\"\nports = [1]", 2, "protect.name"},
		{"name with a newline", "[[protect]]\nname = \"a\\nb\"\nports = [1]", 2, "protect.name"},
		{"name not ASCII", "[[protect]]\nname = \"é\"\nports = [1]", 2, "protect.name"},
		{"name too long", "[[protect]]\nname = \"" + strings.Repeat("x", 49) + "\"\nports = [1]", 2, "protect.name"},
		{"name a number", "[[protect]]\nname = 1\nports = [1]", 2, "protect.name"},
		{"name twice", head[:len(head)-len("second\"\n")] + "first\"\nports = [1]", 6, "protect.name"},
		{"ports empty", head + "ports = []", 7, "protect.ports"},
		{"addresses empty", head + "addresses = []", 7, "protect.addresses"},
		{"protocols empty", head + "protocols = []", 7, "protect.protocols"},
		{"empty list beside a good one", head + "ports = [22]\naddresses = []", 8, "protect.addresses"},
		{"ports a number", head + "ports = 22", 7, "protect.ports"},
		{"ports tables", head + "[[protect.ports]]\nx = 1", 7, "protect.ports"},
		{"port too high", head + "ports = [65536]", 7, "protect.ports"},
		{"port negative", head + "ports = [-1]", 7, "protect.ports"},
		{"port a name", head + "ports = [\"ssh\"]", 7, "protect.ports"},
		{"port a quoted number", head + "ports = [\"22\"]", 7, "protect.ports"},
		{"port a float", head + "ports = [22.0]", 7, "protect.ports"},
		{"port range upside down", head + "ports = [\"2000-1000\"]", 7, "protect.ports"},
		{"port range open", head + "ports = [\"1000-\"]", 7, "protect.ports"},
		{"port range too high", head + "ports = [\"1000-65536\"]", 7, "protect.ports"},
		{"port range of three", head + "ports = [\"1-2-3\"]", 7, "protect.ports"},
		{"port range with signs", head + "ports = [\"+1-+2\"]", 7, "protect.ports"},
		{"protocol unknown", head + "protocols = [\"tpc\"]", 7, "protect.protocols"},
		{"protocol too high", head + "protocols = [256]", 7, "protect.protocols"},
		{"protocol negative", head + "protocols = [-1]", 7, "protect.protocols"},
		{"address a name", head + "addresses = [\"localhost\"]", 7, "protect.addresses"},
		{"address empty", head + "addresses = [\"\"]", 7, "protect.addresses"},
		{"address a number", head + "addresses = [1]", 7, "protect.addresses"},
		{"address with a port", head + "addresses = [\"192.0.2.1:22\"]", 7, "protect.addresses"},
		{"address with a zone", head + "addresses = [\"fe80::1%eth0\"]", 7, "protect.addresses"},
		{"network with a zone", head + "addresses = [\"fe80::1%eth0/64\"]", 7, "protect.addresses"},
		{"address with leading zeros", head + "addresses = [\"192.0.2.010\"]", 7, "protect.addresses"},
		{"prefix too long", head + "addresses = [\"192.0.2.0/33\"]", 7, "protect.addresses"},
		{"prefix too long for IPv6", head + "addresses = [\"::/129\"]", 7, "protect.addresses"},
		{"prefix a netmask", head + "addresses = [\"192.0.2.0/255.255.255.0\"]", 7, "protect.addresses"},
		{"address range", head + "addresses = [\"192.0.2.1-192.0.2.9\"]", 7, "protect.addresses"},
		{"bad one among good ones", head + "addresses = [\n\"192.0.2.1\",\n\"x\"]", 7, "protect.addresses"},

		{"nested too deep", "zones = [[[[[[[[[\n]]]]]]]]]", 1, ""},
		{"nested too deep behind a mark", "\xff\xfezones = [[[[[[[[[\n]]]]]]]]]", 1, ""},
		{"key of too many parts", "\na.b.c.d.e.f.g.h.i = 1", 2, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Parse([]byte(tt.text), "/etc/p.toml")
			var fe *FileError
			if !errors.As(err, &fe) || r != nil {
				t.Fatalf("got %v, %v; want a FileError and no rules", r, err)
			}
			if fe.File != "/etc/p.toml" || fe.Line != tt.line || fe.Key != tt.key || fe.Reason == "" {
				t.Errorf("got file %q line %d key %q (%v), want line %d key %q", fe.File, fe.Line, fe.Key, err, tt.line, tt.key)
			}
			want := fmt.Sprintf("/etc/p.toml: line %d: ", tt.line)
			if tt.key != "" {
				want += "key " + tt.key + ": "
			}
			if !strings.HasPrefix(err.Error(), want) || len(err.Error()) > 600 {
				t.Errorf("message %q (%d bytes), want it short and to start with %q", err, len(err.Error()), want)
			}
		})
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

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(mustParse(f, sample).String()))
	f.Add([]byte("kill.allow=true\nprotect=[{name='a',ports=['1-9',22]},{name=\"b\",addresses=['::/0']}]"))
	f.Add([]byte("[[protect]]\nname=\"a\"\nprotocols=[\n'''tcp''', # x\n\"\"\"udp\"\"\"]\n[protect.x]"))
	f.Add([]byte("\xef\xbb\xbf[\"ki\\u006cl\"]\nallow=true\r\n"))
	f.Add([]byte("a = \"\"\"\n\\\"\"\"\"\"\nb = {c = [1, {d = 2}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkScanner(t, data)
		r, err := Parse(data, "p")
		if err != nil {
			var fe *FileError
			if !errors.As(err, &fe) || r != nil || len(err.Error()) > 2000 || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Fatalf("got %v, %q", r, err)
			}
			return
		}
		text := r.String()
		again, err := Parse([]byte(text), "p")
		if err != nil || text == "" || again.String() != text {
			t.Fatalf("read back: %v\n%s", err, text)
		}
		more, err := Parse([]byte(text+"\n[[protect]]\nname = \"fuzz\"\nports = [22]\n"), "p")
		if err != nil {
			return // full, or the name is taken
		}
		for _, c := range someConnections() {
			for i, pair := range [][3]Decision{
				{r.Kill(c), again.Kill(c), more.Kill(c)},
				{r.ChangeMark(c, 1, 3), again.ChangeMark(c, 1, 3), more.ChangeMark(c, 1, 3)},
				{r.ChangeTimeout(c, 60), again.ChangeTimeout(c, 60), more.ChangeTimeout(c, 60)},
			} {
				if pair[0] != pair[1] {
					t.Fatalf("action %d on %+v: %+v, read back %+v", i, c, pair[0], pair[1])
				}
				if pair[2].Allowed && !pair[0].Allowed {
					t.Fatalf("action %d on %+v: a protect rule allowed what was %+v", i, c, pair[0])
				}
			}
		}
	})
}

// checkScanner compares the lines that scanKeys finds with what the library
// made of the same file: no key at the top may be missed.
func checkScanner(t *testing.T, data []byte) {
	var values map[string]any
	if len(data) > 4096 || scanKeys(data, func([]string, int) {}) > 0 {
		return
	}
	if toml.Unmarshal(data, &values) != nil {
		return
	}
	last := 0
	seen := map[string]bool{}
	scanKeys(data, func(path []string, line int) {
		if line < last {
			t.Fatalf("line %d after line %d", line, last)
		}
		last, seen[path[0]] = line, true
	})
	if len(seen) != len(values) && !strings.Contains(string(data), `\`) { // escapes may spell one key in two ways
		t.Fatalf("found %v, the library has %v", seen, values)
	}
}
