// SPDX-License-Identifier: GPL-2.0-or-later

//go:build system || packages

package systemd_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"

	"github.com/kolo/xmlrpc"
)

const (
	port     = "127.0.0.1:8580"
	user     = "alice"
	password = "correct horse battery staple"
)

// Faults of the service.
const (
	faultAuthentication = 1
	faultSession        = 2
	faultPermission     = 3
	faultPolicy         = 6
	faultHelper         = 9
)

// caller is one client with one connection and one session.
type caller struct {
	http    *http.Client
	session string
}

func (m *machine) caller(t *testing.T) *caller {
	transport := &http.Transport{DialContext: m.dial}
	t.Cleanup(transport.CloseIdleConnections)
	return &caller{http: &http.Client{Transport: transport, Timeout: patience}}
}

// login gives a caller with a session.
func (m *machine) login(t *testing.T) *caller {
	t.Helper()
	c := m.caller(t)
	if err := c.login(); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *caller) login() error { return c.try("login", &c.session, user, password) }

// call calls with the session.
func (c *caller) call(method string, answer any, args ...any) error {
	return c.try(method, answer, append([]any{c.session}, args...)...)
}

// ask is call, again while the helper cannot be reached: it may have to start first, on a machine
// that has other things to do. It is for what may be asked twice.
func (c *caller) ask(t *testing.T, method string, answer any, args ...any) error {
	t.Helper()
	var err error
	wait(t, "the helper", func() bool {
		err = c.call(method, answer, args...)
		return faultCode(err) != faultHelper
	})
	return err
}

// try calls; answer may be nil. The error is a xmlrpc.FaultError, or the transport's.
func (c *caller) try(method string, answer any, args ...any) error {
	body, err := xmlrpc.EncodeMethodCall(method, args...)
	if err != nil {
		return err
	}
	r, err := c.http.Post("http://"+port+"/RPC2", "text/xml", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %s", method, r.Status)
	}
	if err := xmlrpc.Response(got).Err(); err != nil || answer == nil {
		return err
	}
	return xmlrpc.Response(got).Unmarshal(answer)
}

// faultCode is the number of a fault; 0: it is none.
func faultCode(err error) int {
	var f xmlrpc.FaultError
	if errors.As(err, &f) {
		return f.Code
	}
	return 0
}

// row is a connection in a view.
type row struct {
	Key  string `xmlrpc:"key"`
	ID   string `xmlrpc:"id"`
	Src  string `xmlrpc:"orig_ipv4_src"`
	Port int    `xmlrpc:"orig_port_src"`
}

// view gives all connections that match, up to the longest page, as they are now.
func (c *caller) view(t *testing.T, filters map[string]any) []row {
	t.Helper()
	var page struct {
		Table []row `xmlrpc:"table"`
	}
	if err := c.ask(t, "refresh", nil); err != nil {
		t.Fatalf("refresh: %v", err)
	}
	if err := c.ask(t, "view", &page, filters); err != nil {
		t.Fatalf("view: %v", err)
	}
	return page.Table
}

// reach calls until somebody answers: a connection may be cut while a process ends, but
// must never be refused.
func (m *machine) reach(t *testing.T) *caller {
	t.Helper()
	c := m.caller(t)
	wait(t, "an answer", func() bool {
		err := c.login()
		if refused(err) {
			t.Fatalf("refused: %v", err)
		}
		if err == nil {
			err = c.call("stats", nil)
		}
		return err == nil
	})
	return c
}

// refused reports whether a connection was turned away, which must never happen.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
