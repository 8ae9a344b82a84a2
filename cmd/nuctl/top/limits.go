// SPDX-License-Identifier: GPL-2.0-or-later

package top

import "time"

// Limits of what is fetched and kept.
const (
	// marginRows is how many rows above and below the screen are fetched with it, in screens,
	// between minMargin and maxMargin rows.
	marginScreens = 2
	minMargin     = 40
	maxMargin     = 200
	// maxMarks is how many connections may be marked: one call names no more.
	maxMarks = 10_000
	// sampleRows is how many connections a question names.
	sampleRows = 6
	// maxReportLines is how many outcomes of a kind are told one by one.
	maxReportLines = 200
	// maxWarnings is how many warnings of the server are kept.
	maxWarnings = 20
	// maxInput is the length of what can be typed, in characters.
	maxInput = 4096
)

// The smallest terminal that the table has its place on, in characters.
const (
	minColumns = 60
	minRows    = 12
)

// Times.
const (
	// DefaultInterval is how often the table is read.
	DefaultInterval = 2 * time.Second
	// MinInterval and MaxInterval bound what may be asked for.
	MinInterval = 500 * time.Millisecond
	MaxInterval = time.Hour
	// slowAfter is when a reading that has not ended is mentioned.
	slowAfter = 2 * time.Second
	// watch is how long the server watches what was killed.
	watch = 2 * time.Second
	// messageTime is how long a message stays.
	messageTime = 8 * time.Second
	// beat is how often the clock on the screen moves.
	beat = 250 * time.Millisecond
	// stopGrace is how long stopping for the shell may take to happen, on a machine that has
	// much else to do.
	stopGrace = 5 * time.Second
)
