// SPDX-License-Identifier: GPL-2.0-or-later

// Go, github.com/kolo/xmlrpc. Arguments: address, user.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/kolo/xmlrpc"
)

var client *xmlrpc.Client

func call(result any, method string, params ...any) error {
	return client.Call(method, params, result)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// fault reads a fault. The client is one of net/rpc, which leaves only the text of an error.
func fault(err error) string {
	var code int
	if _, scanned := fmt.Sscanf(err.Error(), "Fault(%d)", &code); scanned != nil {
		return fmt.Sprint("client ", err)
	}
	_, text, _ := strings.Cut(err.Error(), ": ")
	return fmt.Sprint("fault ", code, " ", text)
}

// view is what is used here of what the method view returns. Values of type any become
// strings, int64 and bool as they come.
type view struct {
	Table []map[string]any `xmlrpc:"table"`
	Total int              `xmlrpc:"total"`
}

func main() {
	var err error
	client, err = xmlrpc.NewClient(os.Args[1], nil)
	must(err)
	var session string
	must(call(&session, "login", os.Args[2], os.Getenv("NUCT_PASSWORD")))

	filters := map[string]string{"proto": "tcp", "orig_dst": "198.51.100.0/24", "id": ">=2147483648"}
	var page view
	must(call(&page, "view", session, filters, "mark", "DESC", 0, 8))
	fmt.Println("total", page.Total)
	rows := page.Table
	for _, r := range rows {
		assured := map[any]int{true: 1}[r["assured"]]
		fmt.Println("row", r["id"], r["orig_ipv4_src"], r["orig_port_src"], r["orig_ipv4_dst"], r["orig_port_dst"],
			r["mark"], r["state"], assured)
	}
	fmt.Printf("type %T\n", rows[0]["id"])

	kill := func(way string, row map[string]any, value any) {
		err := call(nil, "kill", session, []any{value})
		if err == nil {
			fmt.Println("kill", way, row["id"], "ok")
			return
		}
		fmt.Println("kill", way, row["id"], fault(err))
	}
	id := func(i int) uint32 {
		n, err := strconv.ParseUint(fmt.Sprint(rows[i]["id"]), 10, 32)
		must(err)
		return uint32(n)
	}
	kill("key", rows[0], rows[0]["key"])
	kill("string", rows[1], fmt.Sprint(id(1)))
	kill("integer", rows[2], id(2)) // sent as <i4>, although it does not fit
	kill("double", rows[3], float64(id(3)))
	kill("negative", rows[4], int32(id(4)))
	kill("int64", rows[5], int64(id(5)))

	mark := func(i int) any {
		var one view
		must(call(&one, "view", session, map[string]string{"id": fmt.Sprint(id(i))}))
		return one.Table[0]["mark"]
	}
	must(call(nil, "change", session, "mark", rows[6]["key"], "4026531841"))
	fmt.Println("stale", id(6), mark(6))
	var nothing any
	must(call(&nothing, "refresh", session))
	fmt.Println("nothing", nothing)
	fmt.Println("fresh", id(6), mark(6))
	must(call(nil, "change", session, "timeout", rows[7]["key"], 86400))
	fmt.Println("timeout", id(7), 86400)

	fmt.Println(fault(call(nil, "view", session, map[string]string{"colour": "red"})))
	must(call(nil, "logout", session))
}
