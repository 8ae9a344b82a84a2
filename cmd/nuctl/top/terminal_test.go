// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
)

// terminal is a real one: tmux, with a shell in it.
type terminal struct {
	t      *testing.T
	socket string
	asked  int
}

// firewall builds the programs and starts the demo: both daemons and traffic in namespaces of
// their own. It gives the programs' folder and the demo's file of settings.
func firewall(t *testing.T) (bin, env string) {
	t.Helper()
	bin = daemontest.Built(t, daemontest.Nuctl, daemontest.Privd, daemontest.Frontd)
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
	term := &terminal{t: t, socket: filepath.Join(folder, "s")}
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
	out, err := exec.Command("tmux", append([]string{"-u", "-S", term.socket}, args...)...).CombinedOutput()
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

// showsNot waits for a screen without the text.
func (term *terminal) showsNot(text string) {
	term.t.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); strings.Contains(term.tmux("capture-pane", "-p", "-t", "t"), text); <-poll.C {
		if time.Now().After(deadline) {
			term.t.Fatalf("%s is still on the screen", text)
		}
	}
}

// screens says which of the terminal's two screens is shown, and whether the cursor and the
// other keypad are.
func (term *terminal) screens() string {
	return term.tmux("display-message", "-p", "-t", "t", "#{alternate_on} #{cursor_flag} #{keypad_flag}")
}

// settings are how the terminal treats what is typed and shown, as a command of the shell finds
// them.
func (term *terminal) settings() string {
	term.asked++
	term.typed(fmt.Sprintf("echo settings %d $(stty -g | cksum) end", term.asked))
	term.press("Enter")
	found := term.shows(fmt.Sprintf(`settings %d (\d+ \d+) end\s+ready>$`, term.asked))
	return found[1] + " " + term.screens()
}

// TestTerminal is against the daemons, on a terminal of tmux.
func TestTerminal(t *testing.T) {
	bin, env := firewall(t)
	t.Run("session", func(t *testing.T) { session(t, bin, env) })
	t.Run("signals", func(t *testing.T) { signals(t, bin, env) })
}

// session is one of an administrator: look, filter, mark, kill, stop, go on, quit.
func session(t *testing.T, bin, env string) {
	term := openTerminal(t, 100, 30)
	term.shows(`ready>`)
	term.typed(". " + env + "; PATH=" + bin + ":$PATH; clear; echo before")
	term.press("Enter")
	term.shows(`(?m)^before`)
	before := term.settings()
	if !strings.HasSuffix(before, " 0 1 0") {
		t.Fatalf("a shell's terminal is in mode %q", before)
	}
	term.typed("nuctl top --interval 500ms")
	term.press("Enter")
	term.shows(`nuctl top  admin \(admin\) at http://127\.0\.0\.1:\d+`)
	term.shows(`(?m)^  tcp .*ESTABLISHED`)
	if mode := term.screens(); !strings.HasPrefix(mode, "1 0 ") {
		t.Errorf("the table's terminal is in mode %q", mode)
	}

	term.typed("/tcp and dport 443 and state established and assured")
	term.press("Enter")
	term.shows(`nuctl list --sort byte_rate:desc 'tcp and dport 443 and state established and assured'`)
	term.shows(`[\d,]+ of [\d,]+ connections\n`) // else these are still the rows of before
	term.shows(`read at .*\n(.*\n){3}(  tcp .*:443 .*\n)+`)
	term.typed("p ")
	term.shows(`PAUSED: .* 1 marked`)
	term.typed("k")
	victim := term.shows(`(?s)that you have marked\?.*?tcp (\S+) > (\S+)`)
	term.typed("y")
	term.shows(`1 of 1 killed`)
	term.press("Escape")
	term.shows(`(?m)^\? help`) // else the next letter would be one with Alt
	term.typed("p")
	term.shows(`every 500ms`)
	source, _, _ := strings.Cut(victim[1], "->")
	term.showsNot(source)

	term.tmux("resize-window", "-t", "t", "-x", "40", "-y", "8")
	term.shows(`60x12 is needed`)
	term.tmux("resize-window", "-t", "t", "-x", "80", "-y", "24")
	term.shows(`(?m)^  tcp .*ESTABLISHED`)

	term.press("C-z")
	term.shows(`Stopped`)
	if mode := term.settings(); mode != before {
		t.Errorf("the stopped job's terminal is in mode %q, before in %q", mode, before)
	}
	term.typed("fg")
	term.press("Enter")
	term.shows(`(?m)^  tcp .*ESTABLISHED`)
	term.typed("q")
	term.shows(`nuctl top --interval 500ms\s+ready>$`)
	term.typed("echo status=$?")
	term.press("Enter")
	term.shows(`status=0\s+ready>$`)
	if after := term.settings(); after != before {
		t.Errorf("the terminal was left in mode %q, before in %q", after, before)
	}
	term.shows(`(?m)^before`) // what was there before top is there again
}

// signals end it; however it ends, the terminal is as it was.
func signals(t *testing.T, bin, env string) {
	term := openTerminal(t, 80, 24)
	term.shows(`ready>`)
	term.typed(". " + env + "; PATH=" + bin + ":$PATH; clear")
	term.press("Enter")
	term.shows(`(?m)^ready>$`)
	before := term.settings()
	for _, c := range []struct{ name, end string }{
		{"SIGTERM", "TERM"}, {"SIGINT", "INT"}, {"SIGHUP", "HUP"}, {"Ctrl-C", ""},
	} {
		term.typed("nuctl top; echo ended by " + c.name + ", status $?")
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
			signal := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP}[c.end]
			if err := syscall.Kill(pid, signal); err != nil {
				t.Fatal(err)
			}
		}
		term.shows(`(?m)^ended by ` + c.name + `, status 0\s+ready>$`) // as with top and htop
		if after := term.settings(); after != before {
			t.Errorf("%s left the terminal in mode %q, before in %q", c.name, after, before)
		}
	}
}
