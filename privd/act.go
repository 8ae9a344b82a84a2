// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"errors"
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
}

// act is a kill or a change from its token to its answer.
func (s *Server) act(peer ipc.Peer, r ipc.Request) ipc.Result {
	if ok, retry := s.bucket.Take(time.Now()); !ok {
		retry = min(max(retry, time.Millisecond), maxRetry)
		return ipc.Result{Outcome: ipc.Limited, Rule: policy.RuleKillRate, Retry: retry}
	}
	s.acting.Lock()
	defer s.acting.Unlock()
	a := &attempt{server: s, req: r, record: audit.Entry{
		Op: r.Op, Peer: peer, Actor: r.Actor, Target: r.Target, Field: r.Change.Field,
	}}
	// What is refused or gone is an attempt too: it gets both entries.
	result, refused := a.refuse()
	if err := a.intent(result.Old); err != nil {
		s.cfg.Log.Error("nothing is done: the audit cannot be written", "error", err)
		return ipc.Result{Outcome: ipc.Unaudited}
	}
	if !refused {
		if r.Op == ipc.OpKill {
			result = a.kill()
		} else {
			result = a.change()
		}
	}
	a.result(result)
	return result
}

// refuse reads the connection and says whether there is a reason not to touch it.
func (a *attempt) refuse() (result ipc.Result, refused bool) {
	entry, err := a.server.cfg.Table.Get(a.req.Target)
	switch {
	case errors.Is(err, ctnetlink.ErrNotFound):
		return ipc.Result{Outcome: ipc.Gone}, true
	case err != nil:
		return a.failed(err), true
	case entry.Target() != a.req.Target:
		return ipc.Result{Outcome: ipc.Replaced}, true
	}
	a.entry = entry
	result.Old = a.value(entry)
	d := a.decide(entry.Target())
	if d.Allowed {
		return result, false
	}
	result.Outcome, result.Rule = ipc.Forbidden, d.Rule
	if d.Outcome == policy.OutcomeProtected {
		result.Outcome = ipc.Protected
	}
	return result, true
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
		// Nothing outside is sent, whatever the mark has become since.
		a.req.Change.Value &= rules.MarkMask()
		a.req.Change.Mask &= rules.MarkMask()
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

// intent writes what is wanted. Of a mark that is the whole of what it would become.
func (a *attempt) intent(old *uint32) error {
	e := a.record
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

// result writes what has become of it. Where that fails it can no longer be undone; the
// next attempt's intent will fail as well.
func (a *attempt) result(r ipc.Result) {
	e := a.record
	e.Phase, e.Outcome, e.Rule, e.Errno = audit.Result, r.Outcome, r.Rule, r.Errno
	e.Old, e.New = r.Old, r.New
	if err := a.server.cfg.Audit.Write(e); err != nil {
		a.server.cfg.Log.Error("the result of an attempt is missing in the audit", "error", err,
			"outcome", r.Outcome.String(), "id", a.req.Target.ID)
	}
}

func (a *attempt) failed(err error) ipc.Result {
	a.server.warnings.warn("the kernel refused", "operation", a.req.Op.String(), "error", err)
	return ipc.Result{Outcome: ipc.Failed, Errno: errno(err)}
}
