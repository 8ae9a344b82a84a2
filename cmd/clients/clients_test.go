// SPDX-License-Identifier: GPL-2.0-or-later

//go:build clients

package clients

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

// What becomes of an id that is sent in some way.
const (
	works   = "ok"     // the connection is gone
	faulted = "fault"  // fault -32602 says to send a string, and nothing happened
	refused = "client" // the library does not send it
)

// anyClient has what holds for every client.
var anyClient = map[string]string{"key": works, "string": works, "integer": works, "double": works, "negative": faulted}

// client is a way to use the daemon.
type client struct {
	name    string
	command []string // without address and user
	options []string // after them
	path    string
	kills   map[string]string // what differs from anyClient; "" is not done
	idType  string            // what the language calls an id; "" where it cannot tell
	nothing string            // what it prints for nothing
}

const (
	plain = "/RPC2"
	i8    = "/RPC2/i8"
	ex    = "/RPC2/ex"
)

func clients() []client {
	python := []string{"python3", "-I", "testdata/python.py"}
	perl := []string{"perl", "testdata/rpc_xml.pl"}
	ruby := []string{"ruby", "testdata/ruby.rb"}
	node := []string{"node", "testdata/node.js"}
	c := []string{daemontest.Program("xmlrpc_c")}
	kolo := []string{daemontest.Program("kolo")}
	tooLarge := map[string]string{"integer": refused}
	nodeKills := map[string]string{"double": ""} // its numbers have one type
	perlKills := map[string]string{"i8": works}
	cKills := map[string]string{"integer": "", "i8": works}
	koloKills := map[string]string{"int64": works}
	return []client{
		{"Python", python, nil, plain, tooLarge, "str", "True"},
		{"Python allow_none", python, []string{"allow_none"}, plain, tooLarge, "str", "True"},
		{"Python use_builtin_types", python, []string{"use_builtin_types"}, plain, tooLarge, "str", "True"},
		{"Python i8", python, nil, i8, tooLarge, "int", "None"},
		{"Python ex", python, nil, ex, tooLarge, "int", "None"},
		{"PHP xmlrpc", []string{"php", "testdata/php.php"}, nil, plain, map[string]string{"integer": faulted}, "string", "true"},
		{"Perl RPC::XML", perl, nil, plain, perlKills, "", "1"},
		{"Perl RPC::XML i8", perl, nil, i8, perlKills, "", "undef"},
		{"Perl Frontier::Client", []string{"perl", "testdata/frontier.pl"}, nil, plain, nil, "", "1"},
		{"Ruby", ruby, nil, plain, tooLarge, "String", "true"},
		{"Ruby i8", ruby, nil, i8, tooLarge, "Integer", "nil"},
		{"Node", node, nil, plain, nodeKills, "string", "true"},
		{"Node i8", node, nil, i8, nodeKills, "string", "null"},
		{"C xmlrpc-c", c, nil, plain, cKills, "string", "boolean"},
		{"C xmlrpc-c i8", c, nil, i8, cKills, "i8", "nil"},
		{"C xmlrpc-c ex", c, nil, ex, cKills, "i8", "nil"},
		{"Go kolo", kolo, nil, plain, koloKills, "string", "true"},
		{"Go kolo i8", kolo, nil, i8, koloKills, "int64", "<nil>"},
	}
}

func TestClients(t *testing.T) {
	t.Parallel()
	for _, c := range clients() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			nstest.Run(t, func(t *testing.T) { c.test(t) })
		})
	}
}

const (
	connections = 64 // about half of their ids are beyond 2^31
	page        = 8  // rows that a client looks at
)

func (c client) test(t *testing.T) {
	for i := range connections {
		nstest.Create(t, nstest.Connection{
			Target: nstest.Target(unix.IPPROTO_TCP, fmt.Sprintf("192.0.2.%d:%d", i+1, 50000+i), "198.51.100.7:443"),
			Status: []uint32{0, assured}[i%2], Timeout: 3600, Mark: 4294967295 - uint32(i)})
	}
	serve(t, "")
	before := list(t)
	want := slices.DeleteFunc(slices.Clone(before), func(e entry) bool { return e.id < 1<<31 })
	slices.SortFunc(want, func(a, b entry) int { return int(int64(b.mark) - int64(a.mark)) })
	if len(before) != connections || len(want) < page {
		t.Fatalf("%d connections, %d of them with a large id", len(before), len(want))
	}

	said := c.run(t)
	var rows []string
	for _, e := range want[:page] {
		rows = append(rows, fmt.Sprintf("row %d %s %d %s %d %d %s %d", e.id, e.src, e.sport, e.dst, e.dport, e.mark, e.state, e.assured))
	}
	said.is(t, "total", fmt.Sprintf("total %d", len(want)))
	said.is(t, "row", rows...)
	if c.idType != "" {
		said.is(t, "type", "type "+c.idType)
	}
	said.is(t, "nothing", "nothing "+c.nothing)
	said.is(t, "stale", fmt.Sprintf("stale %d %d", want[6].id, want[6].mark))
	said.is(t, "fresh", fmt.Sprintf("fresh %d 4026531841", want[6].id))
	said.is(t, "timeout", fmt.Sprintf("timeout %d 86400", want[7].id))
	if f := said["fault"]; len(f) != 1 || !strings.HasPrefix(f[0], "fault -32602 ") || !strings.Contains(f[0], "colour") {
		t.Errorf("fault: %q", f)
	}
	c.compare(t, before, c.killed(t, said["kill"]), want[6].id, want[7].id)
	if t.Failed() {
		t.Logf("it said\n%v", said)
	}
}

// killed checks what became of each way to name a connection, and gives the ids that are
// said to be gone.
func (c client) killed(t *testing.T, lines []string) (gone []uint32) {
	t.Helper()
	want := make(map[string]string)
	for _, all := range []map[string]string{anyClient, c.kills} {
		for way, outcome := range all {
			want[way] = outcome
		}
	}
	for _, line := range lines {
		words := strings.SplitN(line, " ", 6)
		if len(words) < 4 {
			t.Fatalf("it said %q", line)
		}
		way, outcome := words[1], words[3]
		if want[way] != outcome {
			t.Errorf("%s, want %q", line, want[way])
		}
		delete(want, way)
		id, err := strconv.ParseUint(words[2], 10, 32)
		if err != nil {
			t.Error(err)
		}
		switch {
		case outcome == works:
			gone = append(gone, uint32(id))
		case outcome == faulted && (words[4] != "-32602" || !strings.Contains(words[5], "string")):
			t.Errorf("the fault does not say what to do: %s", line)
		}
	}
	for way, outcome := range want {
		if outcome != "" {
			t.Errorf("no kill by %s", way)
		}
	}
	return gone
}

// compare wants the kernel to hold what it held, but for what the client was told.
func (c client) compare(t *testing.T, before []entry, gone []uint32, marked, timed uint32) {
	t.Helper()
	now := make(map[uint32]entry)
	for _, e := range list(t) {
		now[e.id] = e
	}
	for _, e := range before {
		got, there := now[e.id]
		if killed := slices.Contains(gone, e.id); killed == there {
			t.Errorf("%d was killed: %t; is there: %t", e.id, killed, there)
		}
		if !there {
			continue
		}
		if e.id == marked {
			e.mark = 4026531841
		}
		const slack = 600 // seconds
		least, most := uint32(3600-slack), uint32(3600)
		if e.id == timed {
			least, most = 86400-slack, 86400
		}
		if got.timeout < least || got.timeout > most {
			t.Errorf("%d ends in %d seconds", e.id, got.timeout)
		}
		if got.timeout = e.timeout; got != e {
			t.Errorf("now %+v, want %+v", got, e)
		}
	}
	if len(now) != len(before)-len(gone) {
		t.Errorf("%d connections, %d killed, %d left", len(before), len(gone), len(now))
	}
}

// lines are what a program printed, by their first words.
type lines map[string][]string

func (l lines) is(t *testing.T, word string, want ...string) {
	t.Helper()
	if !slices.Equal(l[word], want) {
		t.Errorf("it said\n%s\nwant\n%s", strings.Join(l[word], "\n"), strings.Join(want, "\n"))
	}
}

func (c client) run(t *testing.T) lines {
	t.Helper()
	args := append(slices.Clone(c.command[1:]), "http://"+address+c.path, user)
	cmd := exec.CommandContext(t.Context(), c.command[0], append(args, c.options...)...)
	cmd.Env = append(os.Environ(), "NUCT_PASSWORD="+password)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("%v\n%s%s", err, out, &errs)
	}
	said := make(lines)
	for line := range strings.Lines(string(out)) {
		word, _, _ := strings.Cut(line, " ")
		said[word] = append(said[word], strings.TrimSuffix(line, "\n"))
	}
	return said
}

// buildClients builds those that have to be.
func buildClients(dir string) error {
	flags, err := exec.Command("xmlrpc-c-config", "client", "--cflags", "--libs").Output()
	if err != nil {
		return fmt.Errorf("xmlrpc-c-config: %w", err)
	}
	cc := append([]string{"-Wall", "-Werror", "-o", filepath.Join(dir, "xmlrpc_c"), "testdata/xmlrpc_c.c"}, strings.Fields(string(flags))...)
	if out, err := exec.Command("cc", cc...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return daemontest.Build(dir, "clients/testdata/kolo")
}
