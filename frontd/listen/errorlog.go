// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"bytes"
	"log"
	"log/slog"
)

// ErrorLog is for http.Server.ErrorLog: what net/http says there is what clients did wrong, with
// their addresses and words in it, and must not fill the log. It comes at debug level, always
// with the same message, so that a log that counts lines by their message counts all of it together.
func ErrorLog(to *slog.Logger) *log.Logger { return log.New(complaints{to}, "", 0) }

// complaints takes one line at a time.
type complaints struct{ log *slog.Logger }

func (c complaints) Write(line []byte) (int, error) {
	c.log.Debug("a client's connection failed", "error", string(bytes.TrimSuffix(line, []byte("\n"))))
	return len(line), nil
}
