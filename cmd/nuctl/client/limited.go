// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"strconv"
	"strings"
	"time"
)

// The text of FaultBusy around its number of seconds. A report carries the text of a fault and
// not its code, so that this text, which the interface lays down, is what tells a refusal for now
// from one for good.
const (
	busyText = "too many requests, "
	busyHead = "try again after "
	busyTail = " seconds"
)

// busyPause stands for the time to wait where the server names none.
const busyPause = time.Second

// Limited says whether the connection was left alone for now only, because too many are killed
// at once, and after which time to try again: whole seconds, at least one, at most 2^32-1.
func (r Report) Limited() (after time.Duration, limited bool) {
	rest, ok := strings.CutPrefix(r.Detail, busyText)
	if !ok || r.Outcome != OutcomeFailed {
		return 0, false
	}
	return secondsIn(rest)
}

// unsureTail ends the text of a fault where the server lost its helper before the answer came.
const unsureTail = "it may have been done all the same"

// Unsure says whether nobody knows what became of the connection.
func (r Report) Unsure() bool {
	return r.Outcome == OutcomeFailed && strings.HasSuffix(r.Detail, unsureTail)
}

// RetryAfter is the time to wait before the same call may be made again, with FaultBusy.
func (e *Error) RetryAfter() time.Duration {
	if at := strings.LastIndex(e.Text, busyHead); at >= 0 {
		if after, ok := secondsIn(e.Text[at:]); ok {
			return after
		}
	}
	return busyPause
}

func secondsIn(text string) (time.Duration, bool) {
	text, head := strings.CutPrefix(text, busyHead)
	text, tail := strings.CutSuffix(text, busyTail)
	n, err := strconv.ParseUint(text, 10, 32)
	if !head || !tail || err != nil {
		return 0, false
	}
	return max(time.Second, time.Duration(n)*time.Second), true
}
