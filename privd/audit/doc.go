// SPDX-License-Identifier: GPL-2.0-or-later

// Package audit writes down who had which connection killed or changed: an entry of
// phase intent before anything is done, and one of phase result after. Refused attempts
// have both too, so that every request that spent from the bucket leaves a pair; those
// that came when the bucket was empty leave none, and cannot flush the others out.
//
// An entry goes to the journal by its native protocol, or as a JSON object on a line of
// its own to standard error, with the same fields. A Sink that could not write returns
// an error within WriteTime, and never loses an entry silently; whether it has reached
// the disk is journald's to say.
//
// Its input is what the kernel says about a connection and a peer, and what the front
// daemon claims about users. Whatever its fields hold, no entry has more bytes than
// MaxEntry, and none has control characters or such that turn the direction of text.
package audit
