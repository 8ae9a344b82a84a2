// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"sync"
)

// turns lets each user do one thing at a time, of a kind that takes long and much memory. Who
// asks for it many times over waits behind himself, and not everybody else behind him. The
// zero value is ready.
type turns struct {
	mu sync.Mutex // guards of, and wanted of its members
	of map[string]*turn
}

// turn is that of one user.
type turn struct {
	wanted int           // by how many calls, the one that has it among them
	taken  chan struct{} // holds one token while somebody has it
}

// take waits for the user's turn, and gives what ends it. A table that is to be looked at must be
// taken after that: calls that wait would keep in memory what nobody else holds any more. The
// error is that of ctx.
func (t *turns) take(ctx context.Context, user string) (end func(), err error) {
	own := t.want(user)
	select {
	case own.taken <- struct{}{}:
		return func() {
			<-own.taken
			t.leave(user, own)
		}, nil
	case <-ctx.Done():
		t.leave(user, own)
		return nil, ctx.Err()
	}
}

func (t *turns) want(user string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.of[user]
	if own == nil {
		if t.of == nil {
			t.of = make(map[string]*turn)
		}
		own = &turn{taken: make(chan struct{}, 1)}
		t.of[user] = own
	}
	own.wanted++
	return own
}

func (t *turns) leave(user string, own *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.wanted--; own.wanted == 0 {
		delete(t.of, user)
	}
}
