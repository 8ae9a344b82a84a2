// SPDX-License-Identifier: GPL-2.0-or-later

// Package web serves the page for those who have only a browser: the table, what is known of a
// connection, who talks most, and kills and changes. It is rendered here, as HTML that works
// without scripts, and calls package service as XML-RPC does: it has no other way to the helper,
// and decides nothing about who may do what.
//
// Every request is an attacker's until it is known to be a user's, and also then it may be
// one that an attacker made his browser send: see gate.go and token.go. What comes from the
// network, and names of users, are shown as text, cleaned of what could reorder or hide it.
package web
