// SPDX-License-Identifier: GPL-2.0-or-later

package auth

import (
	"context"

	"nuconntrack/frontd/auth/passwd"
)

// Anonymous is the name of a user of None who gave none that is acceptable.
const Anonymous = "anonymous"

// None lets everybody in, with any arguments. The first is taken for the user's name
// where it can be one: it says who somebody claims to be, for logs and audit, and
// proves nothing.
type None struct{}

var _ Backend = None{}

// Login never fails.
func (None) Login(_ context.Context, req Request) (Identity, error) {
	if len(req.Args) > 0 {
		if name, ok := req.Args[0].(string); ok && passwd.CheckName(name) == nil {
			return Identity{User: name}, nil
		}
	}
	return Identity{User: Anonymous}, nil
}
