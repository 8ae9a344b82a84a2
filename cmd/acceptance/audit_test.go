// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"encoding/json"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// TestAuditTellsWhatHappened reads what privd wrote before and after each attempt.
func TestAuditTellsWhatHappened(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.1:80"), Mark: 7},
			nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.2:1000", "198.51.100.1:22")})
		w := newWorld(t, everything+"\n[[protect]]\nname = \"ssh\"\nports = [22]\n")
		s := w.login(t)
		web, ssh := s.one(t, filters{"port": 80}), s.one(t, filters{"port": 22})
		s.ok(t, "change", "mark", web.key(t), 9)
		s.want(t, 6, "ssh", "kill", list(ssh.key(t)))
		s.ok(t, "kill", list(web.key(t)))

		want := []map[string]string{
			{"NUCT_ACTION": "change", "NUCT_PHASE": "intent", "NUCT_FIELD": "mark", "NUCT_OLD": "7", "NUCT_NEW": "9"},
			{"NUCT_ACTION": "change", "NUCT_PHASE": "result", "NUCT_FIELD": "mark", "NUCT_OLD": "7", "NUCT_NEW": "9", "NUCT_OUTCOME": "changed"},
			{"NUCT_ACTION": "kill", "NUCT_PHASE": "intent"},
			{"NUCT_ACTION": "kill", "NUCT_PHASE": "result", "NUCT_OUTCOME": "protected", "NUCT_RULE": "ssh"},
			{"NUCT_ACTION": "kill", "NUCT_PHASE": "intent"},
			{"NUCT_ACTION": "kill", "NUCT_PHASE": "result", "NUCT_OUTCOME": "killed"},
		}
		ids := []any{web["id"], web["id"], ssh["id"], ssh["id"], web["id"], web["id"]}
		daemontest.WaitFor(t, "privd has written the audit", func() bool {
			return w.Privd.Says(`"NUCT_PHASE"`) >= len(want) && strings.HasSuffix(w.Privd.Out.String(), "\n")
		})
		var got []map[string]string
		for line := range strings.Lines(w.Privd.Out.String()) {
			var e map[string]string
			if strings.Contains(line, "NUCT_") {
				if err := json.Unmarshal([]byte(line), &e); err != nil {
					t.Fatalf("%v in %s", err, line)
				}
				got = append(got, e)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d lines, want %d: %v", len(got), len(want), got)
		}
		for i, e := range got {
			for name, v := range want[i] {
				if e[name] != v {
					t.Errorf("line %d: %s is %q, want %q", i, name, e[name], v)
				}
			}
			if e["NUCT_CT_ID"] != ids[i] || e["NUCT_PEER_UID"] != "0" || e["NUCT_CLAIMED_USER"] == "" || e["NUCT_REQUEST_ID"] == "" ||
				e["NUCT_CLAIMED_CLIENT"] == "" || e["MESSAGE_ID"] == "" || !strings.Contains(e["NUCT_ORIG"], "198.51.100.1") {
				t.Errorf("line %d: %v", i, e)
			}
			if i%2 == 1 && e["NUCT_REQUEST_ID"] != got[i-1]["NUCT_REQUEST_ID"] {
				t.Errorf("line %d is of another request than the one before", i)
			}
		}
	})
}
