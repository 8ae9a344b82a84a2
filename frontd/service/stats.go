// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"

	"nuconntrack/ipc"
)

// Stats asks what the kernel says about its table.
func (c *Call) Stats(ctx context.Context) (ipc.Stats, error) {
	st, err := c.s.helper.Stats(ctx)
	if err != nil {
		return ipc.Stats{}, c.failed("stats", err)
	}
	return st, nil
}

// Sessions is how many sessions live.
func (s *Service) Sessions() int { return s.sessions.Len() }
