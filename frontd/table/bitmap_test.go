// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"iter"
	"sync/atomic"
	"testing"
)

func TestInParallelTakesEveryRowOnce(t *testing.T) {
	for _, n := range []int{0, 1, PartRows, PartRows + 1, worthSharing, worthSharing + 3, 10*PartRows - 1} {
		taken := make([]atomic.Int32, n)
		InParallel(n, func(worker int, parts iter.Seq2[int, int]) {
			for from, to := range parts {
				if from%BlockRows != 0 || from >= to || worker >= MaxWorkers {
					t.Errorf("worker %d takes the rows from %d to %d of %d", worker, from, to, n)
				}
				for i := from; i < to; i++ {
					taken[i].Add(1)
				}
			}
		})
		for i := range taken {
			if times := taken[i].Load(); times != 1 {
				t.Fatalf("row %d of %d was taken %d times", i, n, times)
			}
		}
	}
}
