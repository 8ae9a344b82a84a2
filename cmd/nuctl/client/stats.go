// SPDX-License-Identifier: GPL-2.0-or-later

package client

import "context"

// Stats asks what the server knows of the table as a whole: numbers as int64 or decimal
// strings, flags as bool; what it does not know is not there. Roles that see a part of the
// table only may not ask (FaultPermission).
func (s *Session) Stats(ctx context.Context) (map[string]any, error) {
	var stats map[string]any
	err := s.call(ctx, &stats, "stats")
	return stats, err
}
