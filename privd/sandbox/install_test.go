// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ownFilter is a victim one of whose threads has put a filter over itself, which allows
// everything.
func ownFilter() (Config, func()) {
	ready := make(chan bool)
	go func() {
		runtime.LockOSThread()
		program := []unix.SockFilter{verdict(unix.SECCOMP_RET_ALLOW)}
		fprog := unix.SockFprog{Len: 1, Filter: &program[0]}
		must(unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_, err := seccomp(unix.SECCOMP_SET_MODE_FILTER, 0, unsafe.Pointer(&fprog))
		must(err)
		close(ready)
		select {}
	}()
	<-ready
	return Config{}, func() {}
}

func TestInstallFails(t *testing.T) {
	for _, test := range []struct{ name, victim, as, want string }{
		{"without no_new_privs", "nothing", "user without no_new_privs", "no_new_privs is not set"},
		{"with a filter of one thread", "own filter", "user", "has a filter of its own"},
	} {
		t.Run(test.name, func(t *testing.T) {
			lines, status := start(t, test.victim, test.as, nil).end(t)
			if status.ExitStatus() != 1 || len(lines) != 1 || !strings.Contains(lines[0], test.want) {
				t.Errorf("status %#x, output %q, want %q", uint32(status), lines, test.want)
			}
		})
	}
}

func TestExplained(t *testing.T) {
	for err, want := range map[error]string{
		unix.ENOSYS: "lacks seccomp", unix.EINVAL: "lacks seccomp", unix.EOPNOTSUPP: "4.14",
		unix.EACCES: "no_new_privs", unix.ENOMEM: unix.ENOMEM.Error(),
	} {
		if got := explained(err).Error(); !strings.Contains(got, want) {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestStatusLines(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want Status
	}{
		"filtered":         {"Name:\tx\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n", Status{1, 1, 1}},
		"no newline":       {"Seccomp:\t2", Status{1, 1, 0}},
		"neither":          {"NoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t2\n", Status{1, 0, 0}},
		"strict mode":      {"Seccomp:\t1\n", Status{1, 0, 0}},
		"lines missing":    {"Name:\tx\n", Status{1, 0, 0}},
		"another line":     {"XSeccomp:\t2\nName:\tSeccomp:\t2\n", Status{1, 0, 0}},
		"more than number": {"Seccomp:\t22\nNoNewPrivs:\t1 1\n", Status{1, 0, 0}},
		"empty":            {"", Status{1, 0, 0}},
	} {
		var s Status
		if s.add(test.text); s != test.want {
			t.Errorf("%s: %+v, want %+v", name, s, test.want)
		}
	}
}

// TestStatusOfThisProcess compares with what the kernel shows of one thread.
func TestStatusOfThisProcess(t *testing.T) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadStatus()
	if err != nil {
		t.Fatal(err)
	}
	filtered := strings.Contains(string(b), "\nSeccomp:\t2\n")
	if s.Threads < 2 || (s.Filtered == s.Threads) != filtered {
		t.Errorf("%+v, filtered %t", s, filtered)
	}
}
