// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import "strings"

// whole is the weight 1.
const whole = 1000

// acceptsGzip says whether a request asks for gzip by the values of its Accept-Encoding
// headers (RFC 9110, section 12.5.3). "*" does not ask for it, and a client that likes to have
// the answer as it is better gets it so.
func acceptsGzip(headers []string) bool {
	gzip, identity := -1, -1
	for _, h := range headers {
		for part := range strings.SplitSeq(h, ",") {
			coding, params, weighted := strings.Cut(part, ";")
			q := whole
			if weighted {
				q = weight(params)
			}
			switch strings.ToLower(strings.Trim(coding, " \t")) {
			case "gzip", "x-gzip":
				gzip = lower(gzip, q)
			case "identity":
				identity = lower(identity, q)
			}
		}
	}
	return gzip > 0 && gzip >= identity
}

// lower is the lower of two weights, of which the first may be missing: whoever says a thing
// twice is believed where he asks for less.
func lower(have, q int) int {
	if have < 0 {
		return q
	}
	return min(have, q)
}

// weight reads "q=0.5" (RFC 9110, section 12.4.2) in thousandths. What is none counts as 0.
func weight(s string) int {
	s = strings.Trim(s, " \t")
	if len(s) < 3 || s[0]|0x20 != 'q' || s[1] != '=' || s[2] != '0' && s[2] != '1' {
		return 0
	}
	q := int(s[2]-'0') * whole
	s = s[3:]
	if s == "" {
		return q
	}
	if s[0] != '.' || len(s) > len(".123") {
		return 0
	}
	unit := whole
	for _, c := range []byte(s[1:]) {
		if c < '0' || c > '9' {
			return 0
		}
		unit /= 10
		q += int(c-'0') * unit
	}
	if q > whole {
		return 0
	}
	return q
}
