// SPDX-License-Identifier: GPL-2.0-or-later

// Package sdnotify tells systemd how a daemon is, see sd_notify(3), over one socket that is
// opened at the start: what locks itself up afterwards needs no other. Without systemd it
// does nothing. It must never be a reason for a daemon to stop: what cannot be told is
// logged. Its input is systemd's environment.
package sdnotify
