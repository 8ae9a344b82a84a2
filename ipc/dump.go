// SPDX-License-Identifier: GPL-2.0-or-later

package ipc

import (
	"context"
	"fmt"
	"time"
)

// Dump asks for the whole table and calls each with every piece of it: whole netlink
// messages as the kernel sent them, valid during the call only. The helper may let it
// wait for its turn, so ctx bounds the whole; between two pieces no more than the
// client's timeout may pass once the first has come. An error of each ends the dump.
//
// Each dump has a connection of its own: whatever ends it early leaves nothing behind.
func (c *Client) Dump(ctx context.Context, each func(data []byte) error) (DumpEnd, error) {
	conn, _, err := c.dial(ctx, PurposeDump)
	if err != nil {
		return DumpEnd{}, unavailable(ctx, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	packet, err := Request{Op: OpDump, Seq: 1}.Append(nil)
	if err != nil {
		return DumpEnd{}, err
	}
	if _, err := conn.Write(packet); err != nil {
		return DumpEnd{}, unavailable(ctx, err)
	}
	buf := make([]byte, headerSize+MaxDumpData)
	for {
		n, err := readPacket(conn, buf)
		if err != nil {
			return DumpEnd{}, unavailable(ctx, err)
		}
		a, data, err := DecodeAnswer(buf[:n])
		if err == nil && (a.Op != OpDump || a.Seq != 1) {
			err = malformed("answer to %s with sequence %d, which nobody asked", a.Op, a.Seq)
		}
		if err != nil {
			return DumpEnd{}, unavailable(ctx, err)
		}
		if data == nil {
			return a.End, nil
		}
		if err := each(data); err != nil {
			return DumpEnd{}, fmt.Errorf("take dump data: %w", err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(c.cfg.Timeout)); err != nil {
			return DumpEnd{}, unavailable(ctx, err)
		}
	}
}
