// SPDX-License-Identifier: GPL-2.0-or-later

package audit

import (
	"strconv"

	"nuconntrack/ipc"
)

// Priorities of syslog(3), in the journal's form.
const (
	priorityWarning = "4"
	priorityNotice  = "5"
	priorityInfo    = "6"
)

// fields are what an entry holds, one behind the other in one piece of memory, which the
// next entry takes again: ten thousand kills have four hundred thousand of them.
type fields struct {
	text []byte
	all  []field
}

// field is a key and where its value is in the text.
type field struct {
	key      string
	from, to int
}

func (f *fields) value(of field) []byte { return f.text[of.from:of.to] }

// set takes all of an entry that is not empty, values bounded and printable.
func (f *fields) set(e *Entry) {
	f.text, f.all = f.text[:0], f.all[:0]
	f.add("MESSAGE_ID", MessageID)
	f.add("PRIORITY", e.priority())
	f.add("SYSLOG_IDENTIFIER", Identifier)
	f.end("MESSAGE", e.appendMessage(f.text))
	f.add("NUCT_ACTION", e.Op.String())
	f.add("NUCT_PHASE", string(e.Phase))
	f.end("NUCT_REQUEST_ID", appendRequest(f.text, e.Actor))
	f.end("NUCT_PEER_UID", strconv.AppendUint(f.text, uint64(e.Peer.UID), 10))
	f.end("NUCT_PEER_PID", strconv.AppendInt(f.text, int64(e.Peer.PID), 10))
	f.add("NUCT_CLAIMED_USER", e.Actor.User)
	f.add("NUCT_CLAIMED_CLIENT", e.Actor.Client)
	f.end("NUCT_CT_ID", strconv.AppendUint(f.text, uint64(e.Target.ID), 10))
	f.end("NUCT_ORIG", appendTuple(f.text, e.Target.Protocol, e.Target.Orig))
	f.end("NUCT_REPL", appendTuple(f.text, e.Target.Protocol, e.Target.Reply))
	f.end("NUCT_ZONE", appendZone(f.text, e.Target))
	if e.Op == ipc.OpChange {
		f.add("NUCT_FIELD", e.Field.String())
	}
	f.end("NUCT_OLD", appendNumber(f.text, e.Old))
	f.end("NUCT_NEW", appendNumber(f.text, e.New))
	f.add("NUCT_RULE", e.Rule)
	if e.Phase != Intent {
		f.add("NUCT_OUTCOME", e.outcome())
	}
}

func (f *fields) add(key, value string) { f.end(key, append(f.text, value...)) }

// end takes the text with a value behind it.
func (f *fields) end(key string, text []byte) {
	from := len(f.text)
	if len(text) == from {
		return
	}
	f.text = clean(text, from)
	f.all = append(f.all, field{key, from, len(f.text)})
}

// clean is the last fence: values are made of numbers, names of rules and texts that the
// wire has checked, and are short and printable already. It is for what stands behind from.
func clean(b []byte, from int) []byte {
	if len(b)-from <= maxField && plain(b[from:]) {
		return b
	}
	return append(b[:from], ipc.Printable(string(b[from:]), maxField)...)
}

// plain reports whether b is of printable ASCII alone.
func plain(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func (e *Entry) priority() string {
	switch {
	case e.Phase == Intent:
		return priorityInfo
	case e.Outcome == ipc.Killed || e.Outcome == ipc.Changed || e.Outcome == ipc.Gone:
		return priorityNotice
	}
	return priorityWarning
}

// outcome is the word for programs, one of those that kill_report has, "changed" and "partial".
// The message has the finer one.
func (e *Entry) outcome() string {
	switch e.Outcome {
	case ipc.Fixed, ipc.Limited, ipc.Unaudited:
		return ipc.Failed.String()
	}
	return e.Outcome.String()
}
