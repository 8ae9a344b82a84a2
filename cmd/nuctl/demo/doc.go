// SPDX-License-Identifier: GPL-2.0-or-later

// Package demo is `nuctl demo`, a firewall to play with, for any user, without root; and
// `nuctl host`, the same daemons over this machine's own table, for root.
//
// Three kinds of process take part in the demo:
//
//	nuctl demo           outside: opens the TCP listener, writes the files, waits for Ctrl-C
//	└ nuctl demo inside  PID 1 of new user, PID, network and mount namespaces:
//	  │                  addresses on lo, NAT rules, traffic; starts the two daemons
//	  ├ nuconntrack-privd
//	  └ nuconntrack-frontd, which gets the listener as systemd would hand it in
//
// The listener belongs to the machine's network, everything else to the namespace: a client on
// the machine reaches frontd, frontd reaches nothing, and privd sees and kills the
// connections of the namespace only.
//
// Host has the same processes without namespaces, addresses, rules and traffic. Its daemons become
// users of their own, and its folder lets each read its own files: see hostSetting.
//
// The package must never touch the machine's own network, firewall or settings, so what changes
// any refuses to work but in a network namespace that nobody has used yet. It must leave
// nothing behind either: the inner process ends when the pipe on its standard input closes,
// for whatever reason, kill -9 of the outer one included; in the demo the kernel ends all others
// with it, as it was their PID 1, and for host it ends them itself, or the outer process does; and
// whichever of the two ends last removes the folder.
//
// Its input is the command line of the user who starts it, and SUDO_UID. No daemon's output is
// interpreted.
package demo
