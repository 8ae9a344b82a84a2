// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"context"
	"io"
	"os"
)

// contextOfParent ends the process when its standard input does: with the test that started it.
func contextOfParent() (context.Context, context.CancelFunc) {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return context.WithCancel(context.Background())
}
