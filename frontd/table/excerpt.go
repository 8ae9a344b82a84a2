// SPDX-License-Identifier: GPL-2.0-or-later

package table

import "nuconntrack/ipc"

// excerptShare is how many times as long as a page a table has to be for the page to be
// taken out of it. Pages of shorter ones would cost more than the table, which they share.
const excerptShare = 16

// Excerpt gives a table of these rows, and their places in it, for who writes them to a
// client: as slowly as a client reads, the whole table would have to stay in memory, and
// clients that do not read could keep any number of tables, one for each reading of the
// kernel. It answers for values and keys, finds nothing, and has the name and the times of s.
// A page that is a large part of s is left in s.
func (s *Snapshot) Excerpt(rows []int32) (*Snapshot, []int32) {
	if len(rows)*excerptShare > s.Len() {
		return s, rows
	}
	e := &Snapshot{
		name: s.name, taken: s.taken, spent: s.spent, interrupted: s.interrupted, stats: s.stats,
		cut: s.cut, malformed: s.malformed, repeated: s.repeated, meaning: s.meaning,
	}
	e.names = s.names // few, and not of the table's size
	e.resize(len(rows))
	places := make([]int32, len(rows))
	for i, row := range rows {
		e.take(i, &s.columns, int(row))
		places[i] = int32(i)
	}
	return e, places
}

// take writes row from of another table, with its rates.
func (c *columns) take(to int, other *columns, from int) {
	c.copyRow(to, other, from)
	for i := range c.rate {
		c.rate[i][to] = other.rate[i][from]
	}
	if other.family[from] != ipc.FamilyIPv6 {
		return
	}
	for i := range c.addr {
		c.addr[i][to] = uint32(len(c.addr6))
		c.addr6 = append(c.addr6, other.addr6[other.addr[i][from]])
	}
}
