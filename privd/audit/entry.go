// SPDX-License-Identifier: GPL-2.0-or-later

package audit

import (
	"time"

	"nuconntrack/ipc"
)

const (
	// MessageID is the MESSAGE_ID of all entries, by which the journal finds them.
	MessageID = "6f1d8a3c52b94e0f9c7be2a1740d35c8"
	// Identifier is the SYSLOG_IDENTIFIER of all entries.
	Identifier = "nuconntrack-privd"
	// MaxEntry is the most bytes of an entry in either form. A line that long goes into
	// a pipe whole or not at all (PIPE_BUF).
	MaxEntry = 4096
	// WriteTime is how long the journal or the reader of standard error may take.
	WriteTime = 2 * time.Second

	maxField = 512 // bytes of one value

	usualEntry = 1024 // bytes in which nearly all have room
)

// Phase says whether an entry stands before or behind the attempt.
type Phase string

// The phases.
const (
	Intent Phase = "intent"
	Result Phase = "result"
)

// An Entry is one line of the audit.
type Entry struct {
	Phase  Phase
	Op     ipc.Op     // OpKill or OpChange
	Peer   ipc.Peer   // as the kernel tells
	Actor  ipc.Actor  // as the front daemon claims
	Target ipc.Target // as it was asked for; with an attempt, what the kernel held
	Field  ipc.Field  // with OpChange
	// Old is what the kernel held before, New what is wanted (Intent) or what the kernel
	// holds (Result). Nil where that is not known.
	Old, New *uint32
	Outcome  ipc.Outcome // with Result
	Rule     string      // of the policy, with a refusal by it
	Errno    uint16      // of the kernel; it stands in the message only
	Detail   string      // what else there is to know; it stands in the message only
}

// A Sink writes entries. Safe for concurrent use.
type Sink interface {
	// Write fails if the entry was not handed over whole.
	Write(Entry) error
}
