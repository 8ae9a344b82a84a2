// SPDX-License-Identifier: GPL-2.0-or-later

// Package frontd is the daemon that faces the network: it puts together the sockets, the
// sessions and tables of package service and the XML-RPC of package rpc, and serves them
// until it is told to end. It holds no privilege and needs none: whatever it is made to ask
// of the helper, the helper decides again. Everything that comes in over its listeners is
// to be taken as an attacker's.
package frontd
