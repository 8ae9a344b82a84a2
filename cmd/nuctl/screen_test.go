// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"nuconntrack/cmd/nuctl/terminaltest"
)

// cmdScreen runs a command on a terminal of its own and puts what it writes there into the
// file screen:
//
//	screen CODE LINES COLUMNS METHOD N TEXT KEYS COMMAND...
//
// KEYS are typed when the server has got N calls of METHOD from the command, and TEXT is on the
// screen: what nobody has read yet is dropped by the kernel when Ctrl-C comes. Both are with
// escapes as in Go.
func cmdScreen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 8 {
		ts.Fatalf("usage: screen CODE LINES COLUMNS METHOD N TEXT KEYS COMMAND...")
	}
	var numbers [4]int
	for i, text := range []string{args[0], args[1], args[2], args[4]} {
		var err error
		numbers[i], err = strconv.Atoi(text)
		ts.Check(err)
	}
	text, err := unescape(args[5])
	ts.Check(err)
	keys, err := unescape(args[6])
	ts.Check(err)
	terminal, err := terminaltest.Open(numbers[1], numbers[2])
	ts.Check(err)
	server := serverOf(ts)
	before := server.counted(args[3])
	var late error
	out, err := terminal.Run(commandOf(ts, args[7:]), func(shows func(string)) {
		late = server.await(args[3], before+numbers[3])
		shows(text)
	}, keys)
	ts.Check(late)
	ts.Check(os.WriteFile(ts.MkAbs("screen"), []byte(out), 0o600))
	if got := exitCode(ts, err); got != numbers[0] {
		ts.Fatalf("exit code %d, want %d; on the screen:\n%q", got, numbers[0], out)
	}
}

// cmdAsked runs a command whose standard input alone is a terminal, at which a file's text is
// typed before there is a question. What the terminal shows is put into the file asked:
//
//	asked CODE FILE COMMAND...
func cmdAsked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: asked CODE FILE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	terminal, err := terminaltest.Open(24, 80)
	ts.Check(err)
	cmd := commandOf(ts, args[2:])
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	out, err := terminal.Run(cmd, func(func(string)) {}, ts.ReadFile(args[1]))
	ts.Check(os.WriteFile(ts.MkAbs("asked"), []byte(out), 0o600))
	if got := exitCode(ts, err); got != want {
		ts.Fatalf("exit code %d, want %d; on the terminal:\n%q", got, want, out)
	}
}

// commandOf is a command in the script's folder, with what it has of the environment.
func commandOf(ts *testscript.TestScript, args []string) *exec.Cmd {
	cmd := exec.Command("sh", append([]string{"-c", `exec "$0" "$@"`}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "NUCTL_SERVER", "LC_ALL", "TERM", "PAGER", "NUCTL_PAGER", "NO_COLOR"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}

// exitCode is how a command ended that was started.
func exitCode(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}
