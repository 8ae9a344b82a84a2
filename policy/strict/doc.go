// SPDX-License-Identifier: GPL-2.0-or-later

// Package strict reads configuration files in TOML so that no mistake passes in
// silence: whoever takes values from a Table says their type and bounds, refuses
// unknown keys with Only, and every error names the file, the line and the key.
//
// Its input is the bytes of a file that an administrator wrote, or that somebody else
// made him use: size, nesting and lists are bounded, and nothing of a file gets into a
// message with characters that steer a terminal. It reads no file itself, and must never
// know what the keys mean.
package strict
