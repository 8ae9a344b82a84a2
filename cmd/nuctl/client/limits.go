// SPDX-License-Identifier: GPL-2.0-or-later

package client

import "time"

// Limits on what a server may send.
const (
	// MaxAnswer is the size of an answer's body, in bytes. A page of PageRows rows
	// with every field takes about 3 MiB.
	MaxAnswer = 64 << 20
	// maxHeader is the size of an answer's header, in bytes.
	maxHeader = 64 << 10
	// maxDepth is how deep arrays and structs may nest. The deepest answer, rows of a view,
	// has 3.
	maxDepth = 16
	// maxValues is the number of values in an answer: four times what a page of PageRows rows
	// or MaxMatching reports may have.
	maxValues = 400_000
	// maxName is the length of a field's name, in bytes.
	maxName = 32
	// maxSession is the length of a session id, in bytes.
	maxSession = 512
)

// Limits on what is sent.
const (
	// MaxTargets is how many connections one call of Kill may name: the server reads
	// no more than 20,000 values.
	MaxTargets = 10_000
	// MaxMatching is how many connections the server kills in one call of KillMatching.
	MaxMatching = 20_000
	// PageRows is how many rows one call asks for. The server may give fewer.
	PageRows = 1000
)

// Times.
const (
	// DefaultTimeout is how long a call may take. A server with a million connections
	// needs some seconds for its first table.
	DefaultTimeout = 60 * time.Second
	// dialTimeout is how long connecting may take, TLS included.
	dialTimeout = 10 * time.Second
	// logoutTimeout is how long a logout may keep the user waiting.
	logoutTimeout = 2 * time.Second
	// keepAlive is how often an idle session is touched: the server ends one 10 s after
	// its last call.
	keepAlive = 4 * time.Second
)
