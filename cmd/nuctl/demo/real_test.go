// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"errors"
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
	"nuconntrack/cmd/nuctl/client"
)

// buildPrograms builds the three programs as they are shipped.
func buildPrograms(t *testing.T) string {
	t.Helper()
	return daemontest.Built(t, daemontest.Nuctl, privdName, frontdName)
}

// password reads the welcome as a user does.
func (r *running) password(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^  Password +(\S+)$`).FindStringSubmatch(r.welcome)
	if found == nil {
		t.Fatalf("no password printed; output:\n%s%s", r.welcome, r.stderr)
	}
	return found[1]
}

// commands are what the welcome says to try.
func (r *running) commands() []string {
	var list []string
	for _, found := range regexp.MustCompile(`(?m)^  # .*\n  (.*)$`).FindAllStringSubmatch(r.welcome, -1) {
		list = append(list, found[1])
	}
	return list
}

// login logs in as the welcome says; wrong passwords do not.
func (r *running) login(t *testing.T) *client.Session {
	t.Helper()
	address, err := client.ParseAddress(r.address(t))
	if err != nil {
		t.Fatal(err)
	}
	c := client.New(client.Config{Server: address})
	for _, wrong := range []string{"", "admin", strings.ToLower(r.password(t))} {
		_, err := c.Login(t.Context(), user, wrong)
		wantFault(t, err, client.FaultAuthentication, "")
	}
	session, err := c.Login(t.Context(), user, r.password(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func wantFault(t *testing.T, err error, code int, text string) {
	t.Helper()
	var call *client.Error
	if !errors.As(err, &call) || call.Kind != client.Faulted || call.Code != code || !strings.Contains(call.Text, text) {
		t.Errorf("error %v, want fault %d with %q", err, code, text)
	}
}

type row map[string]any

func (r row) text(name string) string { s, _ := r[name].(string); return s }
func (r row) number(name string) int64 {
	switch v := r[name].(type) {
	case int64:
		return v
	case string:
		n, _ := strconv.ParseInt(v, 10, 64)
		return n
	}
	return 0
}

// list returns all connections that match.
func list(t *testing.T, s *client.Session, filters map[string]any) []row {
	t.Helper()
	var rows []row
	for page, err := range s.Pages(t.Context(), client.Query{Filters: filters}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			rows = append(rows, r)
		}
	}
	return rows
}

// eventually polls: nothing tells about changes of the kernel's table.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); !so(); <-poll.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// wantKinds waits until there is a row of each kind, all at once.
func wantKinds(t *testing.T, s *client.Session, rated bool) {
	t.Helper()
	moves := func(r row) bool { return !rated || r.number("byte_rate") > 0 && r.number("orig_counter_bytes") > 0 }
	for _, kind := range []struct {
		name    string
		filters map[string]any
		match   func(r row) bool
	}{
		{"TCP over IPv4", map[string]any{"proto": "tcp", "state": "established"}, func(r row) bool { return r.text("orig_ipv4_src") != "" }},
		{"TCP over IPv6", map[string]any{"proto": "tcp"}, func(r row) bool { return r.text("orig_ipv6_src") != "" }},
		{"UDP over IPv4", map[string]any{"proto": "udp"}, func(r row) bool { return r.text("orig_ipv4_src") != "" }},
		{"UDP over IPv6", map[string]any{"proto": "udp"}, func(r row) bool { return r.text("orig_ipv6_src") != "" }},
		{"ICMP", map[string]any{"proto": "icmp"}, func(r row) bool { return r.number("icmp_type") == 8 }},
		{"ICMPv6", map[string]any{"proto": "icmpv6"}, func(r row) bool { return r.number("icmp_type") == 128 }},
		{"source NAT", map[string]any{"snat": true, "orig_src": guests.String()}, func(r row) bool {
			return r.text("repl_ipv4_dst") == guestsOut.String()
		}},
		{"destination NAT", map[string]any{"dnat": true, "orig_dst": publicWeb4.Addr().String()}, func(r row) bool {
			return r.text("repl_ipv4_src") == hiddenWeb4.Addr().String() && r.number("repl_port_src") == int64(hiddenWeb4.Port())
		}},
		{"destination NAT of IPv6", map[string]any{"dnat": true, "orig_dst": publicWeb6.Addr().String()}, func(r row) bool {
			return r.text("repl_ipv6_src") == hiddenWeb6.Addr().String()
		}},
		{"ssh", map[string]any{"proto": "tcp", "orig_port_dst": "22", "state": "established"}, func(r row) bool { return true }},
	} {
		eventually(t, kind.name, func() bool {
			for _, r := range list(t, s, kind.filters) {
				if kind.match(r) && moves(r) {
					return true
				}
			}
			return false
		})
	}
}

// wantKills kills one connection, which goes, and may not kill ssh, which stays.
func wantKills(t *testing.T, s *client.Session) {
	t.Helper()
	steady := map[string]any{"proto": "tcp", "orig_port_dst": "5432", "state": "established", "assured": true}
	var before []row
	eventually(t, "steady connections", func() bool { before = list(t, s, steady); return len(before) >= 3 })
	victim := before[0].text("key")
	if err := s.Kill(t.Context(), []string{victim}); err != nil {
		t.Fatal(err)
	}
	var after map[string]bool
	eventually(t, "the killed connection is gone", func() bool {
		after = map[string]bool{}
		for _, r := range list(t, s, nil) {
			after[r.text("key")] = true
		}
		return !after[victim]
	})
	for _, r := range list(t, s, map[string]any{"orig_port_dst": "22"}) {
		wantFault(t, s.Kill(t.Context(), []string{r.text("key")}), client.FaultPolicy, "ssh")
		eventually(t, "ssh stays", func() bool {
			for _, now := range list(t, s, map[string]any{"orig_port_dst": "22"}) {
				if now.text("key") == r.text("key") {
					return true
				}
			}
			return false
		})
	}
	wantFault(t, s.Kill(t.Context(), []string{"kNoSuchKey"}), client.FaultParameters, "")
}

// TestDemo is what a visitor does, with the programs as they are shipped.
func TestDemo(t *testing.T) {
	r := startProgram(t, filepath.Join(t.TempDir(), "demo"), filepath.Join(buildPrograms(t), "nuctl"), "demo", "--for", "5m")
	session := r.login(t)
	wantKinds(t, session, true)
	wantKills(t, session)
	r.pasteCommands(t)
	if err := session.Close(); err != nil {
		t.Errorf("log out: %v", err)
	}
	r.wantCleanEnd(t, syscall.SIGINT)
}

// pasteCommands runs what is printed, in a shell that knows nothing of the demo.
func (r *running) pasteCommands(t *testing.T) {
	t.Helper()
	commands := r.commands()
	if len(commands) != 3 {
		t.Fatalf("commands to try: %q, want three", commands)
	}
	paste := func(command string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8"}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Log("there is no python3 to paste the first command for")
	} else if out, err := paste(commands[0]); err != nil || !regexp.MustCompile(`(?m)^\S+ \S+ \d+ \d+$`).MatchString(out) {
		t.Errorf("from Python: %v\n%s", err, out)
	}
	if out, err := paste(commands[1]); err != nil || strings.Count(out, "\ntcp ") != 10 {
		t.Errorf("list: %v\n%s", err, out)
	}
	if out, err := paste(commands[2]); err != nil || !strings.Contains(out, "1 connection killed") {
		t.Errorf("kill: %v\n%s", err, out)
	}
	refused := strings.Replace(commands[2], "--dport 443", "--dport 22", 1)
	if out, err := paste(refused); err == nil || !strings.Contains(out, "ssh") || !strings.Contains(out, "protected") {
		t.Errorf("kill of ssh: %v\n%s", err, out)
	}
}

// wantCleanEnd ends it with a signal, and wants neither a word nor anything left.
func (r *running) wantCleanEnd(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := r.waitEnd(t); err != nil || r.stderr.Len() > 0 {
		t.Errorf("ended with %v; standard error: %s", err, r.stderr)
	}
	r.wantNothingLeft(t)
}
