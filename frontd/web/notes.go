// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/web/chart"
)

// notes are what the page keeps for a session.
type notes struct {
	history chart.History
	busy    chan struct{} // capacity 1; see groupsInTurn
}

// notes gives those of the session of a request that has one.
func (r *request) notes() *notes {
	return r.call.Notes(func() any { return &notes{busy: make(chan struct{}, 1)} }).(*notes)
}

// groupsInTurn asks for groups when no other request of the session does: of a large table they take
// a second, and only one at a time finds them. So who asks again and again before the answer is there
// waits for himself, and not everybody for him; and what nobody waits for any more is not begun.
func (r *request) groupsInTurn(ask service.GroupRequest) (service.Groups, error) {
	ctx, busy := r.r.Context(), r.notes().busy
	select {
	case busy <- struct{}{}:
		defer func() { <-busy }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return service.Groups{}, &service.Fault{Code: service.CodeInternal, Text: "the call was cancelled"}
	}
	return r.call.Groups(ctx, ask)
}
