// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nuconntrack/cmd/daemontest"
	"nuconntrack/privd/nstest"

	"golang.org/x/sys/unix"
)

const (
	slowClients = 200
	slowKinds   = 5
	// slowRows make an answer of about 9 MB, far longer than shrunken buffers.
	slowRows = 12000
)

// patientTimeouts let slow clients hang for longer than a slow machine takes for the test.
const patientTimeouts = `header_timeout = "5m"
body_timeout = "5m"
write_timeout = "5m"
idle_timeout = "5m"`

// TestSlowClientsDelayNobody lets 200 clients hang on the listener, each kind of
// slowness among them, while another one works.
func TestSlowClientsDelayNobody(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		createMany(t, slowRows)
		shrinkBuffers(t)
		w := newWorld(t, everything, "max_page = 100000", patientTimeouts, "[auth]", `backend = "none"`)
		s := w.login(t)
		s.rows(t, filters{"orig_port_src": 1})
		healthy := newClient(t, rpcAddress).login(t)
		before := descriptors(t, w.Frontd)

		var slow []*slowClient
		for i := range slowClients {
			slow = append(slow, newSlowClient(t, i, s.id))
		}
		daemontest.WaitFor(t, "all slow clients are connected", func() bool { return descriptors(t, w.Frontd) >= before+slowClients })
		for round := range 10 {
			for _, c := range slow {
				c.crawl()
			}
			healthy.ok(t, "whoami")
			newcomer := newClient(t, rpcAddress).login(t)
			newcomer.ok(t, "whoami")
			newcomer.http.CloseIdleConnections()
			r := healthy.one(t, filters{"orig_port_src": 1 + round})
			healthy.ok(t, "change", "mark", r.key(t), 1)
			healthy.ok(t, "kill", list(r.key(t)))
			if left := healthy.rows(t, filters{"key": r.key(t)}); len(left) != 0 {
				t.Errorf("round %d: %v is still there", round, left)
			}
			healthy.ok(t, "stats")
		}
		if n := stuck(slow); n < slowClients {
			t.Errorf("%d of %d slow clients still hang, the others were answered: they were not slow", n, slowClients)
		}
		for _, c := range slow {
			c.conn.Close()
		}
		healthy.http.CloseIdleConnections()
		daemontest.WaitFor(t, "frontd has no more descriptors open than before", func() bool { return descriptors(t, w.Frontd) <= before })
		s.one(t, filters{"orig_port_src": 100})
	})
}

// createMany makes connections that differ in their source ports.
func createMany(t *testing.T, n int) {
	t.Helper()
	all := make([]nstest.Connection, n)
	for i := range all {
		target := nstest.Target(unix.IPPROTO_UDP, "192.0.2.1:1", "198.51.100.1:80")
		target.Orig.SrcPort, target.Reply.DstPort = uint16(i), uint16(i)
		all[i].Target = target
	}
	nstest.Create(t, all...)
}

// shrinkBuffers lets the buffers of connections fill sooner.
func shrinkBuffers(t *testing.T) {
	t.Helper()
	for _, name := range [...]string{"tcp_wmem", "tcp_rmem"} {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte("4096 16384 65536"), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// descriptors counts a process's open files. Root of the namespace may look.
func descriptors(t testing.TB, p *daemontest.Process) int {
	t.Helper()
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// slowClient hangs on the listener.
type slowClient struct {
	conn net.Conn
	rest string // goes byte by byte
}

// newSlowClient connects and is slow in one of five ways.
func newSlowClient(t *testing.T, kind int, session string) *slowClient {
	t.Helper()
	conn, err := net.Dial("tcp", rpcAddress)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	body := document("view", session)
	head := "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
	length := "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	c := &slowClient{conn: conn}
	now := ""
	switch kind % slowKinds {
	case 0: // says nothing
	case 1: // sends the header byte by byte
		c.rest = head
	case 2: // sends the body byte by byte
		now, c.rest = head+length, body[:len(body)-1]
	case 3: // the same in chunks
		now, c.rest = head+"Transfer-Encoding: chunked\r\n\r\n", strings.Repeat("1\r\n<\r\n", 100)
	case 4: // does not read the answer
		now = head + length + body
	}
	if _, err := conn.Write([]byte(now)); err != nil {
		t.Fatal(err)
	}
	return c
}

// crawl sends one byte. That frontd has hung up shows in stuck.
func (c *slowClient) crawl() {
	if c.rest != "" {
		c.conn.Write([]byte(c.rest[:1]))
		c.rest = c.rest[1:]
	}
}

// stuck counts the clients whose connection frontd still holds open.
func stuck(all []*slowClient) (n int) {
	for _, c := range all {
		raw, err := c.conn.(syscall.Conn).SyscallConn()
		if err != nil {
			continue
		}
		raw.Control(func(fd uintptr) {
			info, err := unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO)
			const established = 1 // TCP_ESTABLISHED
			if err == nil && info.State == established {
				n++
			}
		})
	}
	return n
}

// TestSlowClientsAreCutOff: whoever does not get on within the configured time is
// disconnected, by each of the deadlines.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		createMany(t, slowRows)
		shrinkBuffers(t)
		w := newWorld(t, everything, "max_page = 100000", `header_timeout = "300ms"`, `body_timeout = "300ms"`,
			`idle_timeout = "300ms"`, `write_timeout = "300ms"`, "[auth]", `backend = "none"`)
		session := loginInTime(t, w)
		before := descriptors(t, w.Frontd)
		// The one that does not read comes first: those after it are accepted after it.
		for kind := slowKinds - 1; kind >= 0; kind-- {
			c := newSlowClient(t, kind, session)
			if kind == slowKinds-1 {
				continue
			}
			c.conn.SetReadDeadline(time.Now().Add(daemontest.Patience))
			if _, err := io.Copy(io.Discard, c.conn); os.IsTimeout(err) {
				t.Errorf("slow client of kind %d is still connected", kind)
			}
		}
		daemontest.WaitFor(t, "frontd has let them all go", func() bool { return descriptors(t, w.Frontd) <= before })
	})
}

// loginInTime logs in, and lets frontd read its first table. On a slow machine the time limits cut
// off this client too, which then tries again.
func loginInTime(t *testing.T, w *world) (session string) {
	t.Helper()
	c := w.client(t)
	defer c.http.CloseIdleConnections()
	call := func(method string, params ...any) (v any) {
		daemontest.WaitFor(t, method+" within the time limits", func() bool {
			var f fault
			var err error
			v, f, err = c.try(document(method, params...))
			return err == nil && f.code == 0
		})
		return v
	}
	session = call("login").(string)
	call("view", session, filters{}, "id", "ASC", 0, 0)
	return session
}
