// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"strconv"
	"strings"
	"testing"

	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/frontd/xmlrpc"
)

// BenchmarkPage reads a page of whole rows, of which an export of a million has a thousand.
func BenchmarkPage(b *testing.B) {
	var row strings.Builder
	for i, f := range connection.Fields() {
		row.WriteString("<member><name>" + f.Name + "</name><value><string>" + strconv.Itoa(i*i*i*10007) + "</string></value></member>")
	}
	rows := strings.Repeat("<value><struct>"+row.String()+"</struct></value>", PageRows)
	body := response("<struct><member><name>table</name><value><array><data>" + rows + "</data></array></value></member></struct>")
	c := New(Config{})
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		answer, err := xmlrpc.ReadResponse(strings.NewReader(body), xmlrpc.Limits{Bytes: MaxAnswer, Depth: maxDepth, Values: maxValues})
		if err != nil {
			b.Fatal(err)
		}
		var page Page
		if err := c.decode("view", answer, &page); err != nil || len(page.Rows) != PageRows {
			b.Fatal(len(page.Rows), err)
		}
	}
}
