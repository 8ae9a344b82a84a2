// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// stats are statistics of a server that knows everything.
type stats struct {
	numbers map[string]uint64
	flags   map[string]bool
}

func (s stats) Number(name string) (uint64, bool) { n, ok := s.numbers[name]; return n, ok }
func (s stats) Flag(name string) (set, ok bool)   { set, ok = s.flags[name]; return set, ok }

func numbers(pairs map[string]uint64) stats {
	s := stats{
		map[string]uint64{"count": 100, "max": 1000, "buckets": 1000, "drop": 0, "early_drop": 0, "insert_failed": 0, "chain_toolong": 0,
			"kills_watched": 0, "kills_returned": 0},
		map[string]bool{"accounting": true, "timestamps": true, "tcp_loose": false},
	}
	maps.Copy(s.numbers, pairs)
	return s
}

func flagged(name string, on bool, pairs map[string]uint64) stats {
	s := numbers(pairs)
	s.flags[name] = on
	return s
}

// healthy are facts of which nothing is to be said.
func healthy() Facts {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return Facts{
		Server: "https://firewall.example", User: "ann", Role: "admin",
		Methods: []string{"view", "kill", "kill_report", "kill_matching", "change", "stats"},
		Stats:   numbers(nil), Count: 100, Asked: now, Heard: now.Add(time.Second), Taken: now.Add(time.Second / 2),
	}
}

func named(all []Finding, name string) (Finding, bool) {
	for _, f := range all {
		if f.Name == name {
			return f, true
		}
	}
	return Finding{}, false
}

func TestHealthy(t *testing.T) {
	all := Examine(healthy())
	for _, f := range all {
		if f.Severity != Fine && f.Name != "policy" {
			t.Errorf("%+v", f)
		}
	}
	if len(all) < 9 || IsSerious(all) {
		t.Errorf("%d findings, serious %v", len(all), IsSerious(all))
	}
}

func TestFindings(t *testing.T) {
	set := func(edit func(*Facts)) Facts { f := healthy(); edit(&f); return f }
	warned := func(role string, warnings ...string) Facts {
		return set(func(f *Facts) { f.Warnings, f.Stats, f.Role, f.Methods = warnings, nil, role, []string{"view"} })
	}
	tests := map[string]struct {
		facts    Facts
		name     string
		severity Severity
		says     string // in the summary or in what mends it
	}{
		"no TLS":                      {set(func(f *Facts) { f.Plain = true }), "encryption", Serious, "unencrypted"},
		"no helper":                   {set(func(f *Facts) { f.HelperAway, f.ViewErr = true, "away" }), "helper", Serious, "systemctl"},
		"no table":                    {set(func(f *Facts) { f.ViewErr = "internal error" }), "table", Serious, "internal error"},
		"a viewer":                    {set(func(f *Facts) { f.Methods = []string{"view", "stats"} }), "role", Note, "does not permit kill, kill_report, kill_matching, change"},
		"nobody knows who":            {set(func(f *Facts) { f.WhoamiErr = "no" }), "role", Unknown, "no"},
		"a scope":                     {warned("r", "hidden: the role"), "scope", Note, "part of the table"},
		"accounting off":              {set(func(f *Facts) { f.Stats = flagged("accounting", false, nil) }), "accounting", Warning, "sysctl -w net.netfilter.nf_conntrack_acct=1"},
		"accounting off, by the view": {warned("r", "accounting: off"), "accounting", Warning, "nf_conntrack_acct=1"},
		"accounting on since":         {set(func(f *Facts) { f.Uncounted = 7 }), "accounting", Note, "7 of 100"},
		"nothing known of accounting": {set(func(f *Facts) { f.Stats, f.Count, f.Uncounted = nil, 0, -1 }), "accounting", Unknown, "may not ask"},
		"statistics that fail":        {set(func(f *Facts) { f.Stats, f.StatsErr, f.Uncounted = nil, "broken", -1 }), "accounting", Unknown, "broken"},
		"timestamps off":              {set(func(f *Facts) { f.Stats = flagged("timestamps", false, nil) }), "timestamps", Warning, "nf_conntrack_timestamp=1"},
		"loose":                       {set(func(f *Facts) { f.Stats = flagged("tcp_loose", true, nil) }), "kills", Warning, "nf_conntrack_tcp_loose=0"},
		"loose, and they came back": {set(func(f *Facts) {
			f.Stats = flagged("tcp_loose", true, map[string]uint64{"kills_watched": 9, "kills_returned": 4})
		}), "kills", Serious, "4 of 9"},
		"they came back all the same": {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"kills_watched": 9, "kills_returned": 4}) }), "kills", Warning, "4 of 9"},
		"nothing known of loose":      {set(func(f *Facts) { f.Stats = nil }), "kills", Unknown, "may not ask"},
		"80 percent":                  {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"count": 800}) }), "table", Warning, "nf_conntrack_max=2000"},
		"79 percent":                  {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"count": 799}) }), "table", Fine, "79%"},
		"95 percent":                  {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"count": 950}) }), "table", Serious, "echo 1024 >"},
		"more than all":               {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"count": 1 << 62, "max": 1}) }), "table", Serious, "1000%"},
		"no limit":                    {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"max": 0}) }), "table", Unknown, "not known"},
		"full, by the view":           {warned("r", "full: nearly full"), "table", Serious, "nearly full"},
		"few buckets":                 {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"buckets": 25}) }), "buckets", Warning, "echo 128 >"},
		"drops":                       {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"drop": 3}) }), "drop", Warning, "3 packets"},
		"early drops":                 {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"early_drop": 3}) }), "early_drop", Warning, "3 connections"},
		"lost races":                  {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"insert_failed": 3}) }), "insert_failed", Note, "3 new"},
		"long chains":                 {set(func(f *Facts) { f.Stats = numbers(map[string]uint64{"chain_toolong": 3}) }), "chain_toolong", Warning, "3 connections"},
		"offloaded":                   {set(func(f *Facts) { f.Offloaded = 5 }), "offload", Warning, "5 connections"},
		"nobody knows of offload":     {set(func(f *Facts) { f.Offloaded = -1 }), "offload", Unknown, "not known"},
		"a clock ahead":               {set(func(f *Facts) { f.Taken = f.Heard.Add(61 * time.Second) }), "clock", Warning, "1m1s ahead of"},
		"a clock behind":              {set(func(f *Facts) { f.Taken = f.Asked.Add(-time.Hour) }), "clock", Warning, "1h0m0s behind"},
		"a clock that may agree":      {set(func(f *Facts) { f.Taken = f.Heard.Add(5 * time.Second) }), "clock", Fine, "agree"},
		"no clock":                    {set(func(f *Facts) { f.Taken = time.Time{} }), "clock", Unknown, "not be compared"},
		"a clock that jumps":          {set(func(f *Facts) { f.Heard = f.Asked.Add(-time.Hour) }), "clock", Unknown, "not be compared"},
		"another warning":             {set(func(f *Facts) { f.Warnings = []string{"cut: only the first 5"} }), "cut", Warning, "only the first 5"},
		"a warning of no kind":        {set(func(f *Facts) { f.Warnings = []string{"something"} }), "server", Warning, "something"},
		"who may kill":                {healthy(), "policy", Note, "--check-config"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			all := Examine(test.facts)
			f, ok := named(all, test.name)
			text := f.Summary + "\n" + strings.Join(f.Mend, "\n")
			if !ok || f.Severity != test.severity || !strings.Contains(text, test.says) {
				t.Errorf("%+v, want %s with %q", f, test.severity, test.says)
			}
			if IsSerious(all) != (test.severity == Serious) {
				t.Errorf("serious: %v", IsSerious(all))
			}
			if f.Severity == Serious || f.Severity == Warning {
				if f.Meaning == "" && len(f.Mend) == 0 && !strings.HasPrefix(name, "full") {
					t.Errorf("nothing is said of what follows: %+v", f)
				}
			}
			worst := 0
			for _, f := range all {
				at := 0
				for i, s := range severities() {
					if s == f.Severity {
						at = i
					}
				}
				if at < worst {
					t.Errorf("%s stands behind what matters less", f.Name)
				}
				worst = at
			}
		})
	}
	if _, ok := named(Examine(warned("r")), "policy"); ok {
		t.Error("who may not kill is told about the policy")
	}
}
