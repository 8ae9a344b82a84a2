// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

const password = "correct horse battery"

// TestPythonGoesTheWholeWay lets an ordinary client do all that one can do, while others
// look at the kernel from outside: a library in any case, and conntrack(8).
func TestPythonGoesTheWholeWay(t *testing.T) {
	t.Parallel()
	for _, outside := range []struct {
		name, program string
		look          func(testing.TB) map[uint32]seen
	}{
		{"a library looks on", "", bySyscall},
		{"conntrack looks on", "conntrack", byConntrack},
	} {
		t.Run(outside.name, func(t *testing.T) {
			t.Parallel()
			needsProgram(t, "python3", "python3")
			if outside.program != "" {
				needsProgram(t, outside.program, outside.program)
			}
			nstest.Run(t, func(t *testing.T) { wholeWay(t, outside.look) })
		})
	}
}

// needsProgram skips a test that cannot do without a program, which CI installs.
func needsProgram(t testing.TB, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is missing: apt-get install %s", program, pkg)
	}
}

func wholeWay(t *testing.T, look func(testing.TB) map[uint32]seen) {
	nstest.Sysctl(t, "nf_conntrack_acct", "1")
	track(t)
	createWholeTable(t)
	w := emptyWorld(t)
	w.Write(t, "policy.toml", everything)
	passwords := w.SetPassword(t, "ann", password, "--hash", "bcrypt")
	w.StartPrivd(t)
	w.startFrontd(t, "[auth]", `backend = "file"`, `file = "`+passwords+`"`)
	python := startPython(t, "testdata/whole_way.py", "http://"+rpcAddress+"/RPC2", "ann")
	python.say(t, password)

	// Marks and presence of what the test made; the client's own connections come and go.
	want := look(t)
	for id, e := range kernelTable(t) {
		if strings.Contains(e.tuples, "127.0.0.1") {
			delete(want, id)
		}
	}
	steps := 0
	for {
		s, ok := python.step(t)
		if !ok {
			break
		}
		steps++
		switch s.Step {
		case "killed":
			if _, there := want[s.id(t)]; !there {
				t.Fatalf("%+v was not there", s)
			}
			delete(want, s.id(t))
		case "marked":
			want[s.id(t)] = seen{s.Mark, want[s.id(t)].timeout}
		case "fixed":
			want[s.id(t)] = seen{want[s.id(t)].mark, s.Timeout}
		case "added":
			before := look(t)
			nstest.Create(t, nstest.Connection{
				Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.99:1", "198.51.100.99:1"), Mark: 123456})
			for id, e := range look(t) {
				if _, there := before[id]; !there && e.mark == 123456 {
					want[id] = e
				}
			}
		}
		wantSeen(t, fmt.Sprintf("after step %d, %s", steps, s.Step), look(t), want)
		python.say(t, "go")
	}
	if steps != 14 {
		t.Errorf("%d steps", steps)
	}
}

// createWholeTable makes what the script looks for, and 40 connections for its pages.
func createWholeTable(t *testing.T) {
	t.Helper()
	zoned := nstest.Target(unix.IPPROTO_TCP, "192.0.2.3:1", "198.51.100.7:443")
	zoned.Orig.Zone = 7
	nstest.Create(t,
		nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:40000", "198.51.100.7:443"), Mark: 5},
		nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.2:40001", "198.51.100.7:443"), Mark: 6},
		nstest.Connection{Target: nstest.Target(unix.IPPROTO_UDP, "[2001:db8::1]:5353", "[2001:db8::53]:53")},
		nstest.Connection{Target: nstest.Target(unix.IPPROTO_ICMP, "192.0.2.4:99", "198.51.100.8:0")},
		nstest.Connection{Target: zoned})
	for i := range 40 {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP,
			fmt.Sprintf("203.0.113.%d:%d", i+1, 1000+i), "198.51.100.7:80"), Mark: uint32(i)})
	}
}

// wantSeen wants all of want to be there and no more, as far as the test made it: marks as
// they are, timeouts no longer than they were and not much shorter.
func wantSeen(t *testing.T, when string, got, want map[uint32]seen) {
	t.Helper()
	const slack = 300 // seconds, of timeouts of 600 and more
	own := kernelTable(t)
	for id := range maps.Keys(got) {
		if _, made := want[id]; !made && !strings.Contains(own[id].tuples, "127.0.0.1") && own[id].tuples != "" {
			t.Errorf("%s: %d is there: %+v", when, id, own[id])
		}
	}
	for id, w := range want {
		g, there := got[id]
		if !there || g.mark != w.mark || g.timeout > w.timeout || g.timeout+slack < w.timeout {
			t.Errorf("%s: %d is %+v (%t), want %+v", when, id, g, there, w)
		}
	}
}

// step is what the script did.
type step struct {
	Step          string
	ID            string
	Mark, Timeout uint32
}

func (s step) id(t testing.TB) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(s.ID, 10, 32)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return uint32(n)
}

// python is a script that runs.
type python struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Scanner
	stderr strings.Builder
}

func startPython(t *testing.T, script string, args ...string) *python {
	t.Helper()
	p := &python{cmd: exec.CommandContext(t.Context(), "python3", append([]string{"-I", script}, args...)...)}
	p.cmd.Stderr = &p.stderr
	var out io.ReadCloser
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err == nil {
		out, err = p.cmd.StdoutPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.stdout = bufio.NewScanner(out)
	return p
}

func (p *python) say(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		t.Fatalf("%v\n%s", err, &p.stderr)
	}
}

// step waits for the next step; at the end of the script there is none.
func (p *python) step(t *testing.T) (s step, ok bool) {
	t.Helper()
	if p.stdout.Scan() {
		if err := json.Unmarshal(p.stdout.Bytes(), &s); err != nil {
			t.Fatalf("%v: %s", err, p.stdout.Bytes())
		}
		return s, true
	}
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("the script failed: %v\n%s", err, &p.stderr)
	}
	return step{}, false
}
