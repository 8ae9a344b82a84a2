// SPDX-License-Identifier: GPL-2.0-or-later

package clients

import (
	"fmt"
	"strings"
	"testing"

	"nuconntrack/privd/nstest"
)

// hanging are the ways to hang on the daemon: what is sent, and then nothing more.
func hanging(session string) map[string]string {
	return map[string]string{
		"nothing":              "",
		"one byte":             "P",
		"in the header":        head("1.1", "X-Slow: "),
		"before the body":      head("1.1", "Content-Length: 20\r\n\r\n"),
		"leave to go on":       head("1.1", "Expect: 100-continue\r\nContent-Length: 20\r\n\r\n"),
		"in a chunk":           head("1.1", "Transfer-Encoding: chunked\r\n\r\n5\r\n<m"),
		"before the last byte": head("1.1", fmt.Sprintf("Content-Length: %d\r\n\r\n", len(hello)+1)) + hello,
		// A session makes nobody better, as long as his call does not come.
		"in a long call": head("1.1", "Content-Length: 100000\r\n\r\n") + call("view", session) + strings.Repeat(" ", 8<<10),
		// These are answered before they have sent all.
		"in a long call of nobody": head("1.1", "Content-Length: 9000\r\n\r\n") + call("view", "nobody") + strings.Repeat(" ", 8<<10),
		"in what is refused":       head("1.1", "Origin: null\r\nContent-Length: 20\r\n\r\n<"),
		// These do not read their answers, nor go on.
		"answered":       request("1.1", hello),
		"answered often": strings.Repeat(request("1.1", hello), 50),
	}
}

// TestThousandClientsHang: in each of the ways more clients hang than may be connected, and
// for longer than the test takes. The others are served all the same: from addresses of
// their own, and from one of those that hang.
func TestThousandClientsHang(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		serve(t, "header_timeout = \"5m\"\nbody_timeout = \"5m\"\nwrite_timeout = \"5m\"\nidle_timeout = \"5m\"")
		session := login(t)
		for name, sent := range hanging(session) {
			t.Run(name, func(t *testing.T) {
				const addresses, each = 5, 256 // 1280 of at most 1024; 256 may come from one
				for i := range addresses * each {
					dial(t, fmt.Sprintf("127.0.1.%d", i/each+1)).send(sent)
				}
				for _, from := range []string{"127.0.0.1", "127.0.2.1", fmt.Sprintf("127.0.1.%d", addresses)} {
					served(t, from, session)
				}
			})
		}
	})
}

// served wants the calls of somebody who does nothing wrong to be answered.
func served(t *testing.T, from, session string) {
	t.Helper()
	whoami := request("1.1", call("whoami", session))
	want := func(w *wire) {
		t.Helper()
		w.send(whoami)
		if res, answer := w.receive(); res.StatusCode != 200 || outcome(answer) != "" || !strings.Contains(answer, user) {
			t.Fatalf("from %s: %s %s", from, res.Status, answer)
		}
	}
	for range 10 {
		w := dial(t, from)
		want(w)
		w.Close()
	}
	w := dial(t, from)
	for range 10 {
		want(w)
	}
	// Reading the table works as well.
	w.send(request("1.1", call("view", session)))
	if res, answer := w.receive(); res.StatusCode != 200 || outcome(answer) != "" {
		t.Errorf("view from %s: %s %s", from, res.Status, answer)
	}
}
