// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"context"
	"hash/maphash"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"nuconntrack/ipc"
)

// kernelDump is a dump as Linux sends it with accounting and timestamps on, in packets of
// at most ipc.MaxDumpData.
func kernelDump(n int) [][]byte {
	var packets [][]byte
	now := make([]byte, 0, ipc.MaxDumpData)
	for i := range n {
		t := target(6, "10.0.0.1", "192.0.2.1", i)
		t.Orig.Src = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		t.Reply.Dst = t.Orig.Src
		m := packet(t.Family, tuples(t), attr32(ctaStatus, 0x18e),
			counters(uint64(i), uint64(i)*100, 7, 700), started(time.Unix(1700000000, 0)),
			attr32(ctaTimeout, 431999), attr32(ctaMark, uint32(i)),
			nest(ctaProtoinfo, nest(ctaProtoinfoTCP, attr(1, 3), attr(2, 7), attr(3, 7), attr(4, 35, 0), attr(5, 35, 0))),
			attr32(ctaID, t.ID), attr32(ctaUse, 1))
		if len(now)+len(m) > ipc.MaxDumpData {
			packets, now = append(packets, now), make([]byte, 0, ipc.MaxDumpData)
		}
		now = append(now, m...)
	}
	return append(packets, now)
}

// replay is a Source of packets from memory.
type replay struct {
	packets [][]byte
	count   int
}

func (r *replay) Stats(context.Context) (ipc.Stats, error) {
	return ipc.Stats{Count: uint32(r.count)}, nil
}

func (r *replay) Dump(_ context.Context, each func([]byte) error) (ipc.DumpEnd, error) {
	for _, p := range r.packets {
		if err := each(p); err != nil {
			return ipc.DumpEnd{}, err
		}
	}
	return ipc.DumpEnd{}, nil
}

func perEntry(b *testing.B, entries int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(entries), "ns/entry")
}

// BenchmarkBuild decodes on one processor; BenchmarkRead goes the whole way, with the
// copying and decoding that overlap.
func BenchmarkBuild(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"10k", 10_000}, {"1M", 1_000_000}} {
		packets, seed := kernelDump(size.n), maphash.MakeSeed()
		run := func(base *Snapshot) *Snapshot {
			bu := newBuilder(time.Now(), uint32(size.n), base, seed)
			for _, p := range packets {
				if err := bu.add(p, time.Second); err != nil {
					b.Fatal(err)
				}
			}
			return bu.finish("s", ipc.DumpEnd{}, time.Second)
		}
		bench := func(name string, base *Snapshot) {
			b.Run(name, func(b *testing.B) {
				runtime.GC()
				b.ReportAllocs()
				for b.Loop() {
					if s := run(base); s.Len() != size.n || s.Malformed() != 0 {
						b.Fatalf("%d rows, %d malformed", s.Len(), s.Malformed())
					}
				}
				perEntry(b, size.n)
			})
		}
		bench(size.name+"/first", nil)
		base := run(nil)
		base.taken = base.taken.Add(-2 * time.Second)
		bench(size.name+"/with-base", base)
	}
}

func BenchmarkRead(b *testing.B) {
	const n = 1_000_000
	src := &replay{packets: kernelDump(n), count: n}
	seed := maphash.MakeSeed()
	runtime.GC()
	for b.Loop() {
		s, err := Read(b.Context(), src, ReadConfig{Name: "s", Seed: seed})
		if err != nil || s.Len() != n {
			b.Fatal(err)
		}
	}
	perEntry(b, n)
}

func BenchmarkDecode(b *testing.B) {
	packets := kernelDump(1000)
	var d decoder
	var e record
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range packets {
			for len(p) > 0 {
				_, body, rest, err := cutMessage(p)
				if err != nil || !d.decode(body, &e) {
					b.Fatal("malformed")
				}
				p = rest
			}
		}
	}
	perEntry(b, 1000)
}
