// SPDX-License-Identifier: GPL-2.0-or-later

// Package acceptance holds no code but tests: they build the real programs and use them
// from outside, as administrators, clients and attackers do, against the real kernel in
// network namespaces of their own. What they want is what API.md promises. They must not
// reach into a daemon; what a daemon did is read from the kernel by other tools
// (nstest.List, conntrack(8)), from /proc, and from what clients get. Their input is the
// source tree, python3 and conntrack(8) where they are installed.
package acceptance
