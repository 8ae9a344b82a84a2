// SPDX-License-Identifier: GPL-2.0-or-later

package connection

import (
	"math"
	"net"
	"strconv"
)

// Row is a connection as the server sent it.
type Row map[string]any

// Text gives a field as text; false if the row lacks it or holds no scalar there.
// The text is the network's.
func (r Row) Text(name string) (string, bool) {
	switch v := r[name].(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	}
	return "", false
}

// Number gives a field as a number; false if the row lacks it or holds none there.
func (r Row) Number(name string) (uint64, bool) {
	switch v := r[name].(type) {
	case int64:
		return uint64(v), v >= 0
	case string:
		n, err := strconv.ParseUint(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// Flag gives a field as a flag; ok is false if the row does not say.
func (r Row) Flag(name string) (set, ok bool) {
	set, ok = r[name].(bool)
	return set, ok
}

// Endpoint gives address and port of an end, such as repl_dst, or the address alone;
// false if there is no address.
func (r Row) Endpoint(direction, end string) (string, bool) {
	addr, ok := r.Text(direction + "_" + end)
	if !ok || addr == "" {
		return "", false
	}
	port, ok := r.Number(direction + "_port_" + end)
	if !ok || port > math.MaxUint16 {
		return addr, true
	}
	return net.JoinHostPort(addr, strconv.FormatUint(port, 10)), true
}
