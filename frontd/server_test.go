// SPDX-License-Identifier: GPL-2.0-or-later

package frontd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nuconntrack/frontd/config"
	"nuconntrack/frontd/listen"
)

// patience is how long is waited for what comes soon where nothing is wrong.
const patience = time.Minute

// TestMain looks for goroutines that the tests have left behind.
func TestMain(m *testing.M) {
	code := m.Run()
	for end := time.Now().Add(patience); code == 0; {
		err := goleak.Find() // which waits a little itself
		if err == nil {
			break
		}
		if time.Now().After(end) {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// serve runs a Server on loopback and on a Unix socket, without a helper, until the test
// ends.
func serve(t *testing.T) (tcp, unix string) {
	t.Helper()
	unix = filepath.Join(t.TempDir(), "frontd.sock")
	text := `listen = ["127.0.0.1:0", "unix:` + unix + `"]
privd = "/nonexistent/privd.sock"
session_timeout = "1h"
header_timeout = "5m"
[auth]
backend = "none"
`
	set, err := config.Parse([]byte(text), "test.toml", config.Override{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	listeners, err := listen.Open(t.Context(), listen.Config{Addresses: set.Listen, Check: set.CheckListener, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Settings: set, Listeners: listeners, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return listeners[0].Addr().String(), unix
}

func post(t *testing.T, client *http.Client, url, host, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Content-Type", "text/xml")
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	defer client.CloseIdleConnections()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestServesOnTCPAndUnix(t *testing.T) {
	tcp, unix := serve(t)
	login := "<methodCall><methodName>login</methodName></methodCall>"
	overUnix := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", unix)
	}}}
	overTCP := &http.Client{Transport: &http.Transport{}}

	if status, body := post(t, overTCP, "http://"+tcp+"/RPC2", "", login); status != 200 || !strings.Contains(body, "<string>") {
		t.Errorf("over TCP: %d %s", status, body)
	}
	if status, _ := post(t, overTCP, "http://"+tcp+"/RPC2", "rebound.example", login); status != http.StatusMisdirectedRequest {
		t.Errorf("over TCP with a foreign Host: %d", status)
	}
	// On a Unix socket the Host means nothing: clients make one up.
	if status, body := post(t, overUnix, "http://whatever/RPC2", "", login); status != 200 || !strings.Contains(body, "<string>") {
		t.Errorf("over Unix: %d %s", status, body)
	}
}

func TestHelperAwayIsFault9(t *testing.T) {
	tcp, _ := serve(t)
	client := &http.Client{Transport: &http.Transport{}}
	_, body := post(t, client, "http://"+tcp+"/RPC2", "", "<methodCall><methodName>login</methodName></methodCall>")
	_, id, _ := strings.Cut(body, "<string>")
	id, _, _ = strings.Cut(id, "</string>")
	_, body = post(t, client, "http://"+tcp+"/RPC2", "",
		"<methodCall><methodName>view</methodName><params><param><value>"+id+"</value></param></params></methodCall>")
	if !strings.Contains(body, "<int>9</int>") {
		t.Errorf("view without a helper: %s", body)
	}
}

func TestMaxAgeOfNothingIsNotTheDefault(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"":                  time.Second,
		`max_age = "0s"`:    time.Nanosecond,
		`max_age = 0`:       time.Nanosecond,
		`max_age = "250ms"`: 250 * time.Millisecond,
	} {
		set, err := config.Parse([]byte(text+"\n[auth]\nbackend = \"none\"\n"), "test.toml", config.Override{})
		if err != nil {
			t.Fatal(err)
		}
		if got := maxAge(set); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
