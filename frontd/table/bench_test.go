// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"hash/maphash"
	"net/netip"
	"testing"
	"time"

	"nuconntrack/ipc"
)

// kernelDump is a dump as Linux sends it with accounting and timestamps on, in packets of
// at most ipc.MaxDumpData.
func kernelDump(n int) [][]byte {
	var packets [][]byte
	var now []byte
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
			packets, now = append(packets, now), nil
		}
		now = append(now, m...)
	}
	return append(packets, now)
}

func benchBuild(b *testing.B, n int, base *Snapshot, seed maphash.Seed) *Snapshot {
	packets := kernelDump(n)
	taken := time.Now()
	var s *Snapshot
	b.ReportAllocs()
	for b.Loop() {
		bu := newBuilder(taken, uint32(n), base, seed)
		for _, p := range packets {
			if err := bu.add(p, time.Second); err != nil {
				b.Fatal(err)
			}
		}
		s = bu.finish("s", ipc.DumpEnd{}, time.Second)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/entry")
	if s.Len() != n || s.Malformed() != 0 {
		b.Fatalf("%d rows of %d, %d malformed", s.Len(), n, s.Malformed())
	}
	return s
}

func BenchmarkBuild(b *testing.B) {
	seed := maphash.MakeSeed()
	for _, n := range []int{10_000, 1_000_000} {
		name := map[int]string{10_000: "10k", 1_000_000: "1M"}[n]
		b.Run(name+"/first", func(b *testing.B) { benchBuild(b, n, nil, seed) })
		base := func() *Snapshot {
			bu := newBuilder(time.Now().Add(-2*time.Second), uint32(n), nil, seed)
			for _, p := range kernelDump(n) {
				if err := bu.add(p, time.Second); err != nil {
					b.Fatal(err)
				}
			}
			return bu.finish("base", ipc.DumpEnd{}, time.Second)
		}()
		b.Run(name+"/with-base", func(b *testing.B) { benchBuild(b, n, base, seed) })
	}
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
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/entry")
}
