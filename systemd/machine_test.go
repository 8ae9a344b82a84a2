// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system || packages

package systemd_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds a wait for what has to come.
const patience = 90 * time.Second

// machine is a container with systemd as its process 1.
type machine struct {
	pid   int // of its systemd, as seen from here
	netns *os.File
	upper string // where its file system differs from the one under it, as seen from here
}

// boot starts a machine with what make install installs, that the test's end takes away.
func boot(t *testing.T) *machine {
	t.Helper()
	installed := t.TempDir()
	for _, path := range []string{installed, filepath.Dir(installed)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.Command("make", "-C", "..", "install", "DESTDIR="+installed)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("make install: %v\n%s", err, out)
	}
	return bootWith(t, installed)
}

// bootWith starts a machine with what a folder has; none: with nothing of ours.
func bootWith(t *testing.T, installed string) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("booting a container needs root")
	}
	folder := t.TempDir()
	if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil {
		t.Fatal(err)
	}
	cgroups := makeCgroups(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	keeper := exec.Command(self)
	keeper.Env = append(os.Environ(), keeperFolder+"="+folder, keeperInstalled+"="+installed,
		keeperCgroups+"="+strings.Join(cgroups, string(filepath.ListSeparator)))
	var out bytes.Buffer
	keeper.Stdout, keeper.Stderr = &out, &out
	keeper.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL,
	}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// Pdeathsig means the death of the thread that started the process.
		runtime.LockOSThread()
		started <- keeper.Start()
		if keeper.Process != nil {
			keeper.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		t.Fatalf("start container: %v", err)
	}
	t.Cleanup(func() {
		keeper.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("the container said:\n%s", out.String())
		}
	})
	m := &machine{upper: fmt.Sprintf("/proc/%d/root%s", keeper.Process.Pid, filepath.Join(folder, keeperUpper))}
	wait(t, "systemd in the container", func() bool {
		select {
		case <-ended:
			t.Fatalf("the container ended: %s", out.String())
		default:
		}
		m.pid = processOne(keeper.Process.Pid)
		return m.pid != 0
	})
	if m.netns, err = os.Open(fmt.Sprintf("/proc/%d/ns/net", m.pid)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.netns.Close() })
	wait(t, "the boot", func() bool {
		_, err := m.try("systemctl", "is-active", "--quiet", "nuconntrack-test.target")
		return err == nil
	})
	return m
}

// processOne finds the systemd that the child of the keeper, nspawn, has made process 1 of a
// PID namespace; 0: there is none yet.
func processOne(keeper int) int {
	for _, nspawn := range children(keeper) {
		for _, pid := range children(nspawn) {
			numbers := strings.Fields(statusOf(pid)["NSpid"])
			comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			if err == nil && len(numbers) > 0 && numbers[len(numbers)-1] == "1" && string(comm) == "systemd\n" {
				return pid
			}
		}
	}
	return 0
}

// children are those of all threads of a process.
func children(pid int) []int {
	var all []int
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // fails for a bad pattern only
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // that thread has ended
		}
		for child := range strings.FieldsSeq(string(b)) {
			if n, err := strconv.Atoi(child); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}

func statusOf(pid int) map[string]string { return statusFile(fmt.Sprintf("/proc/%d/status", pid)) }

// statusFile reads a status of proc_pid_status(5); one that cannot be read is empty.
func statusFile(path string) map[string]string {
	lines := make(map[string]string)
	b, err := os.ReadFile(path)
	if err != nil {
		return lines
	}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok {
			lines[key] = strings.Join(strings.Fields(value), " ")
		}
	}
	return lines
}

// wait waits until done holds.
func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, patience)
		}
		time.Sleep(10 * time.Millisecond) // nothing tells when to look again
	}
}

// makeCgroups makes a cgroup of this test's own in each hierarchy that systemd uses, for
// the container to make its own below, and removes them at the end.
func makeCgroups(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, root := range []string{"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err != nil {
			continue // not mounted there
		}
		prefix := filepath.Join(root, "nuconntrack-test-")
		removeAbandoned(prefix)
		path := prefix + strconv.Itoa(os.Getpid())
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { removeCgroup(t, path) })
		paths = append(paths, path)
	}
	return paths
}

// removeAbandoned removes the cgroups of tests that were killed: they are empty, and all
// that such a test leaves.
func removeAbandoned(prefix string) {
	paths, _ := filepath.Glob(prefix + "*") // fails for a bad pattern only
	for _, path := range paths {
		if _, err := os.Stat("/proc/" + strings.TrimPrefix(path, prefix)); os.IsNotExist(err) {
			emptyAndGone(path)
		}
	}
}

// removeCgroup removes a cgroup with all below it, once their processes are gone.
func removeCgroup(t *testing.T, path string) {
	wait(t, "remove cgroup "+path, func() bool { return emptyAndGone(path) })
}

func emptyAndGone(path string) bool {
	var all []string
	filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			all = append(all, p)
		}
		return nil
	})
	for i := len(all) - 1; i >= 0; i-- {
		unix.Rmdir(all[i]) // fails while a process is in there
	}
	_, err := os.Stat(path)
	return os.IsNotExist(err)
}
