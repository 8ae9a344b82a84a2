// SPDX-License-Identifier: GPL-2.0-or-later

// Package doctor judges what makes a server's answers, and kills, weaker than they seem, and
// says what mends it at what cost.
//
// Its input are facts that somebody else has asked the server for; texts among them are the
// network's and pass through unchanged. It does no input or output, and must never turn
// what is not known into something that is fine.
package doctor
