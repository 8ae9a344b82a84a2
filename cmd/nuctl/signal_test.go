// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// hear lets the processes that a test starts hear the signals that end nuctl, though whoever started
// the tests has set them aside, as nohup does, and a shell for what runs behind it: a signal that
// is caught here has its default meaning there (execve(2)).
func hear(t *testing.T) {
	t.Helper()
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(sig) {
			caught := make(chan os.Signal, 1)
			signal.Notify(caught, sig)
			t.Cleanup(func() {
				signal.Stop(caught)
				signal.Ignore(sig)
			})
		}
	}
}

// listing starts nuctl, by the shell after it did what is said first, and waits until it is in the
// middle of a call.
func listing(t *testing.T, first string) (s *fakeServer, cmd *exec.Cmd, said *bytes.Buffer) {
	t.Helper()
	hear(t)
	s = newFakeServer()
	t.Cleanup(s.close)
	if err := s.set([]string{"hang", "view"}); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	said = &bytes.Buffer{}
	cmd = exec.Command("bash", "-c", first+`exec -a nuctl "$0" list`, self)
	cmd.Env = []string{"HOME=" + t.TempDir(), "NUCTL_SERVER=" + s.http.URL}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if err := s.await("view", 1); err != nil {
		t.Fatal(err)
	}
	return s, cmd, said
}

// Each signal by which a person or the system ends nuctl logs out first.
func TestSignalsLogOut(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			s, cmd, said := listing(t, "")
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(said.String(), "nuctl: interrupted") {
				t.Errorf("exit code %d: %s", code, said)
			}
			if err := s.await("logout", 1); err != nil {
				t.Error(err)
			}
		})
	}
}

// What nohup sets aside stays so: a list goes on when its terminal is closed.
func TestIgnoredSignalsStaySo(t *testing.T) {
	_, cmd, _ := listing(t, "trap '' HUP; ")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, mask, _ := strings.Cut(string(status), "SigIgn:")
	ignored, err := strconv.ParseUint(strings.Fields(mask)[0], 16, 64)
	if err != nil || ignored&(1<<(syscall.SIGHUP-1)) == 0 {
		t.Errorf("ignored are %x, %v", ignored, err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}
