// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"hash/maphash"
	"testing"
	"time"

	"nuconntrack/ipc"
)

// TestDecodingAllocatesNothingPerEntry builds tables of two sizes, with a base to measure
// rates against: the larger one may take a few allocations more, for what grows by doubling,
// and not one for each entry or packet.
func TestDecodingAllocatesNothingPerEntry(t *testing.T) {
	const small, few = 10000, 20
	seed := maphash.MakeSeed()
	allocations := func(n int) float64 {
		packets := kernelDump(n)
		var base *Snapshot
		build := func() {
			b := newBuilder(time.Now(), uint32(n), base, seed)
			for _, p := range packets {
				if err := b.add(p, time.Second); err != nil {
					t.Error(err)
				}
			}
			if s := b.finish("s", ipc.DumpEnd{}, time.Second); s.Len() != n || s.Malformed() != 0 {
				t.Errorf("%d rows, %d malformed", s.Len(), s.Malformed())
			}
		}
		first := testing.AllocsPerRun(3, build)
		b := newBuilder(time.Now().Add(-2*time.Second), uint32(n), nil, seed)
		for _, p := range packets {
			if err := b.add(p, 0); err != nil {
				t.Fatal(err)
			}
		}
		base = b.finish("b", ipc.DumpEnd{}, time.Second)
		return max(first, testing.AllocsPerRun(3, build))
	}
	less, more := allocations(small), allocations(2*small)
	if more > less+few {
		t.Errorf("%d entries take %.0f allocations, %d take %.0f", small, less, 2*small, more)
	}
}
