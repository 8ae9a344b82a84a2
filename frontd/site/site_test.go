// SPDX-License-Identifier: GPL-2.0-or-later

package site_test

import (
	"net/http"
	"testing"

	"nuconntrack/frontd/site"
)

func TestHostAllowed(t *testing.T) {
	listed := func(name string) bool { return name == "fw.example" }
	for host, want := range map[string]bool{
		"192.0.2.1": true, "192.0.2.1:8580": true, "[2001:db8::1]": true, "[2001:db8::1]:8580": true,
		"localhost": true, "LocalHost:1": true, "fw.example": true, "FW.Example.:443": true,

		"evil.example": false, "evil.example:8580": false, "fw.example.evil": false, "a.fw.example": false,
		"localhost.evil": false, "192.0.2.1.evil": false, "192.0.2.1:80:90": false, "fw.example:x": false,
		"[2001:db8::1]evil": false, "[fw.example": false, "fw.example/": false, ":8580": false, ".": false,
	} {
		r := &http.Request{Host: host, ProtoMajor: 1, ProtoMinor: 1}
		if site.HostAllowed(r, listed) != want {
			t.Errorf("%q allowed: %t", host, !want)
		}
	}
}

// Only HTTP/1.0 may leave the host out.
func TestHostMissing(t *testing.T) {
	nothing := func(string) bool { return false }
	for minor, want := range []bool{true, false} {
		if site.HostAllowed(&http.Request{ProtoMajor: 1, ProtoMinor: minor}, nothing) != want {
			t.Errorf("HTTP/1.%d without a host: %t", minor, !want)
		}
	}
}

func TestSame(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		want   bool
	}{
		"no browser":                 {nil, true},
		"typed into the address bar": {http.Header{"Sec-Fetch-Site": {"none"}}, true},
		"own page":                   {http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"https://FW.example:8580"}}, true},

		"another site":          {http.Header{"Sec-Fetch-Site": {"cross-site"}}, false},
		"a sibling":             {http.Header{"Sec-Fetch-Site": {"same-site"}}, false},
		"unheard of":            {http.Header{"Sec-Fetch-Site": {""}}, false},
		"one good, one bad":     {http.Header{"Sec-Fetch-Site": {"same-origin", "cross-site"}}, false},
		"foreign origin":        {http.Header{"Origin": {"http://evil.example"}}, false},
		"another port":          {http.Header{"Origin": {"http://fw.example:1"}}, false},
		"null":                  {http.Header{"Origin": {"null"}}, false},
		"empty":                 {http.Header{"Origin": {""}}, false},
		"another scheme":        {http.Header{"Origin": {"ftp://fw.example:8580"}}, false},
		"second origin foreign": {http.Header{"Origin": {"http://fw.example:8580", "http://evil.example"}}, false},
		"no address":            {http.Header{"Origin": {"http://fw.example:8580%"}}, false},
	} {
		if got := site.Same(&http.Request{Host: "fw.example:8580", Header: c.header}); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
