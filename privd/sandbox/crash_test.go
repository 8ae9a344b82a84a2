// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A crash is one of Go's, whose trace has to be seen in spite of the filter.
type crash struct {
	do     func()
	send   unix.Signal // to the victim, when it is not 0
	env    string      // a variable and its value, or nothing
	says   string
	signal unix.Signal // that ends it; 0: exit code 2
}

func crashes() map[string]crash {
	wait := func() { time.Sleep(time.Hour) }
	fail := func() { panic("of the test") }
	return map[string]crash{
		"panic":              {do: fail, says: "panic: of the test"},
		"panic elsewhere":    {do: func() { go fail(); wait() }, says: "panic: of the test"},
		"panic, all traces":  {do: fail, env: "GOTRACEBACK=all", says: "panic: of the test"},
		"panic and abort":    {do: fail, env: "GOTRACEBACK=crash", says: "panic: of the test", signal: unix.SIGABRT},
		"panic with runtime": {do: fail, env: "GOTRACEBACK=system", says: "panic: of the test"},
		"nil dereference":    {do: dereference, says: "SIGSEGV"},
		"stack overflow":     {do: func() { debug.SetMaxStack(1 << 20); depth = overflow(0) }, says: "stack overflow"},
		"deadlock":           {do: func() { select {} }, says: "all goroutines are asleep"},
		"out of memory":      {do: func() { sink = make([]byte, 1<<46) }, says: "out of memory"},
		"SIGQUIT":            {do: wait, send: unix.SIGQUIT, says: "SIGQUIT"},
		"SIGQUIT and abort":  {do: wait, send: unix.SIGQUIT, env: "GOTRACEBACK=crash", says: "SIGQUIT", signal: unix.SIGABRT},
		"SIGABRT":            {do: wait, send: unix.SIGABRT, says: "SIGABRT"},
	}
}

// Where results go, so that no compiler leaves out what makes them.
var (
	sink  []byte
	depth int
)

func dereference() {
	var nowhere *int
	*nowhere = 1
}

func overflow(n int) int {
	if n < 0 {
		return n
	}
	return overflow(n+1) + n
}

func TestCrashesPrintTheirTrace(t *testing.T) {
	for _, as := range identities(t) {
		for name, c := range crashes() {
			t.Run(as+"/"+name, func(t *testing.T) {
				t.Parallel()
				p := start(t, name, as, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, c.env) })
				if line := p.line(); line != sandboxed {
					t.Fatalf("first line %q", line)
				}
				if c.send != 0 {
					if err := p.Process.Signal(c.send); err != nil {
						t.Fatal(err)
					}
				}
				_, status := p.end(t)
				trace := p.stderr.String()
				if !strings.Contains(trace, c.says) || !strings.Contains(trace, "goroutine ") {
					t.Errorf("no trace with %q:\n%s", c.says, trace)
				}
				if c.signal == 0 && status.ExitStatus() != 2 || c.signal != 0 && status.Signal() != c.signal {
					t.Errorf("ended with %v\n%s", p.ProcessState, trace)
				}
			})
		}
	}
}

func TestTermination(t *testing.T) {
	p := start(t, "SIGQUIT", "user", nil)
	if line := p.line(); line != sandboxed {
		t.Fatalf("first line %q", line)
	}
	if err := p.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, status := p.end(t); status.Signal() != unix.SIGTERM {
		t.Errorf("ended with %v\n%s", p.ProcessState, p.stderr.String())
	}
}
