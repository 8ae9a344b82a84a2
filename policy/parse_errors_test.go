// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// badFile is a policy file that must be refused, with the place to blame.
type badFile struct {
	name, text string
	line       int
	key        string
}

// twoRules is a file of six lines whose second rule, from line 5, lacks a list.
func twoRules() string {
	return "[[protect]]\nname = \"first\"\nports = [22]\n\n[[protect]] # second\nname = \"second\"\n"
}

// badStructure has files whose keys and tables are not those of a policy.
func badStructure() []badFile {
	head := twoRules()
	return []badFile{
		{"not TOML", "[kill]\nallow == true", 2, "kill.allow"},
		{"not UTF-8", "# \xff\n", 1, ""},
		{"key twice", "[kill]\nallow = true\nallow = false", 3, "kill.allow"},
		{"unknown table", "\n[kil]\nallow = true", 2, "kil"},
		{"other case", "[kill]\nAllow = true", 2, "kill.Allow"},
		{"unknown key at the top", "allow = true", 1, "allow"},
		{"unknown key in kill", "[kill]\nallow = true\nrates = 1", 3, "kill.rates"},
		{"unknown key in change", "[change]\n\nmask = 1", 3, "change.mask"},
		{"unknown key in dump", "[dump]\nallow = true", 2, "dump.allow"},
		{"unknown key in the first rule", "[[protect]]\nport = [22]\nname = \"x\"\nports = [1]\n[[protect]]\nname = \"y\"\nports = [2]", 2, "protect.port"},
		{"unknown key in the second rule", head + "ports = [1]\ncomment = \"x\"", 8, "protect.comment"},
		{"unknown key after strings", "[kill]\nallow = true\n[[protect]]\nname = \"a\"\nprotocols = [\n  'tcp', # ]\n  \"\"\"udp\"\"\",\n]\nx = 1", 9, "protect.x"},
		{"unknown key that needs quotes", "[kill]\n\"a b\" = 1", 2, `kill."a b"`},
		{"table below a rule", head + "ports = [1]\n[protect.more]\nx = 1", 8, "protect.more"},
		{"kill is no table", "kill = true", 1, "kill"},
		{"dump is an array", "[[dump]]\nduty = 1", 1, "dump"},
		{"protect is a table", "[protect]\nname = \"a\"", 1, "protect"},
		{"protect holds numbers", "\nprotect = [1]", 2, "protect"},

		{"rule named like one that is always there", "[[protect]]\nname = \"kill.rate\"\nports = [22]", 2, "protect.name"},
		{"nested too deep", "zones = [[[[[[[[[\n]]]]]]]]]", 1, ""},
		{"nested too deep behind a mark", "\xff\xfezones = [[[[[[[[[\n]]]]]]]]]", 1, ""},
		{"key of too many parts", "\na.b.c.d.e.f.g.h.i = 1", 2, ""},
	}
}

// badValues has wrong types and values out of bounds outside of rules.
func badValues() []badFile {
	return []badFile{
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
	}
}

// badRules has protect rules that are wrong.
func badRules() []badFile {
	head := twoRules()
	return []badFile{
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
	}
}

func TestParseErrors(t *testing.T) {
	tests := append(append(badStructure(), badValues()...), badRules()...)
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
