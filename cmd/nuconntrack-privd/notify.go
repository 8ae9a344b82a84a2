// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"nuconntrack/privd/audit"

	"golang.org/x/sys/unix"
)

// notifier tells systemd how the helper is, see sd_notify(3). Its socket is opened at
// the start, once and for all. Without one it does nothing.
type notifier struct{ conn *net.UnixConn }

func openNotifier(address string) (*notifier, error) {
	if address == "" {
		return &notifier{}, nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("open notify socket: %w", err)
	}
	return &notifier{conn}, nil
}

func (n *notifier) send(state string, log *slog.Logger) {
	if n.conn == nil {
		return
	}
	err := n.conn.SetWriteDeadline(time.Now().Add(audit.WriteTime))
	if err == nil {
		_, err = n.conn.Write([]byte(state))
	}
	if err != nil {
		log.Error("systemd cannot be told", "state", state, "error", err)
	}
}

// reloading says that READY=1 will follow; systemd compares the time with the one at
// which it asked for the reload.
func (n *notifier) reloading(log *slog.Logger) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		log.Error("systemd cannot be told", "error", err)
		return
	}
	n.send(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/int64(time.Microsecond)), log)
}

func (n *notifier) close() {
	if n.conn != nil {
		n.conn.Close()
	}
}
