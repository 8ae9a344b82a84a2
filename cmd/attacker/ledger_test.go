// SPDX-License-Identifier: GPL-2.0-or-later

package attacker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"nuconntrack/privd/audit"
)

const (
	maxWrongs = 20 // as many are kept for the report
	logTail   = 50 // lines of the log that are kept
)

// ledger is what the helper wrote to standard error, as it comes: the audit, of which it
// keeps accounts, and the log.
type ledger struct {
	peerUID, peerPID string
	part             []byte // of a line that is not whole yet; of whoever writes

	mu       sync.Mutex // guards what follows
	pending  map[string]int
	intents  int
	outcomes map[string]int
	killed   map[string]int    // how often, by name of the connection
	marks    map[string]change // what the marks were and are
	fixed    map[string]uint32 // timeouts that were set
	done     map[string]string // outcomes of what was done, by request id
	wrongs   []string
	lines    int // of the log
	bytes    int // of the log
	tail     []string
}

type change struct{ first, last uint32 }

func newLedger(uid, pid int) *ledger {
	return &ledger{
		peerUID: strconv.Itoa(uid), peerPID: strconv.Itoa(pid),
		pending: make(map[string]int), outcomes: make(map[string]int), killed: make(map[string]int),
		marks: make(map[string]change), fixed: make(map[string]uint32), done: make(map[string]string),
	}
}

// Write takes what the helper writes, from one goroutine, in pieces of any length.
func (l *ledger) Write(b []byte) (int, error) {
	l.part = append(l.part, b...)
	for {
		end := bytes.IndexByte(l.part, '\n') + 1
		if end == 0 {
			return len(b), nil
		}
		l.line(l.part[:end])
		l.part = l.part[end:]
	}
}

func (l *ledger) line(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if line[0] == '{' {
		e, err := parseEntry(line)
		if err == nil {
			err = l.enter(e)
		}
		if err != nil {
			l.wrong("%v: %.600q", err, line)
		}
		return
	}
	l.lines++
	l.bytes += len(line)
	if len(l.tail) == logTail {
		l.tail = l.tail[1:]
	}
	l.tail = append(l.tail, string(line))
}

func (l *ledger) wrong(format string, args ...any) {
	if len(l.wrongs) < maxWrongs {
		l.wrongs = append(l.wrongs, fmt.Sprintf(format, args...))
	}
}

// parseEntry reads a line strictly: one object, each name once, values that are strings,
// nothing in it that a terminal does not print.
func parseEntry(line []byte) (map[string]string, error) {
	text, whole := bytes.CutSuffix(line, []byte("\n"))
	if !whole || len(line) > audit.MaxEntry || !utf8.Valid(text) {
		return nil, fmt.Errorf("a line of %d bytes, whole: %t", len(line), whole)
	}
	for _, r := range string(text) {
		if !unicode.IsPrint(r) {
			return nil, fmt.Errorf("%U in the audit", r)
		}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("no object: %v", err)
	}
	e := make(map[string]string, 24)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, isName := name.(string)
		v, isText := value.(string)
		if _, twice := e[key]; !isName || !isText || twice {
			return nil, fmt.Errorf("%v twice: %t, or not a string", name, twice)
		}
		for _, r := range v {
			if !unicode.IsPrint(r) {
				return nil, fmt.Errorf("%U in %s", r, key)
			}
		}
		e[key] = v
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one object")
	}
	return e, nil
}

// enter keeps the accounts.
func (l *ledger) enter(e map[string]string) error {
	if e["MESSAGE_ID"] != audit.MessageID || e["NUCT_PEER_UID"] != l.peerUID || e["NUCT_PEER_PID"] != l.peerPID {
		return fmt.Errorf("wrong message id, or peer other than uid %s, pid %s", l.peerUID, l.peerPID)
	}
	name := strings.Join([]string{e["NUCT_CT_ID"], e["NUCT_ORIG"], e["NUCT_REPL"], e["NUCT_ZONE"]}, " | ")
	attempt := strings.Join([]string{name, e["NUCT_ACTION"], e["NUCT_FIELD"], e["NUCT_REQUEST_ID"],
		e["NUCT_CLAIMED_USER"], e["NUCT_CLAIMED_CLIENT"]}, " | ")
	switch e["NUCT_PHASE"] {
	case "intent":
		l.intents++
		l.pending[attempt]++
		return nil
	case "result":
	default:
		return fmt.Errorf("phase %q", e["NUCT_PHASE"])
	}
	if l.pending[attempt] == 0 {
		return fmt.Errorf("a result without an intent")
	}
	if l.pending[attempt]--; l.pending[attempt] == 0 {
		delete(l.pending, attempt)
	}
	l.outcomes[e["NUCT_OUTCOME"]]++
	switch outcome := e["NUCT_OUTCOME"]; outcome {
	case "killed", "changed":
		l.done[e["NUCT_REQUEST_ID"]] = outcome
		return l.act(e, name)
	case "gone", "replaced", "protected", "forbidden", "failed":
		return nil
	}
	return fmt.Errorf("outcome %q", e["NUCT_OUTCOME"])
}

// act enters what was done. Nobody else changes anything, so that every old value has to
// be the new one of the change before.
func (l *ledger) act(e map[string]string, name string) error {
	if l.killed[name] > 0 {
		return fmt.Errorf("an act on what was killed before")
	}
	if e["NUCT_ACTION"] == "kill" {
		l.killed[name]++
		return nil
	}
	before, err := strconv.ParseUint(e["NUCT_OLD"], 10, 32)
	if err != nil {
		return err
	}
	after, err := strconv.ParseUint(e["NUCT_NEW"], 10, 32)
	if err != nil {
		return err
	}
	if e["NUCT_FIELD"] == "timeout" {
		if _, twice := l.fixed[name]; twice {
			return fmt.Errorf("a timeout that was fixed before")
		}
		l.fixed[name] = uint32(after)
		return nil
	}
	c, known := l.marks[name]
	if !known {
		c.first = uint32(before)
	} else if c.last != uint32(before) {
		return fmt.Errorf("the mark was %#x", c.last)
	}
	c.last = uint32(after)
	l.marks[name] = c
	return nil
}

func (l *ledger) log() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.tail, "")
}

// closed wants the accounts of a helper that has ended to be in order.
func (l *ledger) closed(t testing.TB) {
	t.Helper()
	if len(l.part) > 0 {
		t.Errorf("audit: it ends within a line: %.600q", l.part)
	}
	for _, w := range l.wrongs {
		t.Errorf("audit: %s", w)
	}
	for attempt := range l.pending {
		t.Errorf("audit: no result of %s", attempt)
	}
}
