// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"encoding/binary"

	"nuconntrack/ipc"
)

// resize makes every column n rows long, in memory of its own when that saves or needs
// some. Columns are resized one after the other, so that only one is ever there twice.
func (c *columns) resize(n int) {
	resize(&c.has, n)
	for _, col := range []*[]uint8{&c.family, &c.proto, &c.state} {
		resize(col, n)
	}
	for _, col := range []*[]uint32{&c.id, &c.status, &c.timeout, &c.mark, &c.use} {
		resize(col, n)
	}
	for _, col := range []*[]uint16{&c.zone[0], &c.zone[1], &c.helper, &c.secctx, &c.labels} {
		resize(col, n)
	}
	for i := range c.addr {
		resize(&c.addr[i], n)
		resize(&c.port[i], n)
		resize(&c.counter[i], n)
	}
	resize(&c.start, n)
	resize(&c.rate[0], n)
	resize(&c.rate[1], n)
}

// resize keeps memory of which at least three quarters are used.
func resize[T any](col *[]T, n int) {
	if size := cap(*col); n <= size && n >= size-size/4 {
		*col = (*col)[:n]
		return
	}
	fresh := make([]T, n)
	copy(fresh, *col)
	*col = fresh
}

// put writes the entry as a row.
func (c *columns) put(row int, e *record) {
	c.has[row] = e.has
	c.family[row], c.proto[row], c.state[row] = e.Family, e.Proto, e.state
	c.id[row], c.status[row], c.timeout[row] = e.ID, e.status, e.timeout
	c.mark[row], c.use[row] = e.mark, e.use
	c.zone[0][row], c.zone[1][row] = e.Zone[0], e.Zone[1]
	c.helper[row], c.secctx[row], c.labels[row] = e.helper, e.secctx, e.labels
	if e.Family == ipc.FamilyIPv6 {
		for i := range e.Addr {
			c.addr[i][row] = uint32(len(c.addr6) + i)
		}
		c.addr6 = append(c.addr6, e.Addr[:]...)
	} else {
		for i := range e.Addr {
			c.addr[i][row] = binary.BigEndian.Uint32(e.Addr[i][:])
		}
	}
	for i := range e.Port {
		c.port[i][row], c.counter[i][row] = e.Port[i], e.counter[i]
	}
	c.start[row] = e.start
}

// move writes row from over row to. Addresses of IPv6 stay where they are, so what row
// to had of them is lost room: for the few connections that a dump repeats.
func (c *columns) move(to, from int) { c.copyRow(to, c, from) }

// copyRow writes row from of other, but for its rates and what addr6 has of it.
func (c *columns) copyRow(to int, other *columns, from int) {
	c.has[to] = other.has[from]
	c.family[to], c.proto[to], c.state[to] = other.family[from], other.proto[from], other.state[from]
	c.id[to], c.status[to], c.timeout[to] = other.id[from], other.status[from], other.timeout[from]
	c.mark[to], c.use[to] = other.mark[from], other.use[from]
	c.zone[0][to], c.zone[1][to] = other.zone[0][from], other.zone[1][from]
	c.helper[to], c.secctx[to], c.labels[to] = other.helper[from], other.secctx[from], other.labels[from]
	for i := range c.addr {
		c.addr[i][to], c.port[i][to], c.counter[i][to] = other.addr[i][from], other.port[i][from], other.counter[i][from]
	}
	c.start[to] = other.start[from]
}
