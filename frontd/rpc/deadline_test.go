// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/exchange"
	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/service"
)

// slowLogin lets everybody in after a while, unless the client has gone.
type slowLogin time.Duration

func (s slowLogin) Login(ctx context.Context, _ auth.Request) (auth.Identity, error) {
	select {
	case <-time.After(time.Duration(s)):
		return auth.Identity{User: "zoe"}, nil
	case <-ctx.Done():
		return auth.Identity{}, ctx.Err()
	}
}

// pipes is a listener whose connections are in memory, so that time may be made up.
type pipes struct {
	ends chan net.Conn
	done chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.ends:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.done)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.ends <- server
	return client
}

const (
	bodyTime  = 20 * time.Second
	writeTime = 30 * time.Second
	loginTime = 50 * time.Second
	idleTime  = 40 * time.Second
)

// inPipes runs a test against a Server in made-up time. read counts what counts as work.
func inPipes(t *testing.T, body func(t *testing.T, p *pipes, read *atomic.Int32)) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		var read atomic.Int32
		s := New(Config{
			Service: service.New(service.Config{Helper: &helpertest.Helper{}, Backend: slowLogin(loginTime), Log: log,
				RoleOf: func(string) string { return "admin" }}),
			Origin: func(*http.Request) Origin { return Origin{Text: "192.0.2.1", Addr: netip.MustParseAddr("192.0.2.1")} },
			Terms:  exchange.Terms{Read: func(*http.Request) { read.Add(1) }, BodyTimeout: bodyTime, WriteTimeout: writeTime},
			Log:    log,
		})
		server := &http.Server{Handler: s, IdleTimeout: idleTime, ReadHeaderTimeout: bodyTime}
		p := &pipes{ends: make(chan net.Conn), done: make(chan struct{})}
		ended := make(chan error)
		go func() { ended <- server.Serve(p) }()
		body(t, p, &read)
		server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// receive reads an answer and gives its status and body.
func receive(t *testing.T, r *bufio.Reader) (int, string) {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func wireCall(path, header, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\n%sContent-Length: %d\r\n\r\n%s",
		path, header, len(body), body)
}

// TestCallMayTakeLongerThanItsBody: the deadline of the body does not end the call, and the
// connection serves the next one.
func TestCallMayTakeLongerThanItsBody(t *testing.T) {
	inPipes(t, func(t *testing.T, p *pipes, read *atomic.Int32) {
		c := p.dial()
		defer c.Close()
		r := bufio.NewReader(c)
		for range 2 {
			send(t, c, wireCall("/RPC2", "", document("login")))
			if status, body := receive(t, r); status != 200 || strings.Contains(body, "fault") {
				t.Fatalf("%d %s", status, body)
			}
		}
		if read.Load() != 2 {
			t.Errorf("%d logins counted as work", read.Load())
		}
	})
}

// TestKeptConnection: what ended with the answer before does not end the next one, be it an
// answer, a refusal or the leave to go on.
func TestKeptConnection(t *testing.T) {
	for name, next := range map[string]struct {
		path, header string
		status       int
	}{
		"answer":   {"/RPC2", "", 200},
		"refusal":  {"/nowhere", "", 404},
		"continue": {"/RPC2", "Expect: 100-continue\r\n", 100},
	} {
		t.Run(name, func(t *testing.T) {
			inPipes(t, func(t *testing.T, p *pipes, _ *atomic.Int32) {
				c := p.dial()
				defer c.Close()
				r := bufio.NewReader(c)
				body := document("system.listMethods")
				send(t, c, wireCall("/RPC2", "", body))
				receive(t, r)
				time.Sleep(writeTime + time.Second) // in made-up time
				head, rest, _ := strings.Cut(wireCall(next.path, next.header, body), "\r\n\r\n")
				send(t, c, head+"\r\n\r\n")
				if next.status == 100 {
					line, err := r.ReadString('\n')
					if err != nil || !strings.Contains(line, "100 Continue") {
						t.Fatalf("%q, %v", line, err)
					}
					if _, err := r.ReadString('\n'); err != nil {
						t.Fatal(err)
					}
					next.status = 200
				}
				if next.status == 200 {
					send(t, c, rest)
				}
				if status, body := receive(t, r); status != next.status {
					t.Errorf("%d %s", status, body)
				}
			})
		})
	}
}

// TestRefusalIsNotWaitedForForever: whoever does not read why he was refused loses his
// connection all the same.
func TestRefusalIsNotWaitedForForever(t *testing.T) {
	inPipes(t, func(t *testing.T, p *pipes, _ *atomic.Int32) {
		c := p.dial()
		defer c.Close()
		send(t, c, "GET /RPC2 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
		time.Sleep(writeTime + time.Second) // in made-up time
		if n, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read %d bytes, %v, want the end of the connection", n, err)
		}
	})
}

// TestHangingBodies: whoever sends the rest of his body never is answered or cut off in time,
// does not count as at work, and loses his connection.
func TestHangingBodies(t *testing.T) {
	long := "<methodCall><methodName>login</methodName><params><param><value>" + strings.Repeat("a", GuestBody)
	for name, test := range map[string]struct {
		path, sent string
		want       string
		waits      time.Duration // before the answer
	}{
		"of a guest, long":  {"/RPC2", long, "<int>2</int>", 0},
		"of a guest, short": {"/RPC2", "<methodCall>", "-32700", bodyTime},
		"refused":           {"/nowhere", "<", "404", 0},
		"nothing at all":    {"/RPC2", "", "-32700", bodyTime},
	} {
		t.Run(name, func(t *testing.T) {
			inPipes(t, func(t *testing.T, p *pipes, read *atomic.Int32) {
				c := p.dial()
				defer c.Close()
				begin := time.Now()
				// The server need not read all of it.
				go io.WriteString(c, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s",
					test.path, len(test.sent)+5, test.sent))
				r := bufio.NewReader(c)
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				b := make([]byte, res.ContentLength)
				if _, err := io.ReadFull(res.Body, b); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(res.Status+string(b), test.want) {
					t.Errorf("%s %s", res.Status, b)
				}
				if waited := time.Since(begin); waited != test.waits {
					t.Errorf("the answer came after %s, want %s", waited, test.waits)
				}
				if _, err := r.ReadByte(); err == nil {
					t.Error("more than an answer")
				}
				if waited := time.Since(begin); waited > test.waits+lingerTime {
					t.Errorf("the connection ended after %s", waited)
				}
				if read.Load() != 0 {
					t.Error("it counted as at work")
				}
			})
		})
	}
}

// TestGuestsDoNotCountAsWork: whoever sends call after call and does not read the answers
// must not get a place for it that nobody can take from him.
func TestGuestsDoNotCountAsWork(t *testing.T) {
	inPipes(t, func(t *testing.T, p *pipes, read *atomic.Int32) {
		c := p.dial()
		defer c.Close()
		r := bufio.NewReader(c)
		for name, body := range map[string]string{
			"open method": document("system.listMethods"), "no session": document("view", "nobody"), "no method": document("none"),
		} {
			send(t, c, wireCall("/RPC2", "", body))
			receive(t, r)
			if read.Load() != 0 {
				t.Errorf("%s: counts as work", name)
			}
		}
		send(t, c, wireCall("/RPC2", "", document("login")))
		_, answer := receive(t, r)
		_, id, _ := strings.Cut(answer, "<string>")
		id, _, _ = strings.Cut(id, "<")
		send(t, c, wireCall("/RPC2", "", document("whoami", id)))
		if _, answer := receive(t, r); !strings.Contains(answer, "zoe") || read.Load() != 2 {
			t.Errorf("%d counted as work: %s", read.Load(), answer)
		}
	})
}

// TestFailedLoginEndsTheConnection: it counts as work, so it must not come again and again.
func TestFailedLoginEndsTheConnection(t *testing.T) {
	d := start(t)
	d.role = "no such role"
	res, answer := d.exchange(document("login"), http.Header{})
	if !res.Close || !strings.Contains(string(answer), "<int>1</int>") {
		t.Errorf("%v %s", res.Header, answer)
	}
}
