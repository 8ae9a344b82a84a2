// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"

	"nuconntrack/ipc"
)

// protocolAccess orders by name.
func protocolAccess() access {
	return access{
		value: func(s *Snapshot, row int) (Value, bool) {
			return Value{Kind: KindText, Text: protocolName(s.proto[row])}, true
		},
		bind: func(s *Snapshot) Loader {
			ranks := protocolRanks()
			return func(b *Block, from, n int) {
				fillMask(&b.Has, n)
				for i, v := range s.proto[from : from+n] {
					b.Val[i&(BlockRows-1)] = uint64(ranks[v])
				}
			}
		},
	}
}

// stateAccess shows the state by its name, whichever the protocol; a number that has
// none here is shown by tcp_state alone.
func stateAccess() access {
	return access{
		value: func(s *Snapshot, row int) (Value, bool) {
			states, ok := statesOf(s.has[row])
			if !ok || int(s.state[row]) >= len(states) {
				return Value{}, false
			}
			return Value{Kind: KindText, Text: states[s.state[row]]}, true
		},
		bind: func(s *Snapshot) Loader {
			ranks := rankOfStates()
			return func(b *Block, from, n int) {
				b.Has = Mask{}
				has := s.has[from : from+n]
				for i, v := range s.state[from : from+n] {
					rank := ranks[has[i]/hasTCPState%8][v]
					b.Val[i&(BlockRows-1)] = uint64(rank)
					b.Has[i/64&(blockWords-1)] |= isSet(uint32(rank^noRank)) << (i & 63)
				}
			}
		},
	}
}

// rankOfStates gives the ranks of states, first by the bits of a row that say which
// protocol's it has: hasTCPState, hasSCTPState and hasDCCPState follow each other.
func rankOfStates() (ranks [8][256]uint8) {
	names := stateNames()
	for which := range ranks {
		states, _ := statesOf(uint32(which) * hasTCPState)
		ranks[which] = stateRanks(names, states)
	}
	return ranks
}

func statesOf(has uint32) ([]string, bool) {
	switch {
	case has&hasTCPState != 0:
		return tcpStates, true
	case has&hasSCTPState != 0:
		return sctpStates, true
	case has&hasDCCPState != 0:
		return dccpStates, true
	}
	return nil, false
}

// addrAccess reads one of the four addresses, of one family or, with 0, of either.
func addrAccess(side int, family uint8) access {
	return access{
		value: func(s *Snapshot, row int) (Value, bool) {
			if family != 0 && s.family[row] != family {
				return Value{}, false
			}
			return Value{Kind: KindAddr, Addr: s.address(side, row)}, true
		},
		bind: func(s *Snapshot) Loader {
			return func(b *Block, from, n int) { loadAddrs(b, s, side, family, from, n) }
		},
	}
}

// address gives one of the four addresses of a row.
func (s *Snapshot) address(side, row int) netip.Addr {
	a := s.addr[side][row]
	if s.family[row] == ipc.FamilyIPv6 {
		return netip.AddrFrom16(s.addr6[a])
	}
	return netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)})
}

// addrWords gives an IPv6 address as two numbers, the first bits in the first.
func (s *Snapshot) addrWords(index uint32) (hi, lo uint64) {
	a := &s.addr6[index]
	return binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:])
}

// nameAccess reads a column of places in the snapshot's list of names.
func nameAccess(need uint32, col func(*columns) []uint16) access {
	a := columnOf(KindText, need, col)
	place := a.value
	a.value = func(s *Snapshot, row int) (Value, bool) {
		v, ok := place(s, row)
		if ok {
			v = Value{Kind: KindText, Text: s.names[v.Num]}
		}
		return v, ok
	}
	places := a.bind
	a.test = nil // it would ask for places
	a.texts = func(s *Snapshot) []string { return sortedTexts(s.names) }
	a.bind = func(s *Snapshot) Loader {
		load, sorted := places(s), a.texts(s)
		ranks := make([]uint64, len(s.names))
		for i, name := range s.names {
			rank, _ := slices.BinarySearch(sorted, name)
			ranks[i] = uint64(rank)
		}
		return func(b *Block, from, n int) {
			load(b, from, n)
			b.Has.Each(n, func(i int) { b.Val[i] = ranks[b.Val[i]] })
		}
	}
	return a
}

func sortedTexts(texts []string) []string {
	sorted := slices.Clone(texts)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// Each calls f for every set bit among the first n, in order.
func (m *Mask) Each(n int, f func(i int)) {
	for w, word := range m[:(n+63)/64] {
		for ; word != 0; word &= word - 1 {
			f(w*64 + bits.TrailingZeros64(word))
		}
	}
}
