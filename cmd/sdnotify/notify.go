// SPDX-License-Identifier: GPL-2.0-or-later

package sdnotify

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

const (
	// socketVariable names systemd's socket, in the environment of what it starts.
	socketVariable = "NOTIFY_SOCKET"
	// writeTime is how long systemd may take to read one message.
	writeTime = 2 * time.Second
	// HoldBackTime is how long HoldBack waits.
	HoldBackTime = 5 * time.Second
)

// A Notifier tells systemd. Its methods may be called from any number of goroutines.
type Notifier struct {
	conn  *net.UnixConn // nil: there is nobody to tell
	every time.Duration // between two signs of life; 0: none is asked for
	log   *slog.Logger

	ready sync.Once
	ended chan struct{} // closed by Close
	beats sync.WaitGroup
	close sync.Once
}

// Open reads the environment and opens the socket. It fails if systemd is there and cannot
// be told anything: it would wait for a word and then end the daemon.
func Open(log *slog.Logger) (*Notifier, error) {
	n := &Notifier{log: log, ended: make(chan struct{})}
	address := os.Getenv(socketVariable)
	if address == "" {
		return n, nil
	}
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return nil, fmt.Errorf("read time limit of systemd's watchdog: %w", err)
	}
	n.every = limit / 2 // sd_watchdog_enabled(3)
	n.conn, err = net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("open notify socket: %w", err)
	}
	return n, nil
}

// Ready says that the daemon serves, again after Reloading. From the first time on it is
// also said, as often as systemd's watchdog wants it, that the process is alive: that its
// goroutines are scheduled, not that all of them get on.
func (n *Notifier) Ready() {
	n.send(daemon.SdNotifyReady)
	n.ready.Do(func() {
		if n.conn != nil && n.every > 0 {
			n.beats.Go(n.beat)
		}
	})
}

func (n *Notifier) beat() {
	ticker := time.NewTicker(n.every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			n.send(daemon.SdNotifyWatchdog)
		case <-n.ended:
			return
		}
	}
}

// Reloading says that Ready will follow; systemd compares the time with the one at which it
// asked for the reload.
func (n *Notifier) Reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		n.log.Error("systemd cannot be told", "error", err)
		return
	}
	n.send(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/int64(time.Microsecond)))
}

// Stopping says that the daemon is about to end.
func (n *Notifier) Stopping() { n.send(daemon.SdNotifyStopping) }

// Close ends the signs of life and closes the socket. It may be called twice.
func (n *Notifier) Close() {
	n.close.Do(func() {
		close(n.ended)
		n.beats.Wait()
		if n.conn != nil {
			n.conn.Close()
		}
	})
}

func (n *Notifier) send(state string) {
	if n.conn == nil {
		return
	}
	err := n.conn.SetWriteDeadline(time.Now().Add(writeTime))
	if err == nil {
		_, err = n.conn.Write([]byte(state))
	}
	if err != nil {
		n.log.Error("systemd cannot be told", "state", state, "error", err)
	}
}

// HoldBack is for a daemon that failed by its own fault, after it has said why and before it
// ends: under systemd it waits for HoldBackTime, or until ctx ends. Our sockets have no limit on
// how often they start their service, so that nobody is ever refused. Without a pause a
// mistake in a configuration would make systemd start the daemon as fast as it can, and
// push everything else out of the journal, the audit too.
func HoldBack(ctx context.Context) {
	if os.Getenv(socketVariable) == "" {
		return
	}
	timer := time.NewTimer(HoldBackTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
