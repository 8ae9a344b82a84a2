// SPDX-License-Identifier: GPL-2.0-or-later

// Package config reads the front daemon's configuration file and says what it means.
//
// What stands in the file is looked at once, here: a Config is complete, with every default
// filled in, within all bounds, and free of combinations that cannot work or that would
// open the daemon to people nobody meant. Everything else of the daemon may rely on that.
//
// Its input is a file of the administrator's, and two flags. Errors name the file, the line
// and the key. The package opens no socket, follows no name, and must never print a secret: the
// file has none, only paths of files that do.
package config
