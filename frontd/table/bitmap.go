// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"math/bits"
	"runtime"
	"sync"
)

// bitmap holds one bit a row of a snapshot, the first row in the lowest bit.
type bitmap []uint64

func newBitmap(rows int) bitmap { return make(bitmap, (rows+63)/64) }

func (set bitmap) fill(rows int) {
	for w := range set {
		set[w] = ^uint64(0)
	}
	if rows%64 != 0 {
		set[len(set)-1] = 1<<(rows%64) - 1
	}
}

func (set bitmap) count() (n int) {
	for _, word := range set {
		n += bits.OnesCount64(word)
	}
	return n
}

// and keeps the rows that are in both.
func (set bitmap) and(other bitmap) {
	for w := range set {
		set[w] &= other[w]
	}
}

// each calls f for every row of the words from ≤ w < to, in order.
func (set bitmap) each(from, to int, f func(row int32)) {
	for w := from; w < to; w++ {
		for word := set[w]; word != 0; word &= word - 1 {
			f(int32(w*64 + bits.TrailingZeros64(word)))
		}
	}
}

const (
	// worthSharing is the number of rows from which on more than one processor is used.
	worthSharing = 1 << 16
	// maxWorkers bounds what one call takes from the others.
	maxWorkers = 8 // a power of two
)

// inParallel splits n rows into parts of whole blocks and works on them at once. Workers
// are numbered from 0, in the order of their rows, and are fewer than maxWorkers+1.
func inParallel(n int, work func(worker, from, to int)) {
	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	if n < worthSharing || workers == 1 {
		work(0, 0, n)
		return
	}
	size := ((n+workers-1)/workers + blockRows - 1) / blockRows * blockRows
	var done sync.WaitGroup
	for worker := range workers {
		from, to := min(n, worker*size), min(n, (worker+1)*size)
		done.Go(func() { work(worker, from, to) })
	}
	done.Wait()
}
