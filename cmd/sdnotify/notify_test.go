// SPDX-License-Identifier: GPL-2.0-or-later

package sdnotify

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// patience bounds a wait for what has to come.
const patience = 90 * time.Second

// systemd is the other end.
type systemd struct{ conn *net.UnixConn }

func listen(t *testing.T) systemd {
	t.Helper()
	address := filepath.Join(t.TempDir(), "n")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv(socketVariable, address)
	return systemd{conn}
}

func (s systemd) next(t *testing.T) string {
	t.Helper()
	s.conn.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 256)
	n, err := s.conn.Read(b)
	if err != nil {
		t.Fatalf("nothing is said: %v", err)
	}
	return string(b[:n])
}

func open(t *testing.T) *Notifier {
	t.Helper()
	n, err := Open(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func TestLifeOfADaemon(t *testing.T) {
	s := listen(t)
	n := open(t)
	n.Ready()
	n.Reloading()
	n.Ready()
	n.Stopping()
	for _, want := range []string{"READY=1", "RELOADING=1\nMONOTONIC_USEC=", "READY=1", "STOPPING=1"} {
		if got := s.next(t); !strings.HasPrefix(got, want) {
			t.Errorf("said %q, want %q", got, want)
		}
	}
	n.Close()
	n.Close()
}

func TestWatchdogIsFedFromReadyToClose(t *testing.T) {
	s := listen(t)
	t.Setenv("WATCHDOG_USEC", "2000")
	n := open(t)
	n.Stopping() // comes first: nothing is said before Ready
	n.Ready()
	for _, want := range []string{"STOPPING=1", "READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := s.next(t); got != want {
			t.Fatalf("said %q, want %q", got, want)
		}
	}
}

func TestWatchdogOfAnotherProcess(t *testing.T) {
	listen(t)
	t.Setenv("WATCHDOG_USEC", "2000")
	t.Setenv("WATCHDOG_PID", "1")
	if n := open(t); n.every != 0 {
		t.Errorf("feeds a watchdog of process 1 every %s", n.every)
	}
}

func TestOpenFails(t *testing.T) {
	for name, set := range map[string][2]string{
		"nobody listens":  {socketVariable, "/nonexistent/notify"},
		"no number":       {"WATCHDOG_USEC", "soon"},
		"a time of zero":  {"WATCHDOG_USEC", "0"},
		"a negative time": {"WATCHDOG_USEC", "-1"},
	} {
		t.Run(name, func(t *testing.T) {
			listen(t)
			t.Setenv(set[0], set[1])
			if _, err := Open(slog.New(slog.DiscardHandler)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestWithoutSystemdNothingHappens(t *testing.T) {
	t.Setenv(socketVariable, "") // restores it at the end
	os.Unsetenv(socketVariable)
	t.Setenv("WATCHDOG_USEC", "what is this")
	n := open(t)
	n.Ready()
	n.Reloading()
	n.Stopping()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		HoldBack(t.Context())
		if d := time.Since(begin); d != 0 {
			t.Errorf("held back for %s", d)
		}
	})
}

func TestHoldBack(t *testing.T) {
	listen(t)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		HoldBack(t.Context())
		if d := time.Since(begin); d != HoldBackTime {
			t.Errorf("held back for %s, want %s", d, HoldBackTime)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin = time.Now()
		HoldBack(ctx)
		if d := time.Since(begin); d != time.Second {
			t.Errorf("held back for %s after it was told to end", d)
		}
	})
}
