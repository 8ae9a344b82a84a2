// SPDX-License-Identifier: GPL-2.0-or-later

// Package rpc serves XML-RPC over HTTP: it checks what comes before XML-RPC starts, reads
// the call with bounds, finds the method in one table, which introspection reads too, and
// writes the answer as it is produced. It decides nothing about connections: that is
// package service's. All its input comes from the network.
package rpc
