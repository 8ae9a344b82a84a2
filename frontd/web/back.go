// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"net/url"
	"slices"
)

// maxBack is the length of the longest address to come back to, bytes. Beyond it begins anew.
const maxBack = 16 << 10

// back makes an address of ours of one that came in a form or in another address, and takes it
// apart. Whatever else it is becomes the table: it must never lead elsewhere, nor to what acts.
func back(address string) (path string, values url.Values) {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxBack || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		!slices.Contains([]string{pathTable, pathConnection, pathTalkers}, u.Path) {
		return pathTable, url.Values{}
	}
	// The path is one of these three, whatever was before it.
	return u.Path, u.Query()
}

// tableOf is back, and where that is a connection, the table or the talkers that it was come to from.
func tableOf(address string) (path string, values url.Values) {
	if path, values = back(address); path == pathConnection {
		path, values = back(values.Get(paramBack))
	}
	if path == pathConnection {
		return pathTable, url.Values{}
	}
	return path, values
}

// backTo is back in one piece.
func backTo(address string) string { return join(back(address)) }

func join(path string, values url.Values) string {
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}
