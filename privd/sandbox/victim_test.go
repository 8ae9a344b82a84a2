// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	victimVariable = "NUCONNTRACK_SANDBOX_VICTIM" // what the victim is to do
	asVariable     = "NUCONNTRACK_SANDBOX_AS"     // as whom
	pathVariable   = "NUCONNTRACK_SANDBOX_PATH"   // a file of the test's

	sandboxed = "sandboxed" // the filter is in place
	survived  = "survived"  // and what was to be done has been done

	nobody = 65534
)

// A victim prepares what it needs, and gives what it does under the filter.
type victim func() (Config, func())

// TestMain is the victim's main as well: the test's binary is started again for each.
func TestMain(m *testing.M) {
	if name := os.Getenv(victimVariable); name != "" {
		beVictim(name)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func beVictim(name string) {
	must(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
	v, ok := victims()[name]
	if !ok {
		panic("no such victim: " + name)
	}
	cfg, do := v()
	switch os.Getenv(asVariable) {
	case "user":
		become()
		noNewPrivs()
	case "user without no_new_privs":
		become()
	case "root":
		noNewPrivs()
	}
	if err := Install(cfg); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(sandboxed)
	do()
	fmt.Println(survived)
}

// become gives all privileges up, where there are some.
func become() {
	if os.Geteuid() != 0 {
		return
	}
	must(syscall.Setgroups(nil))
	must(syscall.Setresgid(nobody, nobody, nobody))
	must(syscall.Setresuid(nobody, nobody, nobody))
}

func noNewPrivs() {
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if errno != 0 {
		panic(errno)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// victims are all there are.
func victims() map[string]victim {
	all := map[string]victim{"nothing": plain(func() {}), "own filter": ownFilter}
	for name, do := range forbidden() {
		all[name] = do
	}
	for name, do := range foreign() {
		all[name] = do
	}
	for name, do := range working() {
		all[name] = do
	}
	for name, crash := range crashes() {
		all[name] = plain(crash.do)
	}
	return all
}

// plain is a victim that prepares nothing.
func plain(do func()) victim {
	return func() (Config, func()) { return Config{}, do }
}

// process is a victim that was started.
type process struct {
	*exec.Cmd
	out    *bufio.Reader
	stderr bytes.Buffer
}

func start(t *testing.T, name, as string, more func(*exec.Cmd)) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(self)}
	p.Env = append(os.Environ(), victimVariable+"="+name, asVariable+"="+as)
	p.Stderr = &p.stderr
	if more != nil {
		more(p.Cmd)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() })
	return p
}

// line reads a line of the victim's output.
func (p *process) line() string {
	line, _ := p.out.ReadString('\n')
	return strings.TrimSuffix(line, "\n")
}

// end reads what is left of the victim's output, and waits for it.
func (p *process) end(t *testing.T) (lines []string, status syscall.WaitStatus) {
	t.Helper()
	for {
		line := p.line()
		if line == "" {
			break
		}
		lines = append(lines, line)
	}
	err := p.Wait()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return lines, p.ProcessState.Sys().(syscall.WaitStatus)
}

// wantDone checks that the victim did all it was to do, and ended well.
func (p *process) wantDone(t *testing.T) {
	t.Helper()
	lines, status := p.end(t)
	if status != 0 || len(lines) == 0 || lines[len(lines)-1] != survived {
		t.Fatalf("ended with status %#x (%v), output %q\n%s", uint32(status), p.ProcessState, lines, p.stderr.String())
	}
}

// wantKilled checks that the filter ended the victim in what it did under it.
func (p *process) wantKilled(t *testing.T) {
	t.Helper()
	lines, status := p.end(t)
	if !status.Signaled() || status.Signal() != unix.SIGSYS || !slices.Equal(lines, []string{sandboxed}) {
		t.Fatalf("ended with %v, want SIGSYS after %q; output %q\n%s", p.ProcessState, sandboxed, lines, p.stderr.String())
	}
}

// identities are whom a victim can be here: root cannot be had by others.
func identities(t *testing.T) []string {
	if os.Geteuid() != 0 {
		t.Log("not run as root: the filter is tried as an ordinary user alone")
		return []string{"user"}
	}
	return []string{"user", "root", "root without no_new_privs"}
}
