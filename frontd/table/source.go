// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"context"

	"nuconntrack/ipc"
)

// Source reads the kernel's table through the helper. Both calls may fail at any time,
// and what they deliver is checked here as if an attacker had written it.
type Source interface {
	// Stats says what the kernel knows about its table as a whole.
	Stats(ctx context.Context) (ipc.Stats, error)
	// Dump hands every connection to each, as whole netlink messages that are valid
	// during the call only. It calls each from one goroutine at a time, ends with the
	// error that each gave, if it gave one, and does not call it again after that.
	Dump(ctx context.Context, each func(data []byte) error) (ipc.DumpEnd, error)
}
