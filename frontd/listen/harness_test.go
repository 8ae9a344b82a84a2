// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds what a test waits for; it never waits that long for what works.
const patience = time.Minute

// server is an http.Server behind a Gate, on 127.0.0.1 (every address of 127.0.0.0/8 can be
// a client of it). /wait is answered when release is closed.
type server struct {
	gate     *Gate
	addr     string
	waiting  chan struct{} // one element for each /wait that is being worked on
	release  chan struct{}
	sawSlow  chan struct{} // one element for each body that is being read
	shutdown func()
}

func serve(t *testing.T, cfg GateConfig) *server {
	t.Helper()
	s := &server{
		gate: NewGate(cfg), waiting: make(chan struct{}, 100),
		release: make(chan struct{}), sawSlow: make(chan struct{}, 100),
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	s.addr = l.Addr().String()
	h := &http.Server{
		Handler:           http.HandlerFunc(s.handle),
		ConnState:         s.gate.ConnState,
		ConnContext:       ConnContext,
		ReadHeaderTimeout: patience,
	}
	done := make(chan error, 1)
	go func() { done <- h.Serve(s.gate.Bind(l)) }()
	s.shutdown = sync.OnceFunc(func() {
		_ = h.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(s.shutdown)
	return s
}

func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		s.sawSlow <- struct{}{}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
	}
	RequestRead(r.Context())
	if r.URL.Path == "/wait" {
		s.waiting <- struct{}{}
		<-s.release
	}
	client, _ := From(r.Context())
	fmt.Fprintf(w, "you are %s", client)
}

// connect returns a connection from an address of 127.0.0.0/8.
func (s *server) connect(t *testing.T, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	c, err := d.Dial("tcp4", s.addr)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	must(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

func get(t *testing.T, c net.Conn, path string) (string, error) {
	t.Helper()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return "", err
	}
	return answer(c)
}

func answer(c net.Conn) (string, error) {
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// isClosed waits for the other side to close c.
func isClosed(t *testing.T, c net.Conn) {
	t.Helper()
	_, err := c.Read(make([]byte, 1))
	if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read from a connection that should be closed: %v", err)
	}
}

// await waits until the counts are as wanted.
func (s *server) await(t *testing.T, what string, ok func(Counts) bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(s.gate.Counts()); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s in vain: %+v", what, s.gate.Counts())
		}
	}
}

func (s *server) awaitOpen(t *testing.T, n int) {
	t.Helper()
	s.await(t, fmt.Sprintf("%d connections", n), func(c Counts) bool { return c.Open == n })
}

// awaitPhase waits until n connections are in a phase.
func (s *server) awaitPhase(t *testing.T, p phase, n int) {
	t.Helper()
	s.await(t, fmt.Sprintf("%d connections in phase %d", n, p), func(Counts) bool {
		s.gate.mu.Lock()
		defer s.gate.mu.Unlock()
		if p == phaseIdle {
			return s.gate.all.idle.Len() == n
		}
		return s.gate.all.reading.Len() == n
	})
}

// awaitEnd waits until there are no goroutines but those that are known.
func awaitEnd(t *testing.T, known goleak.Option) {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		err := goleak.Find(known) // which waits a little itself
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
