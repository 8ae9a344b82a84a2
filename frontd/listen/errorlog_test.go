// SPDX-License-Identifier: GPL-2.0-or-later

package listen

import (
	"bytes"
	"log/slog"
	"testing"
)

func TestErrorLog(t *testing.T) {
	var out bytes.Buffer
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	for level, want := range map[slog.Level]string{
		slog.LevelInfo:  "",
		slog.LevelDebug: "level=DEBUG msg=\"a client's connection failed\" error=\"http: TLS handshake error from 192.0.2.1:7: EOF\"\n",
	} {
		out.Reset()
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level, ReplaceAttr: withoutTime}))
		ErrorLog(log).Printf("http: TLS handshake error from %s: EOF", "192.0.2.1:7")
		if out.String() != want {
			t.Errorf("at %s: %q, want %q", level, out.String(), want)
		}
	}
}
