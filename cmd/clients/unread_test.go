// SPDX-License-Identifier: GPL-2.0-or-later

package clients

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"nuconntrack/privd/nstest"
)

// TestThoseWhoDoNotRead: as many guests as may be connected send call after call and read no
// answer, until the daemon can write none of them any more. The others are served all the
// same.
func TestThoseWhoDoNotRead(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		const most = 24
		serve(t, fmt.Sprintf("max_connections = %d\nmax_connections_per_address = %d\nwrite_timeout = \"5m\"", most, most/2))
		session := login(t)
		for name, one := range map[string]string{
			"help":         call("system.methodHelp", "view"),
			"no session":   call("view", "nobody"),
			"no method":    call(strings.Repeat("x", 255)),
			"failed login": call("login"),
		} {
			t.Run(name, func(t *testing.T) {
				calls := strings.Repeat(request("1.1", one), 50)
				var all sync.WaitGroup
				for i := range most {
					c := dialNarrow(t, fmt.Sprintf("127.0.1.%d", i%4+1))
					all.Go(func() { stuff(c, calls) })
				}
				all.Wait()
				served(t, "127.0.0.1", session)
				served(t, "127.0.1.1", session)
			})
		}
	})
}

// dialNarrow connects with as small a buffer for answers as there is.
func dialNarrow(t *testing.T, from string) net.Conn {
	t.Helper()
	d := net.Dialer{
		LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)},
		ControlContext: func(_ context.Context, _, _ string, raw syscall.RawConn) error {
			var err error
			if e := raw.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 1)
			}); e != nil {
				return e
			}
			return err
		},
	}
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// stuff writes until nothing goes any more: the daemon waits for its answers to be read, or
// has ended the connection.
func stuff(c net.Conn, text string) {
	const stuck = time.Second
	for {
		c.SetWriteDeadline(time.Now().Add(stuck))
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
	}
}
