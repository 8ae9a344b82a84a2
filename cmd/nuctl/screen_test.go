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
	cmd := exec.Command("sh", append([]string{"-c", `exec "$0" "$@"`}, args[7:]...)...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "NUCTL_SERVER", "LC_ALL", "TERM", "PAGER", "NUCTL_PAGER", "NO_COLOR"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	server := serverOf(ts)
	before := server.counted(args[3])
	var late error
	out, err := terminal.Run(cmd, func(shows func(string)) {
		late = server.await(args[3], before+numbers[3])
		shows(text)
	}, keys)
	ts.Check(late)
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
