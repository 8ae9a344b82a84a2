// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"errors"
	"fmt"
	"time"

	"nuconntrack/cmd/nuctl/client"
)

// noTime is the time of what has not happened.
var noTime time.Time

func callError(err error) (*client.Error, bool) {
	var call *client.Error
	ok := errors.As(err, &call)
	return call, ok
}

// troubleOf puts a failed call into one line. The text may be the network's.
func troubleOf(err error) string {
	call, ok := callError(err)
	if !ok {
		return err.Error()
	}
	switch call.Kind {
	case client.Unreachable:
		return "cannot reach " + call.Server
	case client.Timeout:
		return call.Server + " does not answer"
	case client.Status:
		return fmt.Sprintf("%s answers with HTTP status %d", call.Server, call.Code)
	case client.BadAnswer:
		return fmt.Sprintf("%s answers nonsense: %v", call.Server, call.Err)
	case client.Faulted:
		return fmt.Sprintf("%s (fault %d)", call.Text, call.Code)
	}
	return call.Error()
}
