// SPDX-License-Identifier: GPL-2.0-or-later

package frontd

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"nuconntrack/frontd/config"
	"nuconntrack/frontd/listen"
)

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// reloaded is a Server that runs, and a client of it.
type reloaded struct {
	t      *testing.T
	server *Server
	url    string
	log    lines
	client http.Client
}

func settingsOf(t *testing.T, text string) *config.Config {
	t.Helper()
	always := "listen = [\"127.0.0.1:0\"]\nprivd = \"/nonexistent/privd.sock\"\nsession_timeout = \"1h\"\n"
	if !strings.Contains(text, "header_timeout") {
		always += "header_timeout = \"5m\"\n"
	}
	set, err := config.Parse([]byte(always+text), "test.toml", config.Override{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func runWith(t *testing.T, text string) *reloaded {
	t.Helper()
	r := &reloaded{t: t, client: http.Client{Transport: &http.Transport{}}}
	set := settingsOf(t, text)
	log := slog.New(slog.NewTextHandler(&r.log, nil))
	listeners, err := listen.Open(t.Context(), listen.Config{Addresses: set.Listen, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if r.server, err = New(Config{Settings: set, Listeners: listeners, Log: log}); err != nil {
		t.Fatal(err)
	}
	r.url = "http://" + listeners[0].Addr().String() + "/RPC2"
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.server.Run(ctx) }()
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

func (r *reloaded) call(method string, params ...string) string {
	r.t.Helper()
	body := "<methodCall><methodName>" + method + "</methodName><params>"
	for _, p := range params {
		body += "<param><value>" + p + "</value></param>"
	}
	_, answer := post(r.t, &r.client, r.url, "", body+"</params></methodCall>")
	return answer
}

func (r *reloaded) login() string {
	r.t.Helper()
	_, id, _ := strings.Cut(r.call("login"), "<string>")
	id, _, ok := strings.Cut(id, "</string>")
	if !ok {
		r.t.Fatal("no session")
	}
	return id
}

func (r *reloaded) reload(text string) {
	r.t.Helper()
	if err := r.server.Reload(settingsOf(r.t, text)); err != nil {
		r.t.Fatal(err)
	}
}

const (
	everybody = "\n[auth]\nbackend = \"none\"\n"
	viewers   = everybody + "role = \"viewer\"\n"
	fault2    = "<name>faultCode</name><value><int>2</int>"
	fault3    = "<name>faultCode</name><value><int>3</int>"
)

func TestReloadKeepsSessionsAndTakesRoles(t *testing.T) {
	r := runWith(t, everybody+"role = \"tenant\"\n[roles.tenant]\nbase = \"operator\"\n")
	id := r.login()
	const none = "<array><data/></array>"
	if got := r.call("kill", id, none); strings.Contains(got, "fault") {
		t.Fatalf("kill: %s", got)
	}
	r.reload(viewers)
	if got := r.call("kill", id, none); !strings.Contains(got, fault3) {
		t.Errorf("kill by who is a viewer now: %s", got)
	}
	if got := r.call("whoami", id); !strings.Contains(got, "viewer") {
		t.Errorf("whoami: %s", got)
	}
	r.reload(everybody + "role = \"operator\"\n")
	if got := r.call("kill", id, none); strings.Contains(got, "fault") {
		t.Errorf("kill by who is an operator again: %s", got)
	}
	r.reload("read_only = true\n" + everybody)
	if got := r.call("kill", id, none); !strings.Contains(got, "read-only") {
		t.Errorf("kill where nobody may: %s", got)
	}
}

func TestReloadOfTheWaysInEndsSessions(t *testing.T) {
	local := "\n[auth]\nbackend = \"proxy\"\nrole = \"admin\"\n[proxy]\nfrom = [\"127.0.0.1\"]\nuser_header = \"X-User\"\n"
	r := runWith(t, local)
	r.client.Transport = withUser{r.client.Transport}
	id := r.login()
	r.reload("max_page = 7\n" + local)
	if got := r.call("whoami", id); strings.Contains(got, "fault") {
		t.Fatalf("whoami after a change of something else: %s", got)
	}
	r.reload(strings.Replace(local, "127.0.0.1", "192.0.2.1", 1))
	if got := r.call("whoami", id); !strings.Contains(got, fault2) {
		t.Errorf("whoami after the proxy is believed no more: %s", got)
	}
	if got := r.call("login"); !strings.Contains(got, "<name>faultCode</name><value><int>1</int>") {
		t.Errorf("login by a proxy that is believed no more: %s", got)
	}
}

// withUser is a proxy that says who its client is.
type withUser struct{ http.RoundTripper }

func (w withUser) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("X-User", "ann")
	return w.RoundTripper.RoundTrip(r)
}

func TestReloadSaysWhatWaits(t *testing.T) {
	r := runWith(t, everybody)
	r.reload("header_timeout = \"1s\"\nidle_timeout = \"1s\"\nmulticall = true\n" + everybody)
	for _, want := range []string{"key=header_timeout", "key=idle_timeout", "changed=[multicall]", "need_a_restart=2"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log does not have %q:\n%s", want, r.log.String())
		}
	}
	if got := r.call("system.listMethods"); !strings.Contains(got, "system.multicall") {
		t.Errorf("multicall is not served: %s", got)
	}
}

// TestReloadUnderCalls is for the race detector: calls see one configuration or the other.
func TestReloadUnderCalls(t *testing.T) {
	r := runWith(t, everybody)
	id := r.login()
	stop := make(chan struct{})
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := r.call("whoami", id); !strings.Contains(got, "viewer") && !strings.Contains(got, "admin") {
					t.Errorf("whoami: %s", got)
				}
				if got := r.call("view", id); !strings.Contains(got, "<int>9</int>") {
					t.Errorf("view: %s", got)
				}
			}
		})
	}
	for range 50 {
		r.reload(viewers)
		r.reload("max_page = 3\nmax_connections = 500\nmax_snapshots = 1\nsession_lifetime = \"1h\"\n" + everybody)
	}
	close(stop)
	calls.Wait()
}
