// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// columnsOf gives the width of a table: what COLUMNS says, as with ps and ss, else that of the
// terminal, else 0 for no limit.
func columnsOf(out *os.File, setting string) int {
	if n, err := strconv.Atoi(setting); err == nil && n > 0 {
		return n
	}
	if out == nil {
		return 0
	}
	width, _, err := term.GetSize(int(out.Fd()))
	if err != nil || width < 0 {
		return 0
	}
	return width
}

// colour says whether colours are wanted there (no-color.org).
func (a *app) colour(w io.Writer) bool {
	return isTerminal(w) && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}

// unicodeLocale says whether the locale's characters are UTF-8; the first variable that
// is set decides (POSIX, 8.2 Internationalization Variables).
func unicodeLocale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToUpper(getenv(name)); value != "" {
			return strings.Contains(value, "UTF-8") || strings.Contains(value, "UTF8")
		}
	}
	return false
}
