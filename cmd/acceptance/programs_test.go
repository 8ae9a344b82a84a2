// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// smallest is the smallest useful frontd.toml of API.md.
const smallest = `listen = ["127.0.0.1:8580"]            # or "unix:/run/nuconntrack/frontd.sock"
privd  = "/run/nuconntrack-privd/privd.sock"

[auth]
backend = "file"                       # none | file | ldap | proxy | tls
file    = "/etc/nuconntrack/passwd"
`

// wholePolicy is the policy of API.md.
const wholePolicy = `[kill]
allow = true
rate  = 1000          # a second, on average
burst = 20000         # kills, changes and refused attempts all spend from this bucket

[change]
allow       = true
mark_mask   = "0xffffffff"      # a change of any bit outside is refused
timeout_min = 10                # shorter ones are kills in disguise
timeout_max = 432000

[dump]
duty = 0.5            # share of the time that may be spent reading the table

[[protect]]                     # never killed, never changed
name      = "management"
addresses = ["192.0.2.0/24", "2001:db8::/32"]
ports     = [22]
protocols = ["tcp"]
`

// placed puts the paths of a test in the place of the system's.
func (w *world) placed(config string) string {
	return strings.NewReplacer("/run/nuconntrack-privd/", w.Dir+"/", "/etc/nuconntrack/", w.Dir+"/").Replace(config)
}

// TestSmallestConfigurationServes starts frontd with what API.md calls the smallest
// useful file, apart from its paths, and logs in.
func TestSmallestConfigurationServes(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		nstest.Create(t, nstest.Connection{Target: nstest.Target(unix.IPPROTO_TCP, "192.0.2.1:1000", "198.51.100.1:80")})
		w := emptyWorld(t)
		w.Write(t, "frontd.toml", w.placed(smallest))
		w.Write(t, "policy.toml", "zones = [0]\n"+wholePolicy)
		for _, hash := range [...]string{"bcrypt", "argon2id"} {
			w.SetPassword(t, hash, password, "--hash", hash)
		}
		if info, err := os.Stat(w.Path("passwd")); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("password file: mode %v, %v; want 0640", info.Mode(), err)
		}
		w.StartPrivd(t)
		w.Frontd = daemontest.StartDaemon(t, daemontest.Command(daemontest.Frontd, "--config", w.Path("frontd.toml")))
		c := newClient(t, rpcAddress)
		for _, user := range [...]string{"bcrypt", "argon2id"} {
			c.want(t, 1, "authentication", "login", user, "wrong")
			c.login(t, user, password).one(t, nil)
		}
		c.want(t, 1, "authentication", "login", "nobody", password)
		// nuctl adds and removes users while frontd runs.
		if code, _, errs := command(t, "", daemontest.Nuctl, "passwd", "--file", w.Path("passwd"), "--delete", "bcrypt"); code != 0 {
			t.Fatalf("nuctl passwd --delete: %s", errs)
		}
		c.want(t, 1, "authentication", "login", "bcrypt", password)
		c.login(t, "argon2id", password)
	})
}

// TestFlagsOverrideTheFile: --listen and --privd stand above their keys.
func TestFlagsOverrideTheFile(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		w := emptyWorld(t)
		w.Write(t, "frontd.toml", "listen = [\"192.0.2.1:1\"]\nprivd = \"/nowhere\"\nallow_plaintext = true\n[auth]\nbackend = \"none\"\n")
		w.StartPrivd(t)
		w.Frontd = daemontest.StartDaemon(t, daemontest.Command(daemontest.Frontd, "--config", w.Path("frontd.toml"),
			"--listen", "unix:"+w.Path("frontd.sock"), "--privd", w.Path("privd.sock")))
		w.login(t).rows(t, nil)
	})
}

// TestExitCodes runs the daemons with what is good and bad, as scripts do.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	file := func(name, text string) string {
		w.Write(t, name, text)
		return w.Path(name)
	}
	writable := file("writable.toml", wholePolicy)
	if err := os.Chmod(writable, 0o666); err != nil {
		t.Fatal(err)
	}
	none := "[auth]\nbackend = \"none\"\n"
	overflow, err := os.ReadFile("/proc/sys/kernel/overflowuid")
	if err != nil {
		t.Fatal(err)
	}
	frontd := func(args ...string) []string { return append([]string{daemontest.Frontd}, args...) }
	privd := func(args ...string) []string { return append([]string{daemontest.Privd}, args...) }
	checkFrontd := func(name, text string) []string {
		return frontd("--check-config", "--config", file(name+".frontd.toml", text))
	}
	checkPrivd := func(name, text string) []string {
		return privd("--check-config", "--policy", file(name+".policy.toml", text))
	}
	for name, test := range map[string]struct {
		args []string
		code int
		says string // on standard output with code 0, else on standard error
	}{
		"frontd: version":                {frontd("--version"), 0, daemontest.Frontd},
		"frontd: good":                   {checkFrontd("good", smallest), 0, "127.0.0.1:8580"},
		"frontd: no file":                {frontd("--check-config", "--config", w.Path("none")), 2, "none"},
		"frontd: folder for a file":      {frontd("--check-config", "--config", w.Dir), 2, w.Dir},
		"frontd: unknown flag":           {frontd("--verbose"), 2, "verbose"},
		"frontd: argument":               {frontd("start"), 2, "start"},
		"frontd: unknown key":            {checkFrontd("key", "colour = 1\n"+smallest), 2, "colour"},
		"frontd: line of an unknown key": {checkFrontd("line", "\n\n\ncolour = 1\n"+smallest), 2, "4"},
		"frontd: wrong type":             {checkFrontd("type", "max_page = \"many\"\n"+smallest), 2, "max_page"},
		"frontd: out of bounds":          {checkFrontd("bounds", "max_page = 0\n"+smallest), 2, "max_page"},
		"frontd: not TOML":               {checkFrontd("toml", "listen = [\n"), 2, "toml.frontd.toml"},
		"frontd: unknown backend":        {checkFrontd("backend", "[auth]\nbackend = \"guess\"\n"), 2, "guess"},
		"frontd: no backend":             {checkFrontd("nobackend", "max_page = 5\n"), 2, "auth"},
		"frontd: file without a file":    {checkFrontd("nofile", "[auth]\nbackend = \"file\"\n"), 2, "file"},
		"frontd: none for everybody":     {checkFrontd("none", "listen = [\"0.0.0.0:8580\"]\nallow_plaintext = true\n"+none), 2, "none"},
		"frontd: none on loopback":       {checkFrontd("loopback", none), 0, "none"},
		"frontd: plain text for others":  {checkFrontd("plain", strings.Replace(smallest, "127.0.0.1", "192.0.2.1", 1)), 2, "allow_plaintext"},
		"frontd: bad address":            {frontd("--check-config", "--listen", "localhost", "--config", file("a.toml", none)), 2, "localhost"},
		"frontd: relative socket":        {checkFrontd("relative", "privd = \"privd.sock\"\n"+none), 2, "privd"},
		"frontd: address of others":      {frontd("--listen", "unix:"+w.Path("no/such/folder.sock"), "--config", file("c.toml", "user = \"self\"\n"+none)), 1, "no/such"},
		"frontd: help":                   {frontd("--help"), 0, "-check-config"},
		"privd: version":                 {privd("--version"), 0, daemontest.Privd},
		"privd: help":                    {privd("--help"), 0, "-policy"},
		"privd: good":                    {checkPrivd("good", wholePolicy), 0, "management"},
		"privd: good with zones":         {checkPrivd("zones", "zones = [0]\n"+wholePolicy), 0, "zones"},
		"privd: no file":                 {privd("--check-config", "--policy", w.Path("none")), 0, "no such file"},
		"privd: unknown flag":            {privd("--verbose"), 2, "verbose"},
		"privd: argument":                {privd("start"), 2, "start"},
		"privd: negative time":           {privd("--idle-exit", "-1s"), 2, "idle-exit"},
		"privd: others may write":        {privd("--check-config", "--policy", writable), 2, "write"},
		"privd: folder for a file":       {privd("--check-config", "--policy", w.Dir), 2, w.Dir},
		"privd: unknown key":             {checkPrivd("key", "[kill]\ncolour = 1\n"), 2, "colour"},
		"privd: line of an unknown key":  {checkPrivd("line", "\n\n[kill]\ncolour = 1\n"), 2, "4"},
		"privd: wrong type":              {checkPrivd("type", "[kill]\nallow = 1\n"), 2, "allow"},
		"privd: rule without lists":      {checkPrivd("empty", "[[protect]]\nname = \"all\"\n"), 2, "all"},
		"privd: bad address":             {checkPrivd("address", "[[protect]]\nname = \"x\"\naddresses = [\"192.0.2.0/33\"]\n"), 2, "192.0.2.0/33"},
		"privd: mask too large":          {checkPrivd("mask", "[change]\nmark_mask = \"0x100000000\"\n"), 2, "mark_mask"},
		"privd: unknown user":            {privd("--peer-user", "no-such-user-here"), 2, "no-such-user-here"},
		"privd: the overflow uid":        {privd("--peer-user", strings.TrimSpace(string(overflow))), 2, "never served"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := command(t, "", test.args[0], test.args[1:]...)
			text, other := errs, out
			if test.code == 0 {
				text, other = out, errs
			}
			if code != test.code || !strings.Contains(text, test.says) || other != "" {
				t.Errorf("exit code %d, standard output:\n%s\nstandard error:\n%s\nwant %d and %q", code, out, errs, test.code, test.says)
			}
		})
	}
	if left, _ := filepath.Glob(w.Path("*.sock")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestPrivdWithoutTheCapability does not start, and says what is missing.
func TestPrivdWithoutTheCapability(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	if err := os.Chmod(w.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd := exec.Command(daemontest.Program(daemontest.Privd), "--user", "self", "--peer-user", "0", "--socket", w.Path("privd.sock"))
	cmd.Stderr = &errs
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: strangerUID, Gid: strangerUID}}
	}
	err := cmd.Run()
	if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(strings.ToLower(errs.String()), "cap_net_admin") {
		t.Errorf("%v, standard error %q; want exit code 2 and the capability's name", err, &errs)
	}
	if _, err := os.Stat(w.Path("privd.sock")); !os.IsNotExist(err) {
		t.Errorf("the socket is left behind: %v", err)
	}
}
