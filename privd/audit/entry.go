// SPDX-License-Identifier: GPL-2.0-or-later

package audit

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"nuconntrack/ipc"

	"golang.org/x/sys/unix"
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

	// What nearly all have room in, in bytes.
	usualMessage = 256
	usualEntry   = 1024
)

// Phase says whether an entry stands before or behind the attempt.
type Phase string

// The phases.
const (
	Intent Phase = "intent"
	Result Phase = "result"
)

// Priorities of syslog(3), in the journal's form.
const (
	priorityWarning = "4"
	priorityNotice  = "5"
	priorityInfo    = "6"
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

type field struct{ key, value string }

// fields gives all that are not empty, values bounded and printable.
func (e Entry) fields() []field {
	orig, request := tupleText(e.Target.Protocol, e.Target.Orig), RequestID(e.Actor)
	all := []field{
		{"MESSAGE_ID", MessageID},
		{"PRIORITY", e.priority()},
		{"SYSLOG_IDENTIFIER", Identifier},
		{"MESSAGE", e.message(orig, request)},
		{"NUCT_ACTION", e.Op.String()},
		{"NUCT_PHASE", string(e.Phase)},
		{"NUCT_REQUEST_ID", request},
		{"NUCT_PEER_UID", strconv.FormatUint(uint64(e.Peer.UID), 10)},
		{"NUCT_PEER_PID", strconv.FormatInt(int64(e.Peer.PID), 10)},
		{"NUCT_CLAIMED_USER", e.Actor.User},
		{"NUCT_CLAIMED_CLIENT", e.Actor.Client},
		{"NUCT_CT_ID", strconv.FormatUint(uint64(e.Target.ID), 10)},
		{"NUCT_ORIG", orig},
		{"NUCT_REPL", tupleText(e.Target.Protocol, e.Target.Reply)},
		{"NUCT_ZONE", zoneText(e.Target)},
		{"NUCT_FIELD", e.fieldName()},
		{"NUCT_OLD", number(e.Old)},
		{"NUCT_NEW", number(e.New)},
		{"NUCT_RULE", e.Rule},
		{"NUCT_OUTCOME", e.outcome()},
	}
	kept := all[:0]
	for _, f := range all {
		if f.value != "" {
			kept = append(kept, field{f.key, clean(f.value)})
		}
	}
	return kept
}

// clean is the last fence: values are made of numbers, names of rules and texts that the
// wire has checked, and are short and printable already.
func clean(s string) string {
	if len(s) <= maxField && plain(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '?'
		}
		if b.Len()+utf8.RuneLen(r) > maxField {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plain reports whether s is of printable ASCII alone.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// RequestID names a request as NUCT_REQUEST_ID does.
func RequestID(a ipc.Actor) string {
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, 8), a.RequestID)
	return string(hex.AppendEncode(make([]byte, 0, 16), raw))
}

// message is the entry for people, for whom a list of entries shows nothing else. What the
// front daemon claims is quoted, so that no name can pass for what follows it.
func (e Entry) message(orig, request string) string {
	b := make([]byte, 0, usualMessage)
	write := func(texts ...string) {
		for _, s := range texts {
			b = append(b, s...)
		}
	}
	write(e.Op.String())
	if e.Op == ipc.OpChange {
		write(" ", e.Field.String())
		if e.New != nil {
			write(" to ", number(e.New))
		}
	}
	if e.Phase == Intent {
		write(" asked")
	} else {
		write(": ", e.Outcome.String())
	}
	if e.Rule != "" {
		write(" by rule ", e.Rule)
	}
	if e.Errno != 0 {
		write(" (", unix.Errno(e.Errno).Error(), ")")
	}
	if e.Detail != "" {
		write(" (", e.Detail, ")")
	}
	write(": ", orig, ", request ", request)
	if e.Actor.User != "" {
		write(", user ")
		b = strconv.AppendQuote(b, e.Actor.User)
	}
	if e.Actor.Client != "" {
		write(", client ")
		b = strconv.AppendQuote(b, e.Actor.Client)
	}
	return string(b)
}

func (e Entry) priority() string {
	switch {
	case e.Phase == Intent:
		return priorityInfo
	case e.Outcome == ipc.Killed || e.Outcome == ipc.Changed || e.Outcome == ipc.Gone:
		return priorityNotice
	}
	return priorityWarning
}

func (e Entry) outcome() string {
	if e.Phase == Intent {
		return ""
	}
	return e.Outcome.String()
}

func (e Entry) fieldName() string {
	if e.Op != ipc.OpChange {
		return ""
	}
	return e.Field.String()
}

func number(v *uint32) string {
	if v == nil {
		return ""
	}
	return strconv.FormatUint(uint64(*v), 10)
}

// zoneText gives the zone of both directions, or each with its direction.
func zoneText(t ipc.Target) string {
	if t.Orig.Zone == t.Reply.Zone {
		return strconv.Itoa(int(t.Orig.Zone))
	}
	return fmt.Sprintf("orig=%d repl=%d", t.Orig.Zone, t.Reply.Zone)
}

// tupleText writes a tuple as conntrack(8) does.
func tupleText(protocol uint8, t ipc.Tuple) string {
	b := make([]byte, 0, 128)
	b = append(b, protocolName(protocol)...)
	b = t.Src.WithZone("").AppendTo(append(b, " src="...))
	b = t.Dst.WithZone("").AppendTo(append(b, " dst="...))
	number := func(name string, n uint64) {
		b = strconv.AppendUint(append(b, name...), n, 10)
	}
	switch t.Kind {
	case ipc.Ports:
		number(" sport=", uint64(t.SrcPort))
		number(" dport=", uint64(t.DstPort))
	case ipc.ICMP:
		number(" type=", uint64(t.ICMPType()))
		number(" code=", uint64(t.ICMPCode()))
		number(" id=", uint64(t.SrcPort))
	}
	return string(b)
}

func protocolName(n uint8) string {
	switch n {
	case 1:
		return "icmp"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 33:
		return "dccp"
	case 47:
		return "gre"
	case 58:
		return "icmpv6"
	case 132:
		return "sctp"
	case 136:
		return "udplite"
	}
	return "proto=" + strconv.Itoa(int(n))
}
