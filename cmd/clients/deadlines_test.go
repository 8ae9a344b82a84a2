// SPDX-License-Identifier: GPL-2.0-or-later

package clients

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"nuconntrack/privd/nstest"
)

// TestDeadlines: each deadline ends a connection by itself, while the others are far.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	half := fmt.Sprintf("Content-Length: %d\r\n\r\n", len(hello)+1) + hello
	for name, test := range map[string]struct {
		short string // the deadline that is short
		sent  string
		want  string // in the answer, if there is one
	}{
		"nothing sent":       {"header_timeout", "", ""},
		"stops in header":    {"header_timeout", head("1.1", "X-Slow: "), ""},
		"stops in body":      {"body_timeout", head("1.1", half), "-32700"},
		"stops in a chunk":   {"body_timeout", head("1.1", "Transfer-Encoding: chunked\r\n\r\n5\r\n<m"), "-32700"},
		"kept without calls": {"idle_timeout", request("1.1", hello), "<string>login</string>"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			nstest.Run(t, func(t *testing.T) {
				var config strings.Builder
				for _, d := range []string{"header_timeout", "body_timeout", "idle_timeout"} {
					value := "5m"
					if d == test.short {
						value = "100ms"
					}
					fmt.Fprintf(&config, "%s = %q\n", d, value)
				}
				serve(t, config.String())
				w := dial(t, "")
				w.send(test.sent)
				if test.want != "" {
					if res, answer := w.receive(); res.StatusCode != http.StatusOK || !strings.Contains(answer, test.want) {
						t.Errorf("%s %s", res.Status, answer)
					}
				}
				// net/http may say why (408). The end may have come before what was sent.
				if b, err := io.ReadAll(w.r); err != nil && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the connection does not end: %v, %q", err, b)
				}
			})
		})
	}
}
