// SPDX-License-Identifier: GPL-2.0-or-later

package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/frontd/config"
	"nuconntrack/policy"
	"nuconntrack/privd/audit"
)

// program builds one of ours.
func program(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(daemontest.Built(t, name), name)
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var exposure = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+) `)

func TestExposure(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("this machine has no systemd-analyze")
	}
	for unit, most := range map[string]float64{"nuconntrack-privd.service": 1.1, "nuconntrack-frontd.service": 0.4} {
		t.Run(unit, func(t *testing.T) {
			out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", unit).CombinedOutput()
			found := exposure.FindSubmatch(out)
			if err != nil || found == nil {
				t.Fatalf("systemd-analyze: %v\n%s", err, out)
			}
			if level, err := strconv.ParseFloat(string(found[1]), 64); err != nil || level > most {
				t.Errorf("exposure %s, want %.1f at most\n%s", found[1], most, out)
			}
			for _, complaint := range []string{"Unknown key", "Failed to parse", "Invalid"} {
				if strings.Contains(string(out), complaint) {
					t.Errorf("the unit has a mistake:\n%s", out)
				}
			}
		})
	}
}

func TestPolicyIsUnderstood(t *testing.T) {
	// A checkout belongs to whoever made it: the program wants the file to be root's or the
	// caller's, and not writable for others.
	copied := filepath.Join(t.TempDir(), "policy.toml")
	if err := os.WriteFile(copied, []byte(read(t, "policy.toml")), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program(t, "nuconntrack-privd"), "--check-config", "--policy", copied).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rules, err := policy.Parse(out, "output")
	if err != nil {
		t.Fatalf("what is printed is no policy: %v\n%s", err, out)
	}
	for _, want := range []string{"allow = true", "ports = [22]", `protocols = ["tcp"]`} {
		if !strings.Contains(rules.String(), want) {
			t.Errorf("no %q in what the policy means:\n%s", want, rules)
		}
	}
}

func TestFrontdConfigIsUnderstood(t *testing.T) {
	out, err := exec.Command(program(t, "nuconntrack-frontd"), "--check-config", "--config", "frontd.toml").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c, err := config.Load("frontd.toml", config.Override{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Auth.Backend != config.BackendFile || c.Auth.File != "/etc/nuconntrack/passwd" {
		t.Errorf("lets in by %q, %q, want a password file", c.Auth.Backend, c.Auth.File)
	}
	if !slices.Equal(c.Hide, []string{"127.0.0.0/8", "::1"}) {
		t.Errorf("hides %q, want loopback", c.Hide)
	}
	if len(c.Listen) != 1 || !strings.Contains(read(t, "nuconntrack-frontd.socket"), "\nListenStream="+c.Listen[0].String()+"\n") {
		t.Errorf("the socket's port is not that of the configuration, %v", c.Listen)
	}
	if !strings.Contains(read(t, "nuconntrack-privd.socket"), "\nListenSequentialPacket="+c.Privd+"\n") {
		t.Errorf("the helper's socket is not that of the configuration, %s", c.Privd)
	}
}

func TestCatalogs(t *testing.T) {
	for file, head := range map[string]string{
		"nuconntrack.catalog":    "\n-- " + audit.MessageID + "\n",
		"nuconntrack.fr.catalog": "\n-- " + audit.MessageID + " fr\n",
	} {
		text := read(t, file)
		if !strings.Contains(text, head+"Subject: ") {
			t.Errorf("%s has no entry for the audit's MESSAGE_ID %s", file, audit.MessageID)
		}
	}
}

func TestNobodyIsRefusedByALimit(t *testing.T) {
	for file, wants := range map[string][]string{
		"nuconntrack-privd.service":  {"StartLimitIntervalSec=0", "LogRateLimitIntervalSec=0"},
		"nuconntrack-frontd.service": {"StartLimitIntervalSec=0"},
		"nuconntrack-privd.socket":   {"TriggerLimitIntervalSec=0"},
		"nuconntrack-frontd.socket":  {"TriggerLimitIntervalSec=0"},
	} {
		for _, want := range wants {
			if !strings.Contains(read(t, file), "\n"+want+"\n") {
				t.Errorf("%s has no %s", file, want)
			}
		}
	}
}

// TestUnitsRunWhatIsThere: the packages depend on nothing that has other programs; a Debian may be
// without kill(1). A reload looks before it sends the signal.
func TestUnitsRunWhatIsThere(t *testing.T) {
	for file, ours := range map[string]string{
		"nuconntrack-privd.service":  "/usr/sbin/nuconntrack-privd",
		"nuconntrack-frontd.service": "/usr/sbin/nuconntrack-frontd",
	} {
		var reload []string
		for line := range strings.Lines(read(t, file)) {
			key, command, _ := strings.Cut(strings.TrimSpace(line), "=")
			if !strings.HasPrefix(key, "Exec") {
				continue
			}
			if run, _, _ := strings.Cut(command, " "); run != ours && run != "+/bin/sh" {
				t.Errorf("%s runs %q", file, command)
			}
			if key == "ExecReload" {
				reload = append(reload, command)
			}
		}
		if want := []string{ours + " --check-config", `+/bin/sh -c "kill -HUP ${MAINPID}"`}; !slices.Equal(reload, want) {
			t.Errorf("a reload of %s runs %q, want %q", file, reload, want)
		}
	}
}
