// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system

package systemd_test

import (
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nuconntrack/privd/nstest"
)

const (
	// roundsVariable sets how often each daemon is killed.
	roundsVariable = "NUCONNTRACK_KILL_ROUNDS"
	rounds         = 10

	callers       = 4
	perRound      = 400 // connections that there are to kill more, each time a daemon is killed
	killsToGoOn   = 30  // acknowledged kills between two kills of a daemon
	portsPerHost  = 50_000
	firstFakePort = 1024
)

// load kills connections through frontd until it is told to stop, whatever dies meanwhile.
type load struct {
	m    *machine
	keys chan string
	stop atomic.Bool
	done atomic.Int64 // kills that were acknowledged

	knocks atomic.Int64 // connections that the helper's socket took

	mu    sync.Mutex // guards what follows
	acked map[string]bool
	wrong []error
}

func (l *load) run(c *caller) {
	for !l.stop.Load() {
		if c.session == "" {
			if err := c.login(); err != nil {
				l.look(err)
				continue
			}
		}
		key, ok := <-l.keys
		if !ok {
			return
		}
		err := c.call("kill", nil, []any{key})
		if err == nil {
			l.mu.Lock()
			l.acked[key] = true
			l.mu.Unlock()
			l.done.Add(1)
			continue
		}
		if faultCode(err) == faultSession {
			c.session = ""
		}
		l.look(err)
	}
}

// knock connects to the helper's socket, where root is not served and turned away by privd
// itself: the connection is taken, and closed.
func (l *load) knock() {
	path := l.m.path("/run/nuconntrack-privd/privd.sock")
	for !l.stop.Load() {
		conn, err := net.Dial("unixpacket", path)
		if err != nil {
			l.mu.Lock()
			l.wrong = append(l.wrong, err)
			l.mu.Unlock()
			return
		}
		conn.SetReadDeadline(time.Now().Add(patience))
		conn.Read(make([]byte, 1))
		conn.Close()
		l.knocks.Add(1)
	}
}

// look keeps the errors that a daemon's death does not explain: a cut connection, a session
// that died with frontd and a helper that is away are none.
func (l *load) look(err error) {
	code := faultCode(err)
	if code == faultSession || code == faultHelper || code == 0 && !refused(err) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, err)
}

func testKilled(t *testing.T, m *machine) {
	times := rounds
	if text := os.Getenv(roundsVariable); text != "" {
		var err error
		if times, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	origs := m.populate(t, (2*times+1)*perRound)
	l := &load{m: m, keys: make(chan string, len(origs)), acked: make(map[string]bool)}
	all := slices.Collect(maps.Keys(origs))
	more := func() {
		for _, key := range all[:perRound] {
			l.keys <- key
		}
		all = all[perRound:]
	}
	var running sync.WaitGroup
	for range callers {
		c := m.caller(t)
		running.Go(func() { l.run(c) })
	}
	running.Go(l.knock)
	stop := sync.OnceFunc(func() { l.stop.Store(true); close(l.keys); running.Wait() })
	t.Cleanup(stop)
	for i := range 2 * times {
		unit := []string{privd, frontd}[i%2] + ".service"
		pid := m.mainPID(t, unit)
		if pid == 0 {
			t.Fatalf("%s does not run under load", unit)
		}
		// So many at a time: however long the rest takes, there are some left to be killed.
		goal := l.done.Load() + killsToGoOn
		more()
		wait(t, fmt.Sprintf("kills after %d deaths", i), func() bool { return l.done.Load() >= goal })
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		wait(t, "another "+unit, func() bool { now := m.mainPID(t, unit); return now != 0 && now != pid })
	}
	goal := l.done.Load() + killsToGoOn
	more()
	wait(t, "kills at the end", func() bool { return l.done.Load() >= goal })
	stop()
	for _, err := range l.wrong {
		t.Errorf("a caller saw: %v", err)
	}
	t.Logf("%d kills acknowledged, %d connections to the helper, while each daemon was killed %d times",
		len(l.acked), l.knocks.Load(), times)
	m.compare(t, origs, l.acked)
}

// populate makes so many connections and gives the audit's name of each by its key.
func (m *machine) populate(t *testing.T, count int) map[string]string {
	t.Helper()
	c := m.reach(t)
	byID := make(map[string]made)
	origs := make(map[string]string)
	var all []made
	for i := range count {
		src := fmt.Sprintf("%s%d:%d", "203.0.113.", 1+i/portsPerHost, firstFakePort+i%portsPerHost)
		conn := made{src, "198.51.100.3:80"}
		byID[src] = conn
		all = append(all, conn)
	}
	m.create(t, all...)
	for start := 0; ; {
		var page struct {
			Table []row `xmlrpc:"table"`
		}
		err := c.call("view", &page, map[string]any{"orig_src": "203.0.113.0/24"}, "orig_src", "ASC", start)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Table) == 0 {
			break
		}
		start += len(page.Table)
		for _, r := range page.Table {
			origs[r.Key] = byID[fmt.Sprintf("%s:%d", r.Src, r.Port)].orig()
		}
	}
	if len(origs) != count {
		t.Fatalf("%d of %d connections to be seen", len(origs), count)
	}
	return origs
}

// compare wants each acknowledged kill in the journal, with intent and result, and no
// connection gone that the journal has no intent for.
func (m *machine) compare(t *testing.T, origs map[string]string, acked map[string]bool) {
	t.Helper()
	intents, results := make(map[string]bool), make(map[string]bool)
	for _, e := range m.entries(t, "NUCT_ACTION=kill") {
		switch {
		case e["NUCT_PHASE"] == "intent":
			intents[e["NUCT_ORIG"]] = true
		case e["NUCT_OUTCOME"] == "killed":
			results[e["NUCT_ORIG"]] = true
		}
	}
	alive := make(map[string]bool)
	err := m.inNetwork(func() error {
		for _, f := range nstest.List(t) {
			o := f.TupleOrig
			c := made{fmt.Sprintf("%s:%d", o.IP.SourceAddress, o.Proto.SourcePort), fmt.Sprintf("%s:%d", o.IP.DestinationAddress, o.Proto.DestinationPort)}
			alive[c.orig()] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	gone := 0
	for key, orig := range origs {
		if !alive[orig] {
			gone++
		}
		switch {
		case acked[key] && alive[orig]:
			t.Errorf("acknowledged, and still there: %s", orig)
		case acked[key] && !(intents[orig] && results[orig]):
			t.Errorf("acknowledged, and not in the journal: %s", orig)
		case !alive[orig] && !intents[orig]:
			t.Errorf("gone, and not in the journal: %s", orig)
		}
	}
	t.Logf("%d connections gone, %d intents, %d results", gone, len(intents), len(results))
}
