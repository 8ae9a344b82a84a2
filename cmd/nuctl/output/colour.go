// SPDX-License-Identifier: GPL-2.0-or-later

package output

// The few colours there are, as ECMA-48 has them (SGR); 16-colour terminals know all.

// Bold is for titles.
func Bold(text string) string { return "\x1b[1m" + text + "\x1b[0m" }

// Red is for what went wrong.
func Red(text string) string { return "\x1b[31m" + text + "\x1b[0m" }

// Yellow is for what is in doubt.
func Yellow(text string) string { return "\x1b[33m" + text + "\x1b[0m" }
