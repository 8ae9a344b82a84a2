// SPDX-License-Identifier: GPL-2.0-or-later

//go:build browser

package browser

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// address is where frontd listens, in a namespace of its own.
const address = "127.0.0.1:8580"

// IPS_ bits.
const (
	seenReply, assured = 1 << 1, 1 << 2
	srcNAT, dstNAT     = 1<<4 | 1<<7, 1<<5 | 1<<8
)

// A journey is a script of testdata, with what it needs of the world.
type journey struct {
	name, script string
	config       string // of frontd, beside where it listens; FOLDER is the place
	env          []string
	before       func(t *testing.T, w *daemontest.World) // nil: nothing
}

func journeys() []journey {
	return []journey{
		{name: "login", script: "login"},
		{name: "an ended session", script: "ended", config: "web_session_timeout = \"6s\"\n"},
		{name: "the table", script: "table"},
		{name: "kills and changes", script: "acts", env: []string{"SCRIPTS=on"}},
		{name: "kills and changes without scripts", script: "acts", env: []string{"SCRIPTS=off"}},
		{name: "roles", script: "roles"},
		{name: "other sites", script: "foreign"},
		{name: "refreshing", script: "live"},
		{name: "for everybody", script: "access"},
		{name: "over TLS", script: "cookies", before: overTLS, env: []string{"PAGE=https://127.0.0.1:8580"},
			config: "[tls]\ncert = \"FOLDER/cert.pem\"\nkey = \"FOLDER/key.pem\"\n"},
		{name: "behind a proxy", script: "cookies", before: behindProxy, env: []string{"PAGE=https://127.0.0.1:8443"},
			config: "[proxy]\nfrom = [\"127.0.0.1\"]\nclient_header = \"X-Forwarded-For\"\n"},
	}
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	for _, j := range journeys() {
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			nstest.Run(t, j.run)
		})
	}
}

func (j journey) run(t *testing.T) {
	nstest.Track(t)
	nstest.Label(t)
	nstest.Sysctl(t, "nf_conntrack_acct", "1")
	nstest.Sysctl(t, "nf_conntrack_timestamp", "1")
	nstest.Create(t, connections()...)
	w := daemontest.NewWorld(t)
	if j.before != nil {
		j.before(t, w)
	}
	config := fmt.Sprintf("listen = [%q]\n", address)
	serve(t, w, config+strings.ReplaceAll(j.config, "FOLDER", w.Dir))
	j.drive(t, w.Dir)
}

// drive runs the script, and gives it no more time than the test has.
func (j journey) drive(t *testing.T, home string) {
	t.Helper()
	ctx := context.Background()
	if deadline, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, "node", "testdata/"+j.script+".mjs")
	cmd.Env = append(os.Environ(), "PAGE=http://"+address, "PASSWORD="+password, "HOSTILE="+hostile, "HOME="+home, "TMPDIR="+home)
	cmd.Env = append(cmd.Env, j.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
		return
	}
	t.Logf("%s", out)
}

// connections are what the table has besides those of the browser: many of one kind, to turn pages
// of; with translated addresses and long ones; one of a user whose name is markup, with labels; a protected one.
func connections() []nstest.Connection {
	var all []nstest.Connection
	add := func(protocol uint8, src, dst string) *nstest.Connection {
		all = append(all, nstest.Connection{Target: nstest.Target(protocol, src, dst), Status: seenReply | assured, Timeout: 3000})
		return &all[len(all)-1]
	}
	for i := range 120 {
		add(unix.IPPROTO_TCP, fmt.Sprintf("192.0.2.%d:%d", i+1, 40000+i), "198.51.100.7:443").Mark = uint32(i+1) << 8
	}
	add(unix.IPPROTO_UDP, "192.0.2.9:5000", "203.0.113.53:53")
	named := add(unix.IPPROTO_TCP, "192.0.2.200:6000", "198.51.100.8:22")
	named.Mark, named.Labels = 7, 1<<63|1<<5|1
	source := add(unix.IPPROTO_TCP, "10.0.0.5:33333", "198.51.100.9:80")
	source.Status |= srcNAT
	source.Target.Reply.Dst, source.Target.Reply.DstPort = netip.MustParseAddr("192.0.2.254"), 61000
	dest := add(unix.IPPROTO_TCP, "[2001:db8:1111:2222:3333:4444:5555:6666]:54321", "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:443")
	dest.Status |= dstNAT
	dest.Target.Reply.Src, dest.Target.Reply.SrcPort = netip.MustParseAddr("fd00:1234:5678:9abc:def0:1234:5678:9abc"), 8443
	add(unix.IPPROTO_ICMP, "192.0.2.5:77", "198.51.100.7:0")
	return all
}
