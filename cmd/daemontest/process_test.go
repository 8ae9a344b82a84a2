// SPDX-License-Identifier: GPL-2.0-or-later

package daemontest

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// recorder is the test of somebody else, that may fail.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Failed() bool     { return len(r.failures) > 0 }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Logf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}
func (r *recorder) Errorf(format string, args ...any) { r.Logf(format, args...) }
func (r *recorder) Error(args ...any)                 { r.Logf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any)                 { r.Fatalf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.Logf(format, args...)
	runtime.Goexit()
}

// run is a whole test: it gives what it reported.
func (r *recorder) run(test func()) string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		test()
	}()
	<-done
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
	return strings.Join(r.failures, "\n")
}

func shell(script string) *exec.Cmd { return exec.Command("/bin/sh", "-c", script) }

// TestWhatIsReported: a process that does not do well fails the test that started it.
func TestWhatIsReported(t *testing.T) {
	const ready = `python3 -c 'import os,socket; socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM).sendto(b"READY=1",os.environ["NOTIFY_SOCKET"])'; `
	const wait = `trap 'exit 0' TERM; `
	for name, test := range map[string]struct {
		script string
		daemon bool
		then   func(*Process)
		want   []string // none: nothing is reported
	}{
		"ends well":             {wait + ready + "while :; do sleep 0.01; done", true, nil, nil},
		"is killed by the test": {ready + "exec sleep 60", true, (*Process).Kill, nil},
		"ended before, well":    {"true", false, func(p *Process) { <-p.ended }, nil},
		"ends badly":            {"echo last words; exit 3", false, func(p *Process) { <-p.ended }, []string{"exit status 3", "last words"}},
		"dies of the signal":    {ready + "exec sleep 60", true, nil, []string{"signal: terminated"}},
		"ends unready":          {"echo cannot; exit 2", true, nil, []string{"does not become ready", "cannot", "exit status 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			got := r.run(func() {
				start := Start
				if test.daemon {
					start = StartDaemon
				}
				cmd := shell(test.script)
				cmd.Env = []string{"PATH=/usr/bin:/bin"}
				if p := start(r, cmd); test.then != nil {
					test.then(p)
				}
			})
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if len(test.want) == 0 != (got == "") || t.Failed() {
				t.Errorf("reported:\n%s", got)
			}
		})
	}
}
