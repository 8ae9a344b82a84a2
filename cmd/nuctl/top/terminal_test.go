// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// terminal is a real one: tmux, with a shell in it.
type terminal struct {
	t      *testing.T
	socket string
}

// firewall builds the programs and starts the demo: both daemons and traffic in namespaces of
// their own. It gives the programs' folder and the demo's file of settings.
func firewall(t *testing.T) (bin, env string) {
	t.Helper()
	bin = t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin+string(filepath.Separator),
		"nuconntrack/cmd/nuctl", "nuconntrack/cmd/nuconntrack-privd", "nuconntrack/cmd/nuconntrack-frontd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build programs: %v\n%s", err, out)
	}
	folder := filepath.Join(t.TempDir(), "demo")
	demo := exec.Command(filepath.Join(bin, "nuctl"), "demo", "--listen", "127.0.0.1:0", "--dir", folder)
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	demo.Stderr = &stderr
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		_ = demo.Wait()
	})
	var welcome strings.Builder
	for buf := make([]byte, 4096); !strings.Contains(welcome.String(), "Ctrl-C ends it"); {
		n, err := out.Read(buf)
		welcome.Write(buf[:n])
		if err != nil {
			t.Fatalf("demo: %v\n%s%s", err, welcome.String(), stderr.String())
		}
	}
	return bin, filepath.Join(folder, "env")
}

func openTerminal(t *testing.T, width, height int) *terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Fatal("tmux is not installed: apt-get install tmux")
	}
	// A socket's path must be short.
	folder, err := os.MkdirTemp("/tmp", "top")
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t, filepath.Join(folder, "s")}
	t.Cleanup(func() {
		term.tmux("kill-server")
		_ = os.RemoveAll(folder)
	})
	term.tmux("-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height),
		"env", "-u", "NO_COLOR", "LC_ALL=C.UTF-8", "PS1=ready> ", "HISTFILE=", "bash", "--norc", "--noprofile")
	return term
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (term *terminal) typed(text string) { term.tmux("send-keys", "-t", "t", "-l", text) }

func (term *terminal) press(keys ...string) {
	for _, key := range keys {
		term.tmux("send-keys", "-t", "t", key)
	}
}

// shows waits for a screen that matches.
func (term *terminal) shows(pattern string) []string {
	term.t.Helper()
	want := regexp.MustCompile(pattern)
	var screen string
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-poll.C {
		if screen = term.tmux("capture-pane", "-p", "-t", "t"); want.MatchString(screen) {
			return want.FindStringSubmatch(screen)
		}
	}
	term.t.Fatalf("waited in vain for %s; on the screen:\n%s", pattern, screen)
	return nil
}

// mode says whether the other screen is shown, whether the cursor is, and how the terminal
// treats what is typed.
func (term *terminal) mode() string {
	tty := term.tmux("display-message", "-p", "-t", "t", "#{pane_tty}")
	out, err := exec.Command("stty", "-a", "-F", tty).Output()
	if err != nil {
		term.t.Fatal(err)
	}
	return term.tmux("display-message", "-p", "-t", "t", "#{alternate_on} #{cursor_flag} #{keypad_flag} ") + string(out)
}

// TestTerminal is a session of an administrator: look, filter, mark, kill, stop, go on, quit.
func TestTerminal(t *testing.T) {
	bin, env := firewall(t)
	term := openTerminal(t, 100, 30)
	term.shows(`ready>`)
	term.typed(". " + env + "; PATH=" + bin + ":$PATH; clear; echo before")
	term.press("Enter")
	term.shows(`(?m)^before`)
	before := term.mode()
	if !strings.HasPrefix(before, "0 1 ") {
		t.Fatalf("a shell's terminal is in mode %q", before)
	}
	term.typed("nuctl top --interval 500ms; echo status=$?")
	term.press("Enter")
	term.shows(`nuctl top  admin \(admin\) at http://127\.0\.0\.1:\d+`)
	term.shows(`(?m)^  tcp .*ESTABLISHED`)
	if mode := term.mode(); !strings.HasPrefix(mode, "1 0 ") {
		t.Errorf("the table's terminal is in mode %q", mode)
	}

	term.typed("/tcp and dport 443 and state established and assured")
	term.press("Enter")
	term.shows(`nuctl list --sort byte_rate:desc 'tcp and dport 443 and state established and assured'`)
	term.shows(`read at .*\n(.*\n){3}(  tcp .*:443 .*\n)+`)
	term.typed("p ")
	term.shows(`PAUSED: .* 1 marked`)
	term.typed("k")
	victim := term.shows(`tcp (\S+) > (\S+)`)
	term.typed("y")
	term.shows(`1 of 1 killed`)
	term.press("Escape")
	term.shows(`(?m)^\? help`) // else the next letter would be one with Alt
	term.typed("p")
	term.shows(`every 500ms`)
	source := victim[1]
	term.shows(`ESTABLISHED`)
	if screen := term.tmux("capture-pane", "-p", "-t", "t"); strings.Contains(screen, source+" ") {
		t.Errorf("%s is still there:\n%s", source, screen)
	}

	term.tmux("resize-window", "-t", "t", "-x", "40", "-y", "8")
	term.shows(`60x12 is needed`)
	term.tmux("resize-window", "-t", "t", "-x", "80", "-y", "24")
	term.shows(`(?m)^  tcp .*ESTABLISHED`)

	term.press("C-z")
	term.shows(`Stopped`)
	if mode := term.mode(); !strings.HasPrefix(mode, "0 1 ") {
		t.Errorf("the stopped job's terminal is in mode %q", mode)
	}
	term.typed("fg")
	term.press("Enter")
	term.shows(`(?m)^  tcp .*ESTABLISHED`)
	term.typed("q")
	term.shows(`status=0\s+ready>$`)
	after := term.mode()
	if clean := regexp.MustCompile(`rows \d+; columns \d+`); clean.ReplaceAllString(after, "") != clean.ReplaceAllString(before, "") {
		t.Errorf("the terminal was left in mode\n%s\nbefore\n%s", after, before)
	}
	term.shows(`before`)
}

// TestTerminalAfterSignals: however it ends, the terminal is as it was.
func TestTerminalAfterSignals(t *testing.T) {
	bin, env := firewall(t)
	term := openTerminal(t, 80, 24)
	term.shows(`ready>`)
	term.typed(". " + env + "; PATH=" + bin + ":$PATH; clear")
	term.press("Enter")
	term.shows(`(?m)^ready>$`)
	before := term.mode()
	for _, c := range []struct{ name, end string }{
		{"SIGTERM", "TERM"}, {"SIGINT", "INT"}, {"Ctrl-C", ""},
	} {
		term.typed("nuctl top; echo ended by " + c.name)
		term.press("Enter")
		term.shows(`nuctl top  admin`)
		if c.end == "" {
			term.press("C-c")
		} else {
			child, err := exec.Command("pgrep", "-P", term.tmux("display-message", "-p", "-t", "t", "#{pane_pid}")).Output()
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(child)))
			if err != nil {
				t.Fatal(err)
			}
			signal := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT}[c.end]
			if err := syscall.Kill(pid, signal); err != nil {
				t.Fatal(err)
			}
		}
		term.shows(`(?m)^ended by ` + c.name + `\s+ready>$`)
		if after := term.mode(); after != before {
			t.Errorf("%s left the terminal in mode\n%s\nbefore\n%s", c.name, after, before)
		}
	}
}
