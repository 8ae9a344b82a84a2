// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"iter"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// Bitmap holds one bit a row of a snapshot, the first row in the lowest bit.
type Bitmap []uint64

func newBitmap(rows int) Bitmap { return make(Bitmap, (rows+63)/64) }

func (set Bitmap) fill(rows int) {
	for w := range set {
		set[w] = ^uint64(0)
	}
	if rows%64 != 0 {
		set[len(set)-1] = 1<<(rows%64) - 1
	}
}

// Count is the number of rows in it.
func (set Bitmap) Count() (n int) {
	for _, word := range set {
		n += bits.OnesCount64(word)
	}
	return n
}

// And keeps the rows that are in both.
func (set Bitmap) And(other Bitmap) {
	for w := range set {
		set[w] &= other[w]
	}
}

// Each calls f for every row of the words from ≤ w < to, in order.
func (set Bitmap) Each(from, to int, f func(row int32)) {
	for w := from; w < to; w++ {
		for word := set[w]; word != 0; word &= word - 1 {
			f(int32(w*64 + bits.TrailingZeros64(word)))
		}
	}
}

const (
	// worthSharing is the number of rows from which on more than one processor is used.
	worthSharing = 1 << 16
	// MaxWorkers bounds what one call takes from the others.
	MaxWorkers = 8
	// PartRows, whole blocks, is how many rows a worker takes at a time: few, so that one whose processor
	// is busy with something else leaves nearly all to the others.
	PartRows = 16 * BlockRows
)

// InParallel splits n rows into parts of whole blocks, and calls work for each worker, of
// which one is the caller. A worker ranges over the parts, from ≤ row < to, that it gets.
// Workers are numbered from 0 and are no more than MaxWorkers.
func InParallel(n int, work func(worker int, parts iter.Seq2[int, int])) {
	var next atomic.Int64
	parts := func(yield func(from, to int) bool) {
		for {
			to := int(next.Add(PartRows))
			if from := to - PartRows; from >= n || !yield(from, min(to, n)) {
				return
			}
		}
	}
	var others sync.WaitGroup
	for worker := 1; worker < WorkersFor(n); worker++ {
		others.Go(func() { work(worker, parts) })
	}
	work(0, parts)
	others.Wait()
}

// WorkersFor says how many share the work on n rows.
func WorkersFor(n int) int {
	if n < worthSharing {
		return 1
	}
	return min(runtime.GOMAXPROCS(0), MaxWorkers)
}
