// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"nuctl": main})
}

// TestScripts runs nuctl as users do, each script against a fake server of its own that
// answers as the interface's description says. Beside the usual commands of testscript
// there are
//
//	exits N COMMAND...   run a command that must end with this code
//	fake SETTING...      change the server, see fakeServer.set
//	calls                write the calls that the server got into the file calls
//	await METHOD         wait for such a call
//	unanswered CODE ...  run a command that waits in vain for an answer, see cmdUnanswered
//	holds FILE TEXT      wait until a file that is being written has a text
//	screen CODE ...      run a command on a terminal, see cmdScreen
//	asked CODE FILE ...  run a command that asks, see cmdAsked
func TestScripts(t *testing.T) {
	hear(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			server := newFakeServer()
			env.Defer(server.close)
			env.Values[serverKey{}] = server
			env.Setenv("NUCTL_SERVER", server.http.URL+"/RPC2")
			env.Setenv("FAKE", server.http.URL)
			env.Setenv("HOSTPORT", strings.TrimPrefix(server.http.URL, "http://"))
			env.Setenv("LC_ALL", "C.UTF-8")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  cmdExits,
			"fake":   cmdFake,
			"calls":  cmdCalls,
			"await":  cmdAwait,
			"screen": cmdScreen,
			"asked":  cmdAsked,

			"unanswered": cmdUnanswered,
			"holds":      cmdHolds,
		},
	})
}

type serverKey struct{}

func serverOf(ts *testscript.TestScript) *fakeServer {
	return ts.Value(serverKey{}).(*fakeServer)
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND...")
	}
	exits(ts, args[0], args[1:]...)
}

func exits(ts *testscript.TestScript, code string, command ...string) {
	want, err := strconv.Atoi(code)
	ts.Check(err)
	err = ts.Exec(command[0], command[1:]...)
	if got := exitCode(ts, err); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cmdFake(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: fake SETTING...")
	}
	ts.Check(serverOf(ts).set(args))
}

func cmdCalls(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: calls")
	}
	calls := strings.Join(serverOf(ts).calls(), "\n") + "\n"
	ts.Check(os.WriteFile(ts.MkAbs("calls"), []byte(calls), 0o600))
}

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await METHOD")
	}
	ts.Check(serverOf(ts).await(args[0], 1))
}

// cmdUnanswered runs a command with a time limit that is over while the server has its call of
// METHOD. On a machine that is slow the limit may be over before that call: a longer one is
// given then.
//
//	unanswered CODE METHOD COMMAND...
func cmdUnanswered(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: unanswered CODE METHOD COMMAND...")
	}
	server := serverOf(ts)
	for limit := 100 * time.Millisecond; ; limit *= 2 {
		before := server.counted(args[1])
		exits(ts, args[0], append(args[2:], "--timeout", limit.String())...)
		if server.counted(args[1]) > before {
			return
		}
		if limit > patience {
			ts.Fatalf("%s was not called within %v", args[1], limit)
		}
	}
}

func cmdHolds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: holds FILE TEXT")
	}
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); ; <-poll.C {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && strings.Contains(string(text), args[1]) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("waited in vain for %q in %s: %q, %v", args[1], args[0], text, err)
		}
	}
}
