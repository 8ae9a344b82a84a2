// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"nuconntrack/cmd/nuctl/terminaltest"
)

// cmdScreen runs a command on a terminal of its own and puts what it writes there into the
// file screen:
//
//	screen CODE LINES COLUMNS METHOD N KEYS COMMAND...
//
// KEYS, with escapes as in Go, are typed when the server has got N calls of METHOD.
func cmdScreen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 7 {
		ts.Fatalf("usage: screen CODE LINES COLUMNS METHOD N KEYS COMMAND...")
	}
	var numbers [4]int
	for i, text := range []string{args[0], args[1], args[2], args[4]} {
		var err error
		numbers[i], err = strconv.Atoi(text)
		ts.Check(err)
	}
	keys, err := unescape(args[5])
	ts.Check(err)
	terminal, err := terminaltest.Open(numbers[1], numbers[2])
	ts.Check(err)
	cmd := exec.Command("sh", append([]string{"-c", `exec "$0" "$@"`}, args[6:]...)...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "NUCTL_SERVER", "LC_ALL", "TERM", "PAGER", "NUCTL_PAGER", "NO_COLOR"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	server := serverOf(ts)
	out, err := terminal.Run(cmd, func(func(string)) { server.awaitCalls(args[3], numbers[3]) }, keys)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(out), 0o600))
	if got != numbers[0] {
		ts.Fatalf("exit code %d, want %d; on the screen:\n%q", got, numbers[0], out)
	}
}

// awaitCalls waits for so many calls of a method.
func (s *fakeServer) awaitCalls(method string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := func() (calls int) {
		for _, call := range s.log {
			if strings.HasPrefix(call, method+" ") {
				calls++
			}
		}
		return calls
	}
	for count() < n {
		s.changed.Wait()
	}
}
