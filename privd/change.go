// SPDX-License-Identifier: GPL-2.0-or-later

package privd

import (
	"errors"
	"fmt"

	"nuconntrack/ipc"
	"nuconntrack/privd/ctnetlink"

	"golang.org/x/sys/unix"
)

func (a *attempt) change() ipc.Result {
	if a.req.Change.Field == ipc.FieldMark {
		return a.changeMark()
	}
	return a.changeTimeout()
}

// changeMark sets the bits of the mask and shows what the kernel holds then.
func (a *attempt) changeMark() ipc.Result {
	change := a.req.Change
	err := a.server.cfg.Table.SetMark(a.entry, change.Value, change.Mask)
	after, result, ok := a.readBack(err)
	if !ok {
		return result
	}
	switch {
	case after.Mark()&change.Mask == change.Value && !refusedByKernel(err):
		result.Outcome = ipc.Changed
	case after.Mark() != a.entry.Mark():
		result.Outcome, result.Errno = ipc.Partial, errno(err)
	case err == nil:
		// Acknowledged and ignored: a kernel without CONFIG_NF_CONNTRACK_MARK.
		result.Outcome, result.Errno = ipc.Failed, uint16(unix.EOPNOTSUPP)
	default:
		result.Outcome, result.Errno = ipc.Failed, errno(err)
	}
	return result
}

// changeTimeout sets the timeout and fixes it. EBUSY means that the status has changed
// since it was read: the kernel has set the timeout, but not fixed it, so that the next
// packet may renew it. It is tried again with the status that is read then.
func (a *attempt) changeTimeout() ipc.Result {
	if a.entry.FixedTimeout() {
		v := a.value(a.entry)
		return ipc.Result{Outcome: ipc.Fixed, Old: v, New: v}
	}
	seconds, latest, busy := a.req.Change.Value, a.entry, false
	for try := 1; ; try++ {
		err := a.server.cfg.Table.FixTimeout(latest, seconds)
		after, result, ok := a.readBack(err)
		if !ok {
			return result
		}
		isBusy := errors.Is(err, unix.EBUSY)
		busy = busy || isBusy
		if isBusy && !after.FixedTimeout() && try < fixTries {
			latest = after
			continue
		}
		result.Outcome, result.Errno = a.fixOutcome(err, after, busy)
		return result
	}
}

// fixOutcome judges the last try by the connection that was read after it; busy says that
// some try has set the timeout.
func (a *attempt) fixOutcome(err error, after Entry, busy bool) (ipc.Outcome, uint16) {
	switch {
	case after.FixedTimeout() && !refusedByKernel(err):
		return ipc.Changed, 0 // perhaps without the kernel's answer, but it is fixed
	case after.FixedTimeout() && !busy:
		return ipc.Fixed, errno(err) // by somebody else, since it was read
	case busy, !refusedByKernel(err):
		return ipc.Partial, errno(err)
	}
	return ipc.Failed, errno(err)
}

// readBack reads the connection after a change, err being the kernel's answer to that.
// Unless ok it is no longer to be seen, and result is what to answer.
func (a *attempt) readBack(err error) (after Entry, result ipc.Result, ok bool) {
	result.Old = a.value(a.entry)
	read := a.server.cfg.Table.Get([]ipc.Target{a.req.Target})[0]
	after, getErr := read.Entry, read.Err
	switch {
	case errors.Is(getErr, ctnetlink.ErrNotFound):
		result.Outcome = ipc.Gone
		return nil, result, false
	case getErr != nil:
		// What was acknowledged, or not refused, may have been done.
		result.Outcome, result.Errno = ipc.Partial, errno(getErr)
		if refusedByKernel(err) {
			result.Outcome, result.Errno = ipc.Failed, errno(err)
		}
		return nil, result, false
	}
	result.New = a.value(after)
	if after.Target() != a.req.Target {
		// An update does not compare ids: the later connection may have got it.
		result.Outcome = ipc.Replaced
		a.record.Detail = fmt.Sprintf("the connection with id %d has its addresses, and may have got the change",
			after.Target().ID)
		return nil, result, false
	}
	return after, result, true
}
