// SPDX-License-Identifier: GPL-2.0-or-later

// Package attacker holds no code but tests. They take it that nuconntrack-frontd belongs
// to an attacker: whoever has its uid speaks to the real nuconntrack-privd, in a network
// namespace of its own, with all that the socket takes, and wants to touch what is
// protected, to flush the table, to create connections, to act without a trace or beyond
// the policy's pace, or to wear the helper out. Afterwards the kernel's table, the
// audit, and /proc have to tell one story.
//
// The tests must not reach into the helper, nor take its word: what became of the table
// is read with nstest, what belongs to a connection is told by the bytes that were sent.
// Their input is the source tree, and two variables of the environment:
//
//	NUCONNTRACK_ATTACK_PACKETS  how many packets the attack has (50,000)
//	NUCONNTRACK_ATTACK_SEED     what the attackers do by chance (else by the clock; the
//	                            test logs it); the order among them stays chance
package attacker
