// SPDX-License-Identifier: GPL-2.0-or-later

// Package output writes connections for people and for programs: tables, JSON, CSV.
//
// All it writes came from the network, where names, labels and error texts may have been chosen
// by an attacker. It must never pass on a character that a terminal obeys or that
// changes how its neighbours look, never show an unknown value as 0, and never round a number
// in a format that programs read. It holds one page of rows at a time.
package output
