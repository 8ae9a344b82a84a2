// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"fmt"
	"strconv"
)

// Size writes a number in at most five characters, with k, M, G, T, P and E for powers
// of 1000. It rounds down, so that nothing looks like more than it is.
func Size(n uint64) string {
	if n < 1000 {
		return strconv.FormatUint(n, 10)
	}
	unit := uint64(1000)
	for _, letter := range "kMGTP" {
		if n/unit < 1000 {
			return scaled(n, unit, letter)
		}
		unit *= 1000
	}
	return scaled(n, unit, 'E')
}

func scaled(n, unit uint64, letter rune) string {
	if n/unit >= 10 {
		return fmt.Sprintf("%d%c", n/unit, letter)
	}
	return fmt.Sprintf("%d.%d%c", n/unit, n/(unit/10)%10, letter)
}

// Seconds writes a duration with its two largest units: 59s, 4m59s, 2h03m, 4d23h.
func Seconds(n uint64) string {
	switch {
	case n < 60:
		return fmt.Sprintf("%ds", n)
	case n < 3600:
		return fmt.Sprintf("%dm%02ds", n/60, n%60)
	case n < 86400:
		return fmt.Sprintf("%dh%02dm", n/3600, n/60%60)
	default:
		return fmt.Sprintf("%dd%02dh", n/86400, n/3600%24)
	}
}
