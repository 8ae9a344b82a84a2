// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSessionAnew: reports have to fit the question, and a session that is begun again is
// the one that later calls use, under the password that worked.
func TestSessionAnew(t *testing.T) {
	var calls []string
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/xml")
		text := string(body)
		switch {
		case strings.Contains(text, ">login<") && strings.Contains(text, ">old<"):
			_, _ = io.WriteString(w, response("<string>first</string>"))
		case strings.Contains(text, ">login<") && strings.Contains(text, ">new<"):
			_, _ = io.WriteString(w, response("<string>second</string>"))
		case strings.Contains(text, ">kill_report<"):
			calls = append(calls, text)
			_, _ = io.WriteString(w, response("<array><data><value><struct><member><name>key</name><value><string>k1</string></value></member>"+
				"<member><name>outcome</name><value><string>gone</string></value></member></struct></value></data></array>"))
		default:
			_, _ = io.WriteString(w, response("<boolean>1</boolean>"))
		}
	})
	s, err := c.Login(t.Context(), "eve", "old")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.KillReport(t.Context(), []string{"k1", "k2"}, 0); kindOf(err) != BadAnswer {
		t.Errorf("one report on two connections: %v", err)
	}
	for _, password := range []string{"new", ""} {
		if err := s.Renew(t.Context(), password); err != nil {
			t.Fatalf("renew: %v", err)
		}
	}
	reports, err := s.KillReport(t.Context(), []string{"k1"}, time.Hour)
	if err != nil || len(reports) != 1 || !reports[0].Ended() {
		t.Errorf("reports %v, %v", reports, err)
	}
	if last := calls[len(calls)-1]; !strings.Contains(last, ">second<") || !strings.Contains(last, ">5<") {
		t.Errorf("called %s", last)
	}
}
