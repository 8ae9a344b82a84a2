// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nuconntrack/frontd/auth/passwd"
	"nuconntrack/policy"
)

func TestFilesAreGoodForTheDaemons(t *testing.T) {
	p, err := makePlace(filepath.Join(t.TempDir(), "demo"), "127.0.0.1:8580", demoSetting())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(p.policy())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Parse(text, p.policy()); err != nil {
		t.Errorf("policy: %v", err)
	}
	text, err = os.ReadFile(p.users())
	if err != nil {
		t.Fatal(err)
	}
	users, err := passwd.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	hash, _, _ := users.Lookup(user)
	digest, err := passwd.ParseDigest(hash)
	if err != nil {
		t.Fatal(err)
	}
	password, err := os.ReadFile(p.passwordFile())
	if err != nil {
		t.Fatal(err)
	}
	if !digest.Verify(strings.TrimSuffix(string(password), "\n")) {
		t.Error("the password file's password does not log in")
	}
	if digest.Verify("") || digest.Verify("admin") {
		t.Error("another password logs in")
	}
	if err := p.remove(); err != nil {
		t.Fatal(err)
	}
	if err := p.remove(); err != nil {
		t.Errorf("second time: %v", err)
	}
}

func TestPasswordsDiffer(t *testing.T) {
	var passwords []string
	for range 2 {
		p, err := makePlace(filepath.Join(t.TempDir(), "demo"), "127.0.0.1:8580", demoSetting())
		if err != nil {
			t.Fatal(err)
		}
		passwords = append(passwords, p.password)
	}
	if passwords[0] == passwords[1] || len(passwords[0]) < 20 {
		t.Errorf("passwords %q", passwords)
	}
}

// A pasted command must keep its words, whatever the folder is called.
func TestCommandsCanBePasted(t *testing.T) {
	p := place{dir: filepath.Join(t.TempDir(), `it's a "demo" $HOME`), password: "secret"}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const address = "127.0.0.1:8580"
	if err := os.WriteFile(p.environment(), []byte(environmentText(p, address)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, host := range []bool{false, true} {
		p.setting.host = host
		for i, trial := range trials(p, address) {
			if strings.Contains(trial.command, p.password) {
				t.Errorf("command %d shows the password to all users: %s", i, trial.command)
			}
			if strings.Contains(trial.command, "\n") {
				t.Errorf("command %d has more than one line: %s", i, trial.command)
			}
			// The shell says what it makes of the words, python of the program.
			want := `"` + strings.ReplaceAll(p.passwordFile(), `"`, `\"`) + `"`
			script := `python3() { printf '%s\n' "$2" | sed 's/.*open(//;s/).readline.*//'; }; ` + trial.command
			if i > 0 {
				want = "http://127.0.0.1:8580 admin " + p.passwordFile()
				script = strings.SplitN(trial.command, ";", 2)[0] + `; printf '%s %s %s\n' "$NUCTL_SERVER" "$NUCTL_USER" "$NUCTL_PASSWORD_FILE"`
			}
			out, err := exec.Command("sh", "-c", script).CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != want {
				t.Errorf("command %d: %s, %v, want %s", i, got, err, want)
			}
		}
	}
}

func TestTideStaysInBounds(t *testing.T) {
	for _, test := range []struct {
		name  string
		tide  tide
		steps float64
		most  int
	}{
		{"zero value", tide{}, 1, 1},
		{"no wave", tide{average: 1000}, 0, 1000},
		{"always up", tide{average: 1000, period: time.Minute}, 1, 3800},
		{"always down", tide{average: 1000, period: time.Minute}, -1, 950},
		{"far too much", tide{average: 1e12, period: time.Minute}, 1, maxBurst},
	} {
		t.Run(test.name, func(t *testing.T) {
			for second := range 600 {
				got := test.tide.burst(time.Duration(second)*time.Second, time.Second, test.steps, 1)
				if second > 20 && got > test.most || got < 1 || got > maxBurst {
					t.Fatalf("at %d s: %d bytes, want 1 to %d", second, got, test.most)
				}
			}
		})
	}
}

func TestLogStartsAgainWhenFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	log, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	for range 2*maxLog/len(chunk) + 1 {
		if _, err := log.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Write([]byte("the end\xff\n")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxLog || info.Size() < int64(len(chunk)) {
		t.Errorf("log: %v, %v", info.Size(), err)
	}
	if tail := log.tail(); !strings.HasSuffix(tail, "the end?") || len(tail) > maxTail+1 {
		t.Errorf("tail has %d bytes and ends %q", len(tail), tail[len(tail)-10:])
	}
}

func TestDaemonsAreFound(t *testing.T) {
	good, noExec, folder := t.TempDir(), t.TempDir(), t.TempDir()
	for _, name := range []string{privdName, frontdName} {
		if err := os.WriteFile(filepath.Join(good, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(noExec, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, dir, path string
		found           bool
	}{
		{"given folder", good, "", true},
		{"PATH", "", noExec + ":" + good, true},
		{"given folder does not fall back to PATH", noExec, good, false},
		{"not executable", noExec, "", false},
		{"folders of that name", folder, "", false},
		{"no such folder", filepath.Join(good, "none"), "", false},
		{"empty PATH element", "", ":", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(good)
			t.Setenv("PATH", test.path)
			bins, err := findDaemons(test.dir)
			if found := err == nil; found != test.found {
				t.Fatalf("found %v, error %v", bins, err)
			}
			if test.found && bins.frontd != filepath.Join(good, frontdName) {
				t.Errorf("frontd is %s", bins.frontd)
			}
		})
	}
}

func TestTrackingSettingsThatCannotBeMade(t *testing.T) {
	folder := t.TempDir() // has only one of them
	if err := os.WriteFile(filepath.Join(folder, "nf_conntrack_acct"), []byte("0"), 0o644); err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(setTracking(folder), "\n")
	if strings.Contains(notes, "nf_conntrack_acct") {
		t.Errorf("notes about what could be set: %s", notes)
	}
	if !strings.Contains(notes, "no start times: nf_conntrack_timestamp cannot be set (no such file or directory)") {
		t.Errorf("notes are %q", notes)
	}
}

func TestWildcardListenerIsCalledOnLoopback(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1:80",
		"0.0.0.0:80":   "127.0.0.1:80",
		"[::]:80":      "127.0.0.1:80",
		":80":          "127.0.0.1:80",
		"[::1]:80":     "[::1]:80",
	} {
		if got := dialable(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// Every client and server must have an address in the namespace.
func TestTrafficStaysOnItsOwnAddresses(t *testing.T) {
	var all []netip.Addr
	for _, kind := range steadyRoutes() {
		for _, r := range kind.routes {
			all = append(all, r.from, r.to.Addr())
		}
	}
	for _, s := range append(append([]netip.AddrPort{}, tcpServers...), udpServers...) {
		all = append(all, s.Addr())
	}
	for _, r := range dnatRules {
		all = append(all, r.from.Addr(), r.to.Addr())
	}
	for _, a := range all {
		local := false
		for _, n := range ipv4Networks {
			local = local || n.Contains(a)
		}
		for _, h := range ipv6Hosts {
			local = local || h == a
		}
		if !local {
			t.Errorf("%s is not an address of the namespace", a)
		}
	}
}
