// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"nuconntrack/frontd/helpertest"
)

// BenchmarkView is a view of 30 rows of 1,000 without the network.
func BenchmarkView(b *testing.B) {
	d := start(b)
	for i := range 1000 {
		d.helper.Add(helpertest.Port(6, uint32(i)*7919, fmt.Sprintf("192.0.2.1:%d", 1000+i), "198.51.100.7:443"))
	}
	session := d.login()
	d.call("set_autorefresh", session, num(0))
	body := document("view", session, emptyArray, str("timeout"), str("DESC"), num(0), num(30))
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		r := httptest.NewRequest("POST", "http://127.0.0.1/RPC2", strings.NewReader(body))
		r.Header.Set("Content-Type", "text/xml")
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		r.RemoteAddr = "127.0.0.1:1000"
		w := httptest.NewRecorder()
		d.server.ServeHTTP(w, r)
		b.SetBytes(int64(w.Body.Len()))
	}
}
