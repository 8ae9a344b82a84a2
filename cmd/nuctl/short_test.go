// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A list that comes out shorter than the server promised does not pass for a whole one.
func TestShortLists(t *testing.T) {
	row := "<value><struct><member><name>id</name><value>1</value></member></struct></value>"
	pages := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		value := "<string>Session1</string>"
		if strings.Contains(string(body), "<methodName>view<") {
			if pages++; pages > 1 {
				row = ""
			}
			value = "<struct><member><name>total</name><value><int>3</int></value></member><member><name>count</name><value><int>3</int></value></member>" +
				"<member><name>snapshot</name><value>a</value></member><member><name>table</name><value><array><data>" + row + "</data></array></value></member></struct>"
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, "<methodResponse><params><param><value>"+value+"</value></param></params></methodResponse>")
	}))
	defer server.Close()
	t.Setenv("HOME", t.TempDir())
	whole := row
	for _, test := range []struct {
		args string
		code int
		says string
	}{
		{"list", 1, "the server gave 1 of 3 connections"},
		{"list --limit 2 -o jsonl", 1, "the server gave 1 of 2 connections"},
		{"list --limit 1", 0, ""},
		{"list --start 2", 0, ""},
		{"export", 1, "the server gave 1 of 3 connections"},
	} {
		t.Run(test.args, func(t *testing.T) {
			pages, row = 0, whole
			var said bytes.Buffer
			args := append(strings.Fields(test.args), "--server", server.URL)
			code := run(t.Context(), args, strings.NewReader(""), io.Discard, &said)
			if code != test.code || !strings.Contains(said.String(), test.says) || test.says == "" && said.Len() > 0 {
				t.Errorf("exit code %d: %s", code, &said)
			}
		})
	}
}
