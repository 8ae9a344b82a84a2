// SPDX-License-Identifier: GPL-2.0-or-later

package frontd

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/config"
	"nuconntrack/frontd/listen"
)

// ask sends a request without a body, and follows nowhere.
func ask(t *testing.T, method, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res
}

// TestPageAndXMLRPC live at the same address without getting in each other's way.
func TestPageAndXMLRPC(t *testing.T) {
	tcp, _ := serve(t)
	login := "<methodCall><methodName>login</methodName></methodCall>"
	client := &http.Client{Transport: &http.Transport{}}
	if status, body := post(t, client, "http://"+tcp+"/", "", login); status != 200 || !strings.Contains(body, "<methodResponse>") {
		t.Errorf("POST /: %d %s", status, body)
	}
	for path, want := range map[string]int{
		"/": 303, "/web/login": 200, "/web/nothing": 404, "/RPC2": 405, "/nothing": 404, "/web": 404, "/index.html": 404,
	} {
		if res := ask(t, http.MethodGet, "http://"+tcp+path); res.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

// TestPageIsOff, and comes with another configuration.
func TestPageIsOff(t *testing.T) {
	r := runWith(t, "web = false"+everybody)
	site := strings.TrimSuffix(r.url, "/RPC2")
	for path, want := range map[string]int{"/": 405, "/web/login": 404, "/web/assets/page.css": 404} {
		if res := ask(t, http.MethodGet, site+path); res.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, res.StatusCode, want)
		}
	}
	r.reload(everybody)
	if res := ask(t, http.MethodGet, site+"/web/login"); res.StatusCode != 200 {
		t.Errorf("after a reload that switches it on: %d", res.StatusCode)
	}
}

// TestSecureWay: whether a browser trusts the way is what TLS, a proxy that is believed, or the
// name of its own machine say, and nobody else.
func TestSecureWay(t *testing.T) {
	proxy := auth.Trust{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	for name, test := range map[string]struct {
		url    string
		trust  auth.Trust
		header []string
		secure bool
	}{
		"plain, from elsewhere":             {"http://192.0.2.1/", auth.Trust{}, nil, false},
		"TLS":                               {"https://192.0.2.1/", auth.Trust{}, nil, true},
		"loopback":                          {"http://127.0.0.1:8580/", auth.Trust{}, nil, true},
		"localhost":                         {"http://localhost/", auth.Trust{}, nil, true},
		"a name that looks like it":         {"http://localhost.example/", auth.Trust{}, nil, false},
		"a proxy with TLS":                  {"http://firewall.example/", proxy, []string{"https"}, true},
		"a proxy without TLS":               {"http://localhost/", proxy, []string{"http"}, false},
		"a proxy behind another":            {"http://firewall.example/", proxy, []string{"http, https"}, true},
		"what the client sent is before it": {"http://firewall.example/", proxy, []string{"https", "http"}, false},
		"a proxy that does not say":         {"http://firewall.example/", proxy, nil, false},
		"somebody who is no proxy":          {"http://firewall.example/", auth.Trust{}, []string{"https"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, test.url, nil)
			for _, h := range test.header {
				r.Header.Add(protoHeader, h)
			}
			set := &config.Config{Proxy: config.Proxy{Trust: test.trust}}
			client := listen.Client{Addr: netip.MustParseAddrPort("127.0.0.1:5000"), Local: true}
			if believed(set, client) != (len(test.trust.Networks) > 0) {
				t.Error("the wrong ones are believed")
			}
			if got := secure(set, r, client); got != test.secure {
				t.Errorf("secure is %v", got)
			}
		})
	}
}
