// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"fmt"
	"strings"
	"testing"

	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// TestNuctlKillsAtThePaceOfThePolicy kills more than the policy's bucket lets through at once. All
// are killed in the end, those that the policy protects are not, and what does not match stays. A
// rate that brings nothing is not waited for.
func TestNuctlKillsAtThePaceOfThePolicy(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		const many, others = 60, 3
		for i := range many {
			nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, fmt.Sprintf("10.0.0.%d:1", i+1), "198.51.100.1:80")})
		}
		for i := range others {
			nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, fmt.Sprintf("10.0.1.%d:1", i+1), "198.51.100.1:443")})
		}
		w := newWorld(t, "[kill]\nallow = true\nrate = 20\nburst = 10\n[[protect]]\nname = \"one\"\naddresses = [\"10.0.0.7\"]\n")
		code, out, errs := w.nuctl(t, "kill", "--yes", "--watch-seconds", "0", "--matching", "dport 80")
		wantRun(t, code, 1, out, errs, "some were sent again, for ", "protected: tcp 10.0.0.7:1", "1 of 60 connections not killed", "\n59 connections killed\n")
		if lines := strings.Count(out, "\nkilled: ") + strings.Count(out, "\nprotected: "); lines != many-1 { // the first has no line before it
			t.Errorf("%d lines on %d connections:\n%s", lines, many, out)
		}
		if left := kernelTable(t); len(left) != others+1 {
			t.Errorf("left: %v", left)
		}

		w.Write(t, "policy.toml", "[kill]\nallow = true\nrate = 0.001\nburst = 1\n")
		w.reloadPolicy(t, 1)
		code, out, errs = w.nuctl(t, "kill", "--yes", "--watch-seconds", "0", "--matching", "dport 443")
		wantRun(t, code, 1, out, errs, "given up after 0s, --wait is 10m0s: too many requests, try again after", "of 3 connections not killed")
	})
}
