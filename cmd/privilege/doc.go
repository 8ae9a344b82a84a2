// SPDX-License-Identifier: GPL-2.0-or-later

// Package privilege makes a daemon that was started with more than it needs into one
// that has exactly what it needs: another user, a few capabilities or none, and no way
// to get more. It must never leave a process half way: what it cannot show to be gone
// from every thread is an error, after which the daemon has to end. Its input is the
// command line, /etc/passwd, /etc/group and /proc/self, at start only.
//
// It needs a build without cgo: Go then runs the system calls of threads on all of them.
package privilege
