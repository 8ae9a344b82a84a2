// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/service"
	"nuconntrack/ipc"
)

// crashing is a helper that panics in the middle of a call.
type crashing struct{ *helpertest.Helper }

func (crashing) Stats(context.Context) (ipc.Stats, error) { panic("a secret of the inside") }

// TestCrash: a call that panics is answered and logged, tells nothing, and leaves its session
// as any other call does.
func TestCrash(t *testing.T) {
	for name, call := range map[string]func(s string) (string, []string){
		"alone": func(s string) (string, []string) { return "stats", []string{s} },
		"behind another": func(s string) (string, []string) {
			one := func(name string) string { return members("methodName", str(name), "params", list(s)) }
			return "system.multicall", []string{list(one("whoami"), one("stats"))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, nil))
			svc := service.New(service.Config{
				Helper: crashing{&helpertest.Helper{}}, Backend: auth.None{}, Log: logger,
				RoleOf: func(string) string { return "admin" }, Sessions: 1, SessionTimeout: time.Hour,
			})
			server := httptest.NewServer(New(Config{Service: svc, Multicall: true, Log: logger,
				Origin: func(*http.Request) Origin { return Origin{Text: "192.0.2.1"} }}))
			defer server.Close()
			d := &daemon{t: t, url: server.URL}
			s := d.login()
			method, params := call(s)
			got := d.call(method, params...)
			got.want(t, -32603, "internal error")
			if strings.Contains(got.text, "secret") {
				t.Errorf("the fault tells %q", got.text)
			}
			d.call("logout", s)
			// There is room for one session: the one before must have ended.
			d.login()
			if text := log.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "crash_test.go") {
				t.Errorf("the log does not tell where it was: %s", text)
			}
		})
	}
}
