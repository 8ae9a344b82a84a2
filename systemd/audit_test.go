// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system

package systemd_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"nuconntrack/privd/audit"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// source is the address of the connections that the tests make up.
const source = "192.0.2."

// made is a connection that was made up.
type made struct{ src, dst string }

// orig is how the audit shows it.
func (c made) orig() string {
	host := func(s string) (string, string) { a, p, _ := strings.Cut(s, ":"); return a, p }
	src, sport := host(c.src)
	dst, dport := host(c.dst)
	return fmt.Sprintf("tcp src=%s dst=%s sport=%s dport=%s", src, dst, sport, dport)
}

// create makes connections in the machine's kernel.
func (m *machine) create(t *testing.T, all ...made) {
	t.Helper()
	list := make([]nstest.Connection, len(all))
	for i, c := range all {
		list[i] = nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, c.src, c.dst), Timeout: 7200}
	}
	if err := m.inNetwork(func() error { nstest.Create(t, list...); return nil }); err != nil {
		t.Fatal(err)
	}
}

// entries gives what the audit has in the journal, oldest first.
func (m *machine) entries(t *testing.T, matches ...string) []map[string]string {
	t.Helper()
	m.do(t, "journalctl", "--sync")
	args := append([]string{"journalctl", "--no-pager", "--output=json", "MESSAGE_ID=" + audit.MessageID}, matches...)
	var all []map[string]string
	for line := range strings.Lines(m.do(t, args...)) {
		var raw map[string]any
		if err := json.Unmarshal([]byte(line), &raw); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		entry := make(map[string]string)
		for key, value := range raw {
			if text, ok := value.(string); ok {
				entry[key] = text
			}
		}
		all = append(all, entry)
	}
	return all
}

func testAudit(t *testing.T, m *machine) {
	killed := made{source + "1:1001", "198.51.100.1:80"}
	changed := made{source + "1:1002", "198.51.100.1:80"}
	guarded := made{source + "1:1003", "198.51.100.1:22"}
	m.create(t, killed, changed, guarded)
	c := m.login(t)
	keys := make(map[int]string)
	for _, r := range c.view(t, map[string]any{"orig_src": source + "1"}) {
		keys[r.Port] = r.Key
	}
	if err := c.call("kill", nil, []any{keys[1001]}); err != nil {
		t.Errorf("kill: %v", err)
	}
	if err := c.call("change", nil, "mark", keys[1002], "7"); err != nil {
		t.Errorf("change: %v", err)
	}
	if err := c.call("kill", nil, []any{keys[1003]}); faultCode(err) != faultPolicy {
		t.Errorf("kill of a protected connection: %v, want fault %d", err, faultPolicy)
	}
	uid, helper := strings.TrimSpace(m.do(t, "id", "-u", "nuconntrack")), strings.TrimSpace(m.do(t, "id", "-u", "nuconntrack-privd"))
	for _, want := range []map[string]string{
		{"NUCT_ORIG": killed.orig(), "NUCT_ACTION": "kill", "NUCT_OUTCOME": "killed"},
		{"NUCT_ORIG": changed.orig(), "NUCT_ACTION": "change", "NUCT_OUTCOME": "changed", "NUCT_FIELD": "mark", "NUCT_OLD": "0", "NUCT_NEW": "7"},
		{"NUCT_ORIG": guarded.orig(), "NUCT_ACTION": "kill", "NUCT_OUTCOME": "protected", "NUCT_RULE": "ssh"},
	} {
		pair := m.entries(t, "NUCT_ORIG="+want["NUCT_ORIG"])
		if len(pair) != 2 || pair[0]["NUCT_PHASE"] != "intent" || pair[1]["NUCT_PHASE"] != "result" {
			t.Errorf("%s left %v, want an intent and a result", want["NUCT_ORIG"], pair)
			continue
		}
		for key, value := range map[string]string{
			"NUCT_PEER_UID": uid, "_UID": helper, "_SYSTEMD_UNIT": privd + ".service", "NUCT_CLAIMED_USER": user,
		} {
			want[key] = value
		}
		for key, value := range want {
			if pair[1][key] != value {
				t.Errorf("%s: %s is %q, want %q", want["NUCT_ORIG"], key, pair[1][key], value)
			}
		}
		if pair[0]["NUCT_REQUEST_ID"] != pair[1]["NUCT_REQUEST_ID"] || !strings.HasPrefix(pair[1]["NUCT_CLAIMED_CLIENT"], "127.0.0.1:") {
			t.Errorf("request or client is wrong in %v", pair)
		}
	}
	explained := m.do(t, "journalctl", "--no-pager", "--catalog", "MESSAGE_ID="+audit.MessageID, "NUCT_OUTCOME=killed")
	if !strings.Contains(explained, "Subject: A connection of the firewall: kill, result") {
		t.Errorf("the journal does not explain the entry:\n%s", explained)
	}
	testQuestion(t, m, killed, guarded)
}

// question is the command of docs/audit.md that answers who did what.
var question = regexp.MustCompile(`(?m)^    (journalctl .*MESSAGE_ID=.*)\n((?:        .*\n)*)`)

func testQuestion(t *testing.T, m *machine, killed, guarded made) {
	text, err := os.ReadFile("../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	found := question.FindStringSubmatch(string(text))
	if found == nil {
		t.Fatal("docs/audit.md has no journalctl command")
	}
	out := m.do(t, "sh", "-c", strings.ReplaceAll(found[1]+"\n"+found[2], "\n        ", " "))
	for _, want := range []string{
		"killed: " + killed.orig(), "protected by rule ssh: " + guarded.orig(), "user \"" + user + "\"", "client \"127.0.0.1:",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in what the command of docs/audit.md answers:\n%s", want, out)
		}
	}
	if strings.Contains(out, " asked: ") {
		t.Errorf("the command of docs/audit.md shows intents:\n%s", out)
	}
}
