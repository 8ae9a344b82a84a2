// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math/rand/v2"
	"sync"
)

// benchRows is the size of table that the budgets are for.
const benchRows = 1000000

// millionRows is the same table for all benchmarks of filters, with ids as the kernel
// gives them.
var millionRows = sync.OnceValue(func() *Snapshot {
	s := randomRows(benchRows, 99)
	rnd := rand.New(rand.NewPCG(9, 9))
	for i := range s.id {
		s.id[i] = rnd.Uint32()
		for side := range s.addr {
			if s.family[i] == 2 {
				s.addr[side][i] = 10<<24 | rnd.Uint32()>>8
			}
		}
	}
	return s
})
