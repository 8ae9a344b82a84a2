// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"errors"
	"os"
	"time"

	"nuconntrack/ipc"
	"nuconntrack/policy"
	"nuconntrack/privd/audit"
	"nuconntrack/privd/ctnetlink"
)

// attempt is one kill or change under way.
type attempt struct {
	server *Server
	req    ipc.Request
	entry  Entry       // as read from the kernel; nil before, and without a match
	record audit.Entry // what intent and result have in common
	result ipc.Result
	state  progress
}

// progress is how far an attempt has come.
type progress uint8

const (
	limited   progress = iota // it was not begun: the bucket is empty
	open                      // the connection may be touched, when the intent is written
	decided                   // there is nothing to do, or it is done; the audit is to have both
	unaudited                 // it was not done, and the audit has nothing of it
)

// act is what becomes of requests, from their tokens to their answers. More than one are
// kills that have nothing to do with each other, see group; each has its own token,
// decision, entries in the audit and errors, and only what goes to the kernel goes together.
func (s *Server) act(peer ipc.Peer, requests []ipc.Request) []*attempt {
	all := make([]*attempt, len(requests))
	begun := make([]*attempt, 0, len(requests))
	for i, r := range requests {
		all[i] = &attempt{server: s, req: r, record: audit.Entry{
			Op: r.Op, Peer: peer, Actor: r.Actor, Target: r.Target, Field: r.Change.Field,
		}}
		if ok, retry := s.bucket.Take(time.Now()); !ok {
			retry = min(max(retry, time.Millisecond), maxRetry)
			all[i].result = ipc.Result{Outcome: ipc.Limited, Rule: policy.RuleKillRate, Retry: retry}
			continue
		}
		begun = append(begun, all[i])
	}
	if len(begun) == 0 {
		return all
	}
	s.acting.Lock()
	defer s.acting.Unlock()
	s.read(begun)
	// What is refused or gone is an attempt too: it gets both entries.
	var lost error
	for _, a := range begun {
		// One that the journal has kept waiting is enough: the next ones would wait as long.
		if !errors.Is(lost, os.ErrDeadlineExceeded) {
			lost = a.intend()
		}
		if lost != nil {
			a.giveUp(lost)
		}
	}
	s.kill(begun)
	for _, a := range begun {
		if a.state == open {
			a.settle(a.change())
		}
		a.report()
	}
	return all
}

// read reads the connections and finds those that there is a reason not to touch.
func (s *Server) read(attempts []*attempt) {
	for i, r := range s.cfg.Table.Get(targets(attempts)) {
		attempts[i].judge(r.Entry, r.Err)
	}
}

func targets(attempts []*attempt) []ipc.Target {
	all := make([]ipc.Target, len(attempts))
	for i, a := range attempts {
		all[i] = a.req.Target
	}
	return all
}

// judge looks at what reading the connection gave.
func (a *attempt) judge(entry Entry, err error) {
	switch {
	case errors.Is(err, ctnetlink.ErrNotFound):
		a.settle(ipc.Result{Outcome: ipc.Gone})
		return
	case err != nil:
		a.settle(a.failed(err))
		return
	case entry.Target() != a.req.Target:
		a.settle(ipc.Result{Outcome: ipc.Replaced})
		return
	}
	a.entry = entry
	result := ipc.Result{Old: a.value(entry)}
	d := a.decide(entry.Target())
	if d.Allowed {
		a.result, a.state = result, open
		return
	}
	result.Outcome, result.Rule = ipc.Forbidden, d.Rule
	if d.Outcome == policy.OutcomeProtected {
		result.Outcome = ipc.Protected
	}
	a.settle(result)
}

func (a *attempt) settle(r ipc.Result) { a.result, a.state = r, decided }

// giveUp does nothing, because the intent could not be written.
func (a *attempt) giveUp(err error) {
	a.server.cfg.Log.Error("nothing is done: the audit cannot be written", "request", audit.RequestID(a.req.Actor), "error", err)
	a.result, a.state = ipc.Result{Outcome: ipc.Unaudited}, unaudited
}

// decide asks the policy about what the kernel said, which by now is the same as what
// the peer said.
func (a *attempt) decide(t ipc.Target) policy.Decision {
	rules := a.server.rules.Load()
	c := policy.Connection{
		Protocol: t.Protocol,
		Orig:     endpoints(t.Orig), OrigZone: t.Orig.Zone,
		Reply: endpoints(t.Reply), ReplyZone: t.Reply.Zone,
	}
	switch {
	case a.req.Op == ipc.OpKill:
		return rules.Kill(c)
	case a.req.Change.Field == ipc.FieldMark:
		d := rules.ChangeMark(c, a.entry.Mark(), a.req.Change.Value, a.req.Change.Mask)
		if d.Allowed {
			// Nothing outside is sent, whatever the mark has become since. What is refused
			// stays as it was asked for: the audit is to say so.
			a.req.Change.Value &= rules.MarkMask()
			a.req.Change.Mask &= rules.MarkMask()
		}
		return d
	case a.req.Change.Field == ipc.FieldTimeout:
		return rules.ChangeTimeout(c, a.req.Change.Value)
	}
	return policy.Decision{} // a refusal; the wire knows no other field
}

func endpoints(t ipc.Tuple) policy.Endpoints {
	e := policy.Endpoints{Src: t.Src, Dst: t.Dst, HasPorts: t.Kind == ipc.Ports}
	if e.HasPorts {
		e.SrcPort, e.DstPort = t.SrcPort, t.DstPort
	}
	return e
}

// value gives the field that is to be changed; nil for a kill, and where the kernel does
// not tell.
func (a *attempt) value(e Entry) *uint32 {
	switch {
	case a.req.Op != ipc.OpChange:
		return nil
	case a.req.Change.Field == ipc.FieldMark:
		v := e.Mark()
		return &v
	}
	if v, known := e.Timeout(); known {
		return &v
	}
	return nil
}

// intend writes what is wanted, without which nothing is done. Of a mark that is the whole
// of what it would become.
func (a *attempt) intend() error {
	e := a.record
	old := a.result.Old
	e.Phase, e.Old = audit.Intent, old
	if a.req.Op == ipc.OpChange {
		wanted := a.req.Change.Value
		if a.req.Change.Field == ipc.FieldMark && old != nil {
			wanted |= *old &^ a.req.Change.Mask
		}
		if a.req.Change.Field != ipc.FieldMark || old != nil {
			e.New = &wanted
		}
	}
	return a.server.cfg.Audit.Write(e)
}

// report writes what has become of it. Where that fails it can no longer be undone; the
// next attempt's intent will fail as well.
func (a *attempt) report() {
	if a.state != decided {
		return
	}
	e, r := a.record, a.result
	e.Phase, e.Outcome, e.Rule, e.Errno = audit.Result, r.Outcome, r.Rule, r.Errno
	e.Old, e.New = r.Old, r.New
	if err := a.server.cfg.Audit.Write(e); err != nil {
		a.server.cfg.Log.Error("the result of an attempt is missing in the audit", "request", audit.RequestID(a.req.Actor), "error", err,
			"outcome", r.Outcome.String(), "id", a.req.Target.ID)
	}
}

func (a *attempt) failed(err error) ipc.Result {
	a.server.warnings.warn("the kernel refused", "request", audit.RequestID(a.req.Actor), "operation", a.req.Op.String(), "error", err)
	return ipc.Result{Outcome: ipc.Failed, Errno: errno(err)}
}
