// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"errors"

	"nuconntrack/ipc"
	"nuconntrack/privd/ctnetlink"
)

// kill removes those connections of the attempts that are to be killed, by tuple and id.
// Where the kernel does not say that it did, what is there then tells what has become of it.
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
	var unsure []*attempt
	var errs []error
	for i, err := range s.cfg.Table.Delete(entries) {
		if err == nil {
			doomed[i].settle(ipc.Result{Outcome: ipc.Killed})
		} else {
			unsure, errs = append(unsure, doomed[i]), append(errs, err)
		}
	}
	if len(unsure) == 0 {
		return
	}
	for i, after := range s.cfg.Table.Get(targets(unsure)) {
		unsure[i].settle(unsure[i].unconfirmed(errs[i], after.Entry, after.Err))
	}
}

// unconfirmed says what has become of a connection whose deletion failed with this error,
// by what was read afterwards.
//
// No more is read where it did not fail: the kernel acknowledges only after the connection
// has left its table, and what is found by the same tuple then is a later one, even with the
// same id: that is a hash of tuple and address in memory, and the memory may have been used
// again (nf_ct_get_id).
func (a *attempt) unconfirmed(deleted error, after Entry, err error) ipc.Result {
	switch {
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
