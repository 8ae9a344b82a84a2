// SPDX-License-Identifier: GPL-2.0-or-later

package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"nuconntrack/cmd/privilege"
)

// hostVariable tells the process in the network namespace where the programs are.
const hostVariable = "NUCTL_HOST_TEST"

// TestHost takes a network namespace for the machine: never this machine's own table.
func TestHost(t *testing.T) {
	if os.Geteuid() != 0 || privilege.SingleUID() {
		t.Skip("needs root: daemons become other users")
	}
	if os.Getenv(hostVariable) == "" {
		cmd := exec.CommandContext(t.Context(), ownExecutable, "-test.run=^TestHost$", "-test.v")
		cmd.Env = append(os.Environ(), hostVariable+"="+buildPrograms(t))
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: TestHost ")) {
			t.Errorf("in the network namespace: %v\n%s", err, out)
		}
		return
	}
	if _, _, err := setUpNetwork(); err != nil {
		t.Fatal(err)
	}
	if err := addRules(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	traffic := make(chan error, 1)
	go func() { traffic <- runTraffic(ctx, true) }()
	t.Cleanup(func() {
		cancel()
		if err := <-traffic; err != nil {
			t.Error(err)
		}
	})
	t.Run("serves the table", hostServes)
	t.Run("killed", hostKilled)
	t.Run("inner process killed", hostInnerKilled)
	t.Run("not on loopback", hostBeyondLoopback)
}

// startHost starts it in a folder that the daemons' users can get to.
func startHost(t *testing.T, args ...string) *running {
	t.Helper()
	parent, err := os.MkdirTemp("", "nuctl-host-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	if err := os.Chmod(parent, 0o711); err != nil {
		t.Fatal(err)
	}
	return startProgram(t, filepath.Join(parent, "host"), filepath.Join(os.Getenv(hostVariable), "nuctl"), "host", args...)
}

func hostServes(t *testing.T) {
	acct := filepath.Join(trackingFolder, "nf_conntrack_acct")
	before, err := os.ReadFile(acct)
	if err != nil {
		t.Fatal(err)
	}
	r := startHost(t, "--for", "5m")
	session := r.login(t)
	wantKinds(t, session, false)
	wantKills(t, session)
	r.wantDropped(t)
	r.wantFilesApart(t)
	if after, err := os.ReadFile(acct); err != nil || !bytes.Equal(before, after) {
		t.Errorf("nf_conntrack_acct was %s, is %s, %v", before, after, err)
	}
	if err := session.Close(); err != nil {
		t.Errorf("log out: %v", err)
	}
	r.wantCleanEnd(t, syscall.SIGINT)
}

// daemon finds the process of a daemon, and what the kernel says about it.
func (r *running) daemon(t *testing.T, name string) (uid int, status string) {
	t.Helper()
	for _, pid := range r.pids(t) {
		folder := filepath.Join("/proc", strconv.Itoa(pid))
		line, err := os.ReadFile(filepath.Join(folder, "cmdline"))
		if err != nil || filepath.Base(strings.SplitN(string(line), "\x00", 2)[0]) != name {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, "status"))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?m)^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$`).FindSubmatch(text)
		if found == nil {
			t.Fatalf("%s: no uid in %s", name, text)
		}
		uid, _ := strconv.Atoi(string(found[1]))
		for _, id := range found[2:] {
			if string(id) != string(found[1]) {
				t.Errorf("%s: not all of one user: %s", name, found[0])
			}
		}
		return uid, string(text)
	}
	t.Fatalf("%s does not run", name)
	return 0, ""
}

// wantDropped wants both daemons to be somebody else, with no more than they need.
func (r *running) wantDropped(t *testing.T) {
	t.Helper()
	privd, privdStatus := r.daemon(t, privdName)
	frontd, frontdStatus := r.daemon(t, frontdName)
	if privd == 0 || frontd == 0 || privd == frontd || frontd == overflowID {
		t.Errorf("privd runs as uid %d, frontd as %d", privd, frontd)
	}
	for _, set := range []string{"CapPrm", "CapEff", "CapBnd"} {
		want := set + ":\t0000000000001000\n" // 1 << CAP_NET_ADMIN
		if set == "CapBnd" {
			want = set + ":\t0000000000000000\n"
		}
		if !strings.Contains(privdStatus, want) {
			t.Errorf("privd does not have %q:\n%s", want, privdStatus)
		}
		if want := set + ":\t0000000000000000\n"; !strings.Contains(frontdStatus, want) {
			t.Errorf("frontd does not have %q:\n%s", want, frontdStatus)
		}
	}
	for _, account := range []int{privd, frontd} {
		a, err := privilege.Lookup(strconv.Itoa(account))
		if err != nil || !strings.Contains(r.welcome, "as "+a.Name+",") {
			t.Errorf("the welcome does not say that uid %d (%v) is used:\n%s", account, err, r.welcome)
		}
	}
}

// wantFilesApart tries every file as every user.
func (r *running) wantFilesApart(t *testing.T) {
	t.Helper()
	privd, _ := r.daemon(t, privdName)
	frontd, _ := r.daemon(t, frontdName)
	stranger := 65533
	for file, who := range map[string][]int{
		"policy.toml": {privd}, "frontd.toml": {frontd}, "passwd": {frontd},
		"password": nil, "env": nil, "privd.log": nil, "frontd.log": nil,
		"": nil, "privd": {privd, frontd},
	} {
		path := filepath.Join(r.dir, file)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != 0 && file != "privd" || info.Mode().Perm()&0o022 != 0 {
			t.Errorf("%s belongs to uid %d, mode %v: others may write it", path, owner, info.Mode())
		}
		for _, uid := range []int{privd, frontd, stranger} {
			gid := uid
			if a, err := privilege.Lookup(strconv.Itoa(uid)); err == nil && a.Listed {
				gid = int(a.GID)
			}
			want := false
			for _, w := range who {
				want = want || w == uid
			}
			if got := readableAs(uid, gid, path); got != want {
				t.Errorf("uid %d reads %q: %v, want %v", uid, path, got, want)
			}
		}
	}
	if socket := filepath.Join(r.dir, "privd", "privd.sock"); connectableAs(stranger, stranger, socket) || !connectableAs(frontd, frontd, socket) {
		t.Error("the helper's socket is not open to frontd's user alone")
	}
}

func as(uid, gid int, program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return cmd.Run()
}

func readableAs(uid, gid int, path string) bool {
	return as(uid, gid, "ls", path+"/.") == nil || as(uid, gid, "cat", path) == nil
}

// connectableAs looks at the permission that connect(2) wants, on a path that has to be passed.
func connectableAs(uid, gid int, path string) bool { return as(uid, gid, "test", "-w", path) == nil }

func hostKilled(t *testing.T) {
	r := startHost(t)
	r.address(t)
	r.cmd.Process.Kill()
	r.waitEnd(t)
	r.wantNothingLeft(t)
}

// The daemons changed their users, so the kernel does not end them with their parent.
func hostInnerKilled(t *testing.T) {
	r := startHost(t)
	r.address(t)
	for _, pid := range r.pids(t) {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && bytes.Contains(line, []byte("\x00inside\x00")) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if err := r.waitEnd(t); err == nil || !strings.Contains(r.stderr.String(), "killed") {
		t.Errorf("ended with %v; standard error: %s", err, r.stderr)
	}
	r.wantNothingLeft(t)
}

func hostBeyondLoopback(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "192.0.2.1:0", "[::]:0"} {
		r := startHost(t, "--listen", address)
		if err := r.waitEnd(t); err == nil || !strings.Contains(r.stderr.String(), "others than this machine") {
			t.Errorf("%s: ended with %v; standard error: %s", address, err, r.stderr)
		}
		r.wantNothingLeft(t)
	}
}

func TestHostNeedsRoot(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), ownExecutable, "host")
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65533, Gid: 65533}}
	}
	ordinary, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("an ordinary user was served")
	}
	alone, err := inNamespace(t, syscall.CLONE_NEWNET, "host")
	if err == nil {
		t.Error("the root of a namespace of one user was served")
	}
	for _, out := range []string{string(ordinary), alone} {
		if !strings.Contains(out, "for root only") || !strings.Contains(out, "nuctl demo") {
			t.Errorf("does not say what is wrong and how to go on: %s", out)
		}
	}
}

func TestChooseAccounts(t *testing.T) {
	account := func(uid, gid uint32) privilege.Account { return privilege.Account{UID: uid, GID: gid, Listed: true} }
	for _, test := range []struct {
		name          string
		users         map[string]privilege.Account
		frontd, privd string // "": an error
	}{
		{"users of the packages", map[string]privilege.Account{"nuconntrack": account(990, 990), "nuconntrack-privd": account(991, 991),
			"bin": account(2, 2), "daemon": account(1, 1)}, "nuconntrack", "nuconntrack-privd"},
		{"one of them", map[string]privilege.Account{"nuconntrack-privd": account(991, 991), "bin": account(2, 2), "daemon": account(1, 1)},
			"daemon", "nuconntrack-privd"},
		{"users of every system", map[string]privilege.Account{"bin": account(2, 2), "daemon": account(1, 1)}, "daemon", "bin"},
		{"one uid", map[string]privilege.Account{"nuconntrack": account(5, 5), "nuconntrack-privd": account(5, 6)}, "", ""},
		{"one group", map[string]privilege.Account{"nuconntrack": account(5, 6), "nuconntrack-privd": account(4, 6), "sys": account(3, 3)},
			"nuconntrack", "sys"},
		{"root under another name", map[string]privilege.Account{"daemon": account(0, 1), "games": account(5, 0), "bin": account(2, 2)}, "", ""},
		{"nobody", map[string]privilege.Account{"daemon": account(65534, 1), "games": account(5, 65534), "bin": account(2, 2)}, "", ""},
		{"number instead of a user", map[string]privilege.Account{"daemon": {UID: 1, GID: 1}, "bin": account(2, 2)}, "", ""},
		{"none for privd", map[string]privilege.Account{"daemon": account(1, 1)}, "", ""},
		{"none", nil, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			frontd, privd, err := chooseAccounts(func(name string) (privilege.Account, error) {
				a, ok := test.users[name]
				if !ok {
					return a, errors.New("no such user")
				}
				a.Name = name
				return a, nil
			})
			if test.frontd == "" {
				if err == nil || !strings.Contains(err.Error(), "useradd") {
					t.Errorf("chose %v and %v, error %v", frontd, privd, err)
				}
				return
			}
			if err != nil || frontd.Name != test.frontd || privd.Name != test.privd {
				t.Errorf("chose %q and %q, error %v", frontd.Name, privd.Name, err)
			}
		})
	}
}

func TestCallerOfSudo(t *testing.T) {
	for text, want := range map[string]int{"": 0, "0": 0, "1000": 1000, "-1": 0, "root": 0, "4294967295": 0, "1000 ": 0} {
		if got := caller(text); got != want {
			t.Errorf("SUDO_UID=%q: %d, want %d", text, got, want)
		}
	}
}

func TestNothingTracked(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       bool
	}{
		{"no such file", "", true},
		{"none", "0\n", true},
		{"some", "10\n", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			if test.text != "" {
				if err := os.WriteFile(filepath.Join(folder, "nf_conntrack_count"), []byte(test.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := nothingTracked(folder); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
