// SPDX-License-Identifier: GPL-2.0-or-later

// Package service is what users can do: log in, view the table, kill and change
// connections, each as one call with typed values. XML-RPC, and whatever else faces
// users, is a way of calling it, and there is no other path to the helper. It decides
// who may call what, never trusts a name or a number that comes in, and returns errors
// of type *Fault only, whose texts are fit for a client.
package service
