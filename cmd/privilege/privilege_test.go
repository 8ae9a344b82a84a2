// SPDX-License-Identifier: GPL-2.0-or-later

package privilege

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

const (
	// childVariable makes the test's binary a program that becomes the user it holds.
	childVariable = "NUCONNTRACK_PRIVILEGE_CHILD"
	// keepVariable names the capability to keep.
	keepVariable = "NUCONNTRACK_PRIVILEGE_KEEP"
)

func TestMain(m *testing.M) {
	if user, ok := os.LookupEnv(childVariable); ok {
		os.Exit(child(user))
	}
	os.Exit(m.Run())
}

// child becomes what it is told on many threads, and prints the status of each.
func child(user string) int {
	var keep []cap.Value
	if name := os.Getenv(keepVariable); name != "" {
		v, err := cap.FromName(name)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		keep = append(keep, v)
	}
	ready, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	for range 8 {
		go func() {
			runtime.LockOSThread()
			ready <- struct{}{}
			<-end
		}()
		<-ready
	}
	if err := Become(Config{User: user, Keep: keep}); err != nil {
		fmt.Println(err)
		return 1
	}
	// What could be had again: by being root once more, or by executing something.
	if os.Getuid() != 0 && syscall.Setuid(0) == nil {
		fmt.Println("it could become root again")
		return 1
	}
	raised := cap.NewSet()
	if raised.SetFlag(cap.Permitted, true, cap.SYS_ADMIN) == nil && raised.SetProc() == nil {
		fmt.Println("it could take a capability again")
		return 1
	}
	tasks, err := os.ReadDir(tasksFolder)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for _, task := range tasks {
		b, err := os.ReadFile(tasksFolder + "/" + task.Name() + "/status")
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Printf("%s\n", b)
	}
	return 0
}

// run starts the child and gives what it printed.
func run(t *testing.T, user, keep string, attr *syscall.SysProcAttr) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	if attr != nil && attr.Credential != nil {
		// Another user cannot reach the binary where the go command puts it.
		cmd.Path = "/proc/self/exe"
	}
	cmd.Env = []string{childVariable + "=" + user, keepVariable + "=" + keep}
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// singleUser are namespaces as the demo and ordinary users have them.
func singleUser() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

const (
	netAdmin = "0000000000001000" // CAP_NET_ADMIN is bit 12
	none     = "0000000000000000"
)

// checkStatus wants every thread to be that user with those capabilities.
func checkStatus(t *testing.T, out, uid, gid, caps string) {
	t.Helper()
	threads := strings.Split(strings.TrimSpace(out), "Name:")[1:]
	if len(threads) < 9 {
		t.Fatalf("%d threads, want at least 9:\n%s", len(threads), out)
	}
	for _, status := range threads {
		lines := map[string]string{}
		for line := range strings.Lines(status) {
			key, value, _ := strings.Cut(line, ":")
			lines[key] = strings.Join(strings.Fields(value), " ")
		}
		for key, want := range map[string]string{
			"Uid":    strings.TrimSpace(strings.Repeat(uid+" ", 4)),
			"Gid":    strings.TrimSpace(strings.Repeat(gid+" ", 4)),
			"CapPrm": caps, "CapEff": caps, "CapInh": none, "CapAmb": none, "CapBnd": none, "NoNewPrivs": "1",
		} {
			if lines[key] != want {
				t.Errorf("thread %s: %s is %q, want %q", lines["Pid"], key, lines[key], want)
			}
		}
	}
}

func TestSelfInANamespaceOfOneUser(t *testing.T) {
	for keep, want := range map[string]string{"cap_net_admin": netAdmin, "": none} {
		out, err := run(t, Self, keep, singleUser())
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		checkStatus(t, out, "0", "0", want)
	}
}

func TestBecomingNobodyElseInANamespaceOfOneUser(t *testing.T) {
	out, err := run(t, "daemon", "cap_net_admin", singleUser())
	if err == nil || !strings.Contains(out, "user \"daemon\"") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestBecomeFromRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it becomes another user")
	}
	daemon, err := Lookup("daemon")
	if err != nil {
		t.Fatal(err)
	}
	uid, gid := strconv.Itoa(int(daemon.UID)), strconv.Itoa(int(daemon.GID))
	for _, c := range []struct{ user, keep, uid, gid, caps string }{
		{"daemon", "cap_net_admin", uid, gid, netAdmin},
		{"daemon", "", uid, gid, none},
		{uid, "cap_net_admin", uid, gid, netAdmin},
		{Self, "cap_net_admin", "0", "0", netAdmin},
		{"root", "", "0", "0", none},
		// A number that /etc/passwd does not have.
		{"3999999999", "cap_net_admin", "3999999999", "3999999999", netAdmin},
	} {
		t.Run(c.user+" with "+c.keep, func(t *testing.T) {
			out, err := run(t, c.user, c.keep, nil)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			checkStatus(t, out, c.uid, c.gid, c.caps)
			for line := range strings.Lines(out) {
				if groups, ok := strings.CutPrefix(line, "Groups:"); ok && c.uid != "0" && strings.TrimSpace(groups) != map[bool]string{true: gid}[c.uid == uid] {
					t.Errorf("groups %q", strings.TrimSpace(groups))
				}
			}
		})
	}
}

// systemd starts a daemon as its user, with ambient capabilities.
func TestAmbientCapability(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it starts a process as another user, with a capability")
	}
	attr := &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 1, Gid: 1},
		AmbientCaps: []uintptr{uintptr(cap.NET_ADMIN)},
	}
	out, err := run(t, Self, "cap_net_admin", attr)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Its bounding set it may not change. What it may inherit, which Go sets as systemd
	// does, Become leaves: with no_new_privs it is worth nothing.
	out = strings.ReplaceAll(out, "CapBnd:\t"+boundingOf(t), "CapBnd:\t"+none)
	out = strings.ReplaceAll(out, "CapInh:\t"+netAdmin, "CapInh:\t"+none)
	checkStatus(t, out, "1", "1", netAdmin)
}

func boundingOf(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "CapBnd:")
	if !ok {
		t.Fatal("no bounding set in /proc/self/status")
	}
	return strings.Fields(rest)[0]
}

func TestWhatCannotBeBecome(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it starts processes as another user")
	}
	stranger := func() *syscall.SysProcAttr {
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1, Gid: 1}}
	}
	for _, c := range []struct {
		name, user, keep string
		attr             *syscall.SysProcAttr
		want             string
	}{
		{"capability missing", Self, "cap_net_admin", stranger(), "cap_net_admin is missing: start as root"},
		{"not root", "games", "", stranger(), "only root can"},
		{"unknown name", "no-such-user", "", nil, "unknown user no-such-user"},
		{"number that means nobody", "4294967295", "", nil, "not a user id"},
		{"number too large", "4294967296", "", nil, "unknown user"},
		{"empty", "", "", nil, "unknown user"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := run(t, c.user, c.keep, c.attr)
			var exit *exec.ExitError
			if !errors.As(err, &exit) || !strings.Contains(out, c.want) {
				t.Errorf("%v: %q, want %q", err, out, c.want)
			}
		})
	}
}

func TestAssertSeesWhatIsLeft(t *testing.T) {
	good := "Uid:\t1 1 1 1\nGid:\t1\t1\t1\t1\nCapInh:\t" + none + "\nCapPrm:\t" + netAdmin + "\nCapEff:\t" + netAdmin +
		"\nCapAmb:\t" + none + "\nNoNewPrivs:\t1\n"
	good += "Groups:\t4 24 \n"
	want := state{uid: 1, gid: 1, caps: 1 << 12, account: &Account{Groups: []int{24, 4}}}
	if err := want.matches(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to string }{
		{"a group too many", "Groups:\t4 24", "Groups:\t0 4 24"},
		{"a group too few", "Groups:\t4 24", "Groups:\t4"},
		{"no line of groups", "Groups", "Group"},
		{"saved uid", "Uid:\t1 1 1 1", "Uid:\t1 1 0 1"},
		{"real gid", "Gid:\t1", "Gid:\t0"},
		{"inheritable", "CapInh:\t" + none, "CapInh:\t" + netAdmin},
		{"permitted", "CapPrm:\t" + netAdmin, "CapPrm:\t0000000000001001"},
		{"effective gone", "CapEff:\t" + netAdmin, "CapEff:\t" + none},
		{"ambient", "CapAmb:\t" + none, "CapAmb:\t" + netAdmin},
		{"new privileges", "NoNewPrivs:\t1", "NoNewPrivs:\t0"},
		{"line missing", "NoNewPrivs:\t1\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(good, c.from, c.to, 1)
			if bad == good || want.matches(bad) == nil {
				t.Errorf("accepted:\n%s", bad)
			}
		})
	}
}

func TestMapsOne(t *testing.T) {
	for in, want := range map[string]bool{
		"         0       1000          1\n": true,
		"1000 0 1\n":                         true,
		"         0          0 4294967295\n": false,
		"0 1000 1\n1 100000 65536\n":         false,
		"0 1000 1\n1 100000 1\n":             false,
		"":                                   false,
		"0 1000":                             false,
		string(bytes.Repeat([]byte("0 1 2\n"), 3)): false,
	} {
		if got := mapsOne(in); got != want {
			t.Errorf("%q: %t, want %t", in, got, want)
		}
	}
}
