// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import "slices"

// slab is the one allocation for all values (or members) of a call. While a list is being
// read its elements are stacked at the back, downwards; when it ends they move to the
// front, where they stay. An element is in one place at a time, so a slab as long
// as the number of elements never runs out, however lists are nested.
type slab[T any] struct {
	all   []T
	front int // all[:front] is handed out
	back  int // all[back:] is the stack, last pushed first
}

func newSlab[T any](n int) slab[T] {
	if n == 0 {
		return slab[T]{}
	}
	return slab[T]{all: make([]T, n), back: n}
}

// push adds an element to the list being read.
func (s *slab[T]) push(v T) {
	s.back--
	s.all[s.back] = v
}

// take ends the list of the last n pushed and returns it in the order of pushing.
// Its capacity ends with it, so that nobody can append into a neighbour.
func (s *slab[T]) take(n int) []T {
	if n == 0 {
		return nil
	}
	stacked := s.all[s.back : s.back+n]
	slices.Reverse(stacked)
	list := s.all[s.front : s.front+n : s.front+n]
	copy(list, stacked)
	s.front += n
	s.back += n
	return list
}
