// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/service"
)

// benchRows is the size of table that the budget of 100 ms a page is for.
const benchRows = 1_000_000

// BenchmarkPage renders pages of a table that is held.
func BenchmarkPage(b *testing.B) {
	d := start(b, func(_ *Config, s *service.Config) { s.MaxAge = time.Hour })
	all := make([]helpertest.Connection, benchRows)
	for i := range all {
		all[i] = helpertest.Port(6, uint32(i), fmt.Sprintf("10.%d.%d.%d:%d", i>>16, i>>8&255, i&255, 1024+i%60000), "198.51.100.1:443")
		all[i].OrigBytes, all[i].ReplyBytes = uint64(i)*7919%1_000_003, uint64(i)*104729%1_000_033
	}
	d.helper.Add(all...)
	viewer := d.login("admin")
	began := time.Now()
	viewer.get("/").want(b, 200)
	b.Logf("read, and the first page shown, in %s", time.Since(began))
	start := 0
	for name, address := range map[string]func() string{
		"the same page": func() string { return "/" },
		"another start": func() string {
			start = (start + 7919) % benchRows
			return fmt.Sprintf("/?sort=orig_counter_bytes&start=%d", start)
		},
		"another filter": func() string { start++; return fmt.Sprintf("/?expr=not+sport+%d&sort=timeout", start%65535) },
		"1000 rows":      func() string { return "/?size=1000" },
		"talkers":        func() string { return pathTalkers },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, viewer.base+address(), nil)
				for name, value := range viewer.cookies {
					r.AddCookie(&http.Cookie{Name: name, Value: value})
				}
				w := httptest.NewRecorder()
				if d.server.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("status %d", w.Code)
				}
			}
		})
	}
}
