// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"

	"nuconntrack/frontd/reason"
	"nuconntrack/ipc"
)

// Change sets one field of one connection. The kernel's value was read back when it
// returns nil. Once it has begun it goes on, though the client may have left.
func (c *Call) Change(ctx context.Context, ref Ref, change ipc.Change) error {
	if err := change.Check(); err != nil {
		return because(CodeParams, reason.BadChange.Of(change.Field))
	}
	if err := c.permitBits(change); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTime)
	defer cancel()
	targets, err := c.find(ctx, []Ref{ref})
	if err != nil {
		return c.failed("change", err)
	}
	action := ActionMark
	if change.Field == ipc.FieldTimeout {
		action = ActionTimeout
	}
	if f := targets[0].fault; f != nil {
		c.acted(action, map[string]int{notTried(f).outcome: 1})
		return f
	}
	r, err := c.s.helper.Change(ctx, targets[0].target, c.actor(), change)
	if err != nil {
		c.acted(action, map[string]int{ipc.Failed.String(): 1})
		return c.actFault("change", err)
	}
	c.acted(action, map[string]int{r.Outcome.String(): 1})
	switch r.Outcome {
	case ipc.Changed:
		return nil
	case ipc.Replaced:
		if !c.seesNewOwners(ctx, []ipc.Target{targets[0].target})[0] {
			return noConnection()
		}
	}
	return faultOf(r)
}
