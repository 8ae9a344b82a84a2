// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

const (
	noCapability = "0000000000000000"
	capNetAdmin  = "0000000000001000"
)

// wantPrivileges wants every thread of a process to have these capabilities, no way to
// more, privd's also to have the filter for system calls, and, where it is given, this uid.
func wantPrivileges(t testing.TB, p *daemontest.Process, capabilities, uid string) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.PID()))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has %d threads: %v", p.Name, len(files), err)
	}
	want := map[string]string{
		"CapInh": noCapability, "CapAmb": noCapability, "CapBnd": noCapability,
		"CapPrm": capabilities, "CapEff": capabilities, "NoNewPrivs": "1",
	}
	if p.Name == daemontest.Privd {
		want["Seccomp"] = "2" // SECCOMP_MODE_FILTER
	}
	if uid != "" {
		want["Uid"] = strings.TrimSpace(strings.Repeat(uid+" ", 4))
	}
	for _, file := range files {
		status, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // that thread has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(string(status)) {
			name, value, _ := strings.Cut(line, ":")
			w, ok := want[name]
			if !ok {
				continue
			}
			found++
			if got := strings.Join(strings.Fields(value), " "); got != w {
				t.Errorf("%s, %s: %s is %s, want %s", p.Name, file, name, got, w)
			}
		}
		if found != len(want) {
			t.Errorf("%s shows %d of %d lines", file, found, len(want))
		}
	}
}

func TestDaemonsHoldOnlyWhatTheyNeed(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		w := newWorld(t, everything)
		wantPrivileges(t, w.Privd, capNetAdmin, "")
		wantPrivileges(t, w.Frontd, noCapability, "")
		// What they do must not bring anything back, in any thread.
		w.login(t).rows(t, nil)
		wantPrivileges(t, w.Privd, capNetAdmin, "")
		wantPrivileges(t, w.Frontd, noCapability, "")
	})
}
