// SPDX-License-Identifier: GPL-2.0-or-later

package profile

import "errors"

// What Check finds.
var (
	errEmpty    = errors.New("is empty")
	errLong     = errors.New("is longer than 4096 bytes")
	errControl  = errors.New("has control characters in it")
	errHTTPAuth = errors.New("must be auto, basic or never")
	errTimeout  = errors.New("must be a time of more than 0, such as 30s or 2m")
)
