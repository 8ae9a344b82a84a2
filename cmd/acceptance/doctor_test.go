// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// TestDoctor: nuctl finds what the kernel's settings are, and what became of a kill.
func TestDoctor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		loose, watch string // what is back ends the watch
		code         int
		says         []string
	}{
		{"1", "5", 1, []string{"SERIOUS  kills: 1 of 1 killed connections that were watched came back", "nf_conntrack_tcp_loose=0",
			"WARNING  accounting: accounting is off", "sysctl -w net.netfilter.nf_conntrack_acct=1", "WARNING  timestamps:"}},
		{"0", "1", 0, []string{"fine     kills: killed TCP connections stay dead", "NOTE     accounting: 1 of 1 connections lack counters",
			"fine     clock:", "fine     table:", "NOTE     policy:"}},
	} {
		t.Run("nf_conntrack_tcp_loose="+test.loose, func(t *testing.T) {
			nstest.Run(t, func(t *testing.T) {
				nstest.Sysctl(t, "nf_conntrack_tcp_loose", test.loose)
				track(t)
				w := newWorld(t, everything)
				serveTCP(t, "127.0.0.1:5001")
				talk(t, "127.0.0.1:5001")
				if test.loose == "0" {
					// A connection that began before, and one setting that was wrong and is right now.
					nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_UDP, "192.0.2.1:1000", "198.51.100.1:53")})
					nstest.Sysctl(t, "nf_conntrack_acct", "1")
					nstest.Sysctl(t, "nf_conntrack_timestamp", "1")
				}
				w.nuctl(t, "kill", "--yes", "--watch-seconds", test.watch, "--matching", "tcp and port 5001")
				code, out, errs := w.nuctl(t, "doctor")
				wantRun(t, code, test.code, out, errs, test.says...)
			})
		})
	}
}

// TestDoctorWithoutHelper: the server is there, and cannot do anything.
func TestDoctorWithoutHelper(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		w := emptyWorld(t)
		w.startFrontd(t)
		code, out, errs := w.nuctl(t, "doctor")
		wantRun(t, code, 1, out, errs, "SERIOUS  helper: the server cannot reach its helper", "systemctl status nuconntrack-privd.socket")
	})
}

// TestDoctorOfAScope: who sees a part only hears of the rest that it is hidden.
func TestDoctorOfAScope(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_UDP, "192.0.2.1:1000", "198.51.100.1:53")})
		w := newWorld(t, everything, "[auth]", `backend = "none"`, `role = "part"`, "[roles.part]", `base = "viewer"`, `networks = ["10.0.0.0/8"]`)
		code, out, errs := w.nuctl(t, "doctor")
		wantRun(t, code, 0, out, errs, `NOTE     scope: the role "part" shows a part of the table only`, "does not permit kill",
			"WARNING  accounting: accounting is off", "unknown  table: how full", `the role "part" may not ask`)
		if strings.Contains(out, "policy") {
			t.Errorf("who may not kill is told about the policy:\n%s", out)
		}
	})
}

// TestExport: every connection of the kernel stands in the file, once.
func TestExport(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		all := make([]nstest.Connection, 3000)
		for i := range all {
			all[i].Target = nstest.Target(unix.IPPROTO_TCP, fmt.Sprintf("10.0.%d.%d:1000", i/250, i%250+1), "198.51.100.1:80")
		}
		nstest.Create(t, all...)
		w := newWorld(t, everything, "max_page = 700", "[auth]", `backend = "none"`)
		path := w.Path("table.jsonl")
		code, out, errs := w.nuctl(t, "export", "--file", path)
		wantRun(t, code, 0, out, errs, "3000 connections of 3000")
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		seen := map[uint32]bool{}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			var r struct {
				ID uint32 `json:"id"`
			}
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				t.Fatalf("%v: %s", err, lines.Bytes())
			}
			seen[r.ID] = true
		}
		table := kernelTable(t)
		for id := range table {
			if !seen[id] {
				t.Fatalf("%d is not in the file", id)
			}
		}
		if len(seen) != len(table) {
			t.Errorf("%d connections in the file, %d in the kernel", len(seen), len(table))
		}
	})
}
