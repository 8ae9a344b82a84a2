// SPDX-License-Identifier: GPL-2.0-or-later

package passwd

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckName says why a user name is not acceptable. It holds for every backend: names
// end up in logs, audit entries and pages, where control and format characters (such
// as those that change the direction of writing) would let one user look like another.
//
// Acceptable are 1 to MaxName bytes of valid UTF-8 without a colon, without characters
// of the Unicode categories Cc, Cf, Co, Cs, Zl and Zp, and without space at either end.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("user name is empty")
	case len(name) > MaxName:
		return fmt.Errorf("user name has %d bytes, more than %d", len(name), MaxName)
	case !utf8.ValidString(name):
		return errors.New("user name is not valid UTF-8")
	case strings.TrimSpace(name) != name:
		return errors.New("user name begins or ends with a space")
	}
	for _, r := range name {
		if r == ':' {
			return errors.New("user name contains a colon")
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp) {
			return fmt.Errorf("user name contains the control or format character %U", r)
		}
	}
	return nil
}
