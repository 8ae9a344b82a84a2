// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"cmp"
	"time"
)

// Limits bound what peers can take. A zero member stands for its default.
type Limits struct {
	Connections int           // open at once; the newest beyond it is closed
	Hello       time.Duration // from connecting to hello
	Idle        time.Duration // between two requests of a connection
	Write       time.Duration // for a peer to take one packet
	Dump        time.Duration // for a whole dump, its turn not included
}

// Defaults of Limits.
const (
	DefaultConnections = 16
	DefaultHello       = 5 * time.Second
	DefaultIdle        = time.Minute
	DefaultWrite       = 5 * time.Second
	DefaultDump        = 2 * time.Minute
)

const (
	// fixTries is how often a timeout is fixed again after EBUSY. The status of a
	// connection changes a few times in its first packets, and then hardly ever.
	fixTries = 5
	// maxRetry is the longest time after which a peer is told to try again.
	maxRetry = time.Hour
	// paceCheck is how often a dump that waits for its pace looks whether the policy has
	// become more generous.
	paceCheck = time.Second
	// acceptPause follows a failed accept, which descriptors that have run out repeat.
	acceptPause = 100 * time.Millisecond

	// Warnings about peers: so many at once, and so many a second.
	warningBurst = 20
	warningRate  = 0.2
)

func (l Limits) withDefaults() Limits {
	return Limits{
		Connections: cmp.Or(l.Connections, DefaultConnections),
		Hello:       cmp.Or(l.Hello, DefaultHello),
		Idle:        cmp.Or(l.Idle, DefaultIdle),
		Write:       cmp.Or(l.Write, DefaultWrite),
		Dump:        cmp.Or(l.Dump, DefaultDump),
	}
}
