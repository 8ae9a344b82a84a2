// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"errors"

	"nuconntrack/ipc"
	"nuconntrack/privd/ctnetlink"
)

// kill removes those connections of the attempts that are to be killed, by tuple and id,
// and looks what is there then.
func (s *Server) kill(attempts []*attempt) {
	var doomed []*attempt
	var entries []Entry
	for _, a := range attempts {
		if a.req.Op == ipc.OpKill && a.state == open {
			doomed, entries = append(doomed, a), append(entries, a.entry)
		}
	}
	if len(doomed) == 0 {
		return
	}
	deleted := s.cfg.Table.Delete(entries)
	for i, after := range s.cfg.Table.Get(targets(doomed)) {
		doomed[i].settle(doomed[i].killed(deleted[i], after.Entry, after.Err))
	}
}

// killed says what deleting has done, by its error and by what was read afterwards.
//
// The kernel acknowledges only after the connection has left its table. What is found by
// the same tuple afterwards is a later one, even with the same id: that is a hash of
// tuple and address in memory, and the memory may have been used again (nf_ct_get_id).
func (a *attempt) killed(deleted error, after Entry, err error) ipc.Result {
	if err == nil && deleted == nil {
		a.record.Detail = "the addresses are in use again"
	}
	switch {
	case deleted == nil:
		return ipc.Result{Outcome: ipc.Killed}
	case err == nil && after.Target() == a.req.Target:
		return a.failed(deleted)
	case err == nil:
		// It went between reading and deleting, by itself or by a message whose answer
		// was lost, and another one has come.
		return ipc.Result{Outcome: ipc.Replaced}
	case !errors.Is(err, ctnetlink.ErrNotFound):
		return a.failed(deleted)
	case refusedByKernel(deleted):
		return ipc.Result{Outcome: ipc.Gone}
	}
	a.record.Detail = "the kernel's answer was lost, the connection is gone"
	return ipc.Result{Outcome: ipc.Killed}
}

// refusedByKernel reports whether the kernel said no, which means that it did not do it;
// any other error leaves that open.
func refusedByKernel(err error) bool {
	var e *ctnetlink.Error
	return errors.As(err, &e) || errors.Is(err, ctnetlink.ErrRefused)
}
