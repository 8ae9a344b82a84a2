// SPDX-License-Identifier: GPL-2.0-or-later

// Package demo is `nuctl demo`: a firewall to play with, for any user, without root.
//
// Three kinds of process take part:
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
// The package must never touch the machine's own network or firewall, so the inner process
// refuses to work anywhere but in a network namespace that nobody has used yet. It must leave
// nothing behind either: the inner process ends when the pipe on its standard input closes,
// for whatever reason, kill -9 of the outer one included; the kernel ends all others
// with it, as it was their PID 1; and whichever of the two ends last removes the folder.
//
// Its input is the command line of the user who starts it. No daemon's output is interpreted.
package demo
