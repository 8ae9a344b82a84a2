// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/frontd/config"
	"nuconntrack/policy"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

const (
	readmeFile = "../../README.md"
	killedFile = "../../docs/killed.md"
)

// blocks are the pieces of the README between fences with this language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	b, err := os.ReadFile(readmeFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(b, -1) {
		all = append(all, string(m[1]))
	}
	if len(all) == 0 {
		t.Fatalf("the README has no %s", language)
	}
	return all
}

func TestReadmeConfigurationLoads(t *testing.T) {
	kinds := map[string]int{}
	for _, text := range blocks(t, "toml") {
		if strings.Contains(text, "[auth]") {
			kinds["frontd"]++
			if _, err := config.Parse([]byte(text), "README.md", config.Override{}); err != nil {
				t.Error(err)
			}
			continue
		}
		kinds["policy"]++
		rules, err := policy.Parse([]byte(text), "README.md")
		if err != nil {
			t.Error(err)
			continue
		}
		ssh := nstest.Target(unix.IPPROTO_TCP, "192.0.2.7:40000", "198.51.100.1:22")
		c := policy.Connection{Protocol: 6,
			Orig:  policy.Endpoints{Src: ssh.Orig.Src, Dst: ssh.Orig.Dst, HasPorts: true, SrcPort: 40000, DstPort: 22},
			Reply: policy.Endpoints{Src: ssh.Reply.Src, Dst: ssh.Reply.Dst, HasPorts: true, SrcPort: 22, DstPort: 40000}}
		if d := rules.Kill(c); d.Outcome != policy.OutcomeProtected {
			t.Errorf("the README's policy says %+v of SSH from the management network", d)
		}
	}
	if kinds["frontd"] == 0 || kinds["policy"] == 0 {
		t.Errorf("configurations in the README: %v", kinds)
	}
}

func TestReadmePython(t *testing.T) {
	t.Parallel()
	needsProgram(t, "python3", "python3")
	nstest.Run(t, func(t *testing.T) {
		track(t)
		w := newWorld(t, everything)
		serveTCP(t, "127.0.0.1:443")
		askTCP(t, "127.0.0.1:443")
		script := blocks(t, "python")[0]
		if lines := strings.Count(script, "\n"); lines > 6 {
			t.Errorf("a first call of %d lines", lines)
		}
		cmd := exec.Command("python3", "-I", "-c", script)
		w.Write(t, "password", "secret\n")
		cmd.Env = []string{"NUCTL_SERVER=http://" + rpcAddress, "NUCTL_USER=ann", "NUCTL_PASSWORD_FILE=" + w.Path("password"),
			"PATH=" + os.Getenv("PATH")}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "127.0.0.1 127.0.0.1 ESTABLISHED") {
			t.Errorf("%v: %s", err, out)
		}
		if strings.Contains(w.Frontd.Out.String(), "level=ERROR") {
			t.Error(w.Frontd.Out.String())
		}
	})
}

// killedRules are the commands of the document on killed connections that hold the words, made
// for connections of the firewall itself, as it says they can be.
func killedRules(t *testing.T, words string) []string {
	t.Helper()
	b, err := os.ReadFile(killedFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "    ") && strings.Contains(line, words) {
			line = strings.NewReplacer("FORWARD", "OUTPUT", "filter forward", "filter output").Replace(strings.TrimSpace(line))
			all = append(all, line)
		}
	}
	if len(all) == 0 {
		t.Fatalf("docs/killed.md has no command with %q", words)
	}
	return all
}

// TestKilledConnections shows what docs/killed.md says of killed TCP connections: that they are
// back with the next packet by default, and stay dead with any of the rules that it gives.
func TestKilledConnections(t *testing.T) {
	tests := map[string]struct {
		rules   []string // words by which to find the commands
		program string
		back    bool
	}{
		"plain rules":        {nil, "nft", true},
		"nft, SYN only":      {[]string{"nft insert rule inet filter forward 'ct state new tcp"}, "nft", false},
		"strict kernel":      {[]string{"nf_conntrack_tcp_loose=0", "forward ct state invalid"}, "nft", false},
		"iptables, SYN only": {[]string{"iptables  -I FORWARD"}, "iptables", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			needsProgram(t, "nft", "nftables")
			needsProgram(t, test.program, test.program)
			nstest.Run(t, func(t *testing.T) {
				shell(t, "nft add table inet filter")
				shell(t, "nft add chain inet filter output '{ type filter hook output priority 0; policy drop; }'")
				shell(t, "nft add rule inet filter output ct state established,related accept")
				shell(t, "nft add rule inet filter output ct state new accept")
				for _, words := range test.rules {
					for _, command := range killedRules(t, words) {
						shell(t, command)
					}
				}
				killOnce(t, test.back)
			})
		})
	}
}

// killOnce kills a TCP connection of which packets go on to be sent.
func killOnce(t *testing.T, back bool) {
	t.Helper()
	w := newWorld(t, everything)
	s := w.login(t)
	serveTCP(t, "127.0.0.1:5001")
	c, err := (&net.Dialer{KeepAlive: -1}).Dial("tcp", "127.0.0.1:5001")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	talk := func(within time.Duration) error {
		c.SetDeadline(time.Now().Add(within))
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
		_, err := io.ReadFull(c, make([]byte, 1))
		return err
	}
	if err := talk(daemontest.Patience); err != nil {
		t.Fatal(err)
	}
	there := filters{"proto": "tcp", "orig_port_dst": 5001}
	s.ok(t, "kill", list(s.one(t, there).key(t)))
	if back {
		if err := talk(daemontest.Patience); err != nil {
			t.Errorf("docs/killed.md says that it is back: %v", err)
		}
		s.one(t, there)
		return
	}
	// What is sent is dropped: no answer comes, and the kernel tracks nothing.
	if err := talk(time.Second); err == nil {
		t.Error("it is alive")
	}
	if rows := s.rows(t, there); len(rows) != 0 {
		t.Errorf("it is back: %v", rows)
	}
}

func shell(t *testing.T, command string) {
	t.Helper()
	if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
}
