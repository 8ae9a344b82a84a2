// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"fmt"
	"net/netip"

	"nuconntrack/ipc"
	"nuconntrack/policy"
)

// ScopeFilter makes the filter of what is in a scope, for Query.Visible; nil where that is
// everything. It says of every row what the scope itself says of Connection and of the
// row's mark; a row of which the kernel did not tell the mark is in no scope with marks.
func ScopeFilter(scope *policy.Scope) *Filter {
	if scope.Whole() {
		return nil
	}
	var tests every
	if marks := scope.Marks(); marks != nil {
		field, _ := FieldNamed("mark")
		var set numbers
		for _, m := range marks {
			set.masked = append(set.masked, masked{uint64(m.Value), uint64(m.Mask)})
		}
		tests = append(tests, numberTest{field, set})
	}
	if zones := scope.Zones(); zones != nil {
		var set numbers
		for _, z := range zones {
			set.spans = append(set.spans, span{uint64(z), uint64(z)})
		}
		set.spans = mergeSpans(set.spans)
		set.index = indexSpans(set.spans)
		tests = append(tests, zoneTest{0, set}, zoneTest{1, set})
	}
	if networks := scope.Networks(); networks != nil {
		field, _ := FieldNamed("address")
		tests = append(tests, newTest(field, alternatives{addresses: addressesOf(networks)}))
	}
	// As a name of kept answers: no filter of a caller's has one without "=".
	return &Filter{root: tests, name: fmt.Sprintf("scope %v %v %v", scope.Networks(), scope.Zones(), scope.Marks())}
}

// addressesOf wants the addresses of networks, IPv4 ones in their mapped form too.
func addressesOf(networks []netip.Prefix) addresses {
	var set alternatives
	for _, p := range networks {
		first, last := p.Addr(), lastAddress(p.Addr(), p.Bits())
		if first.Is4() {
			set.v4 = append(set.v4, span{uint64(number4(first)), uint64(number4(last))})
		}
		set.v6 = append(set.v6, span6{number6(first), number6(last)})
	}
	set.tidy()
	return set.addresses
}

// zoneTest looks at the zone of one direction, which every row has: 0 where the kernel
// named none.
type zoneTest struct {
	dir int // 0 is orig, 1 is reply
	set numbers
}

func (t zoneTest) bind(s *Snapshot) pass {
	zones := s.zone[t.dir]
	return t.set.pass(func(b *Block, from, n int) {
		fillMask(&b.Has, n)
		loadColumn(b, zones, from, n)
	})
}

func (t zoneTest) match(s *Snapshot, row int32) bool {
	return t.set.contains(uint64(s.zone[t.dir][row]))
}

func (t zoneTest) cost() int { return 1 }

// ConnectionOf is the connection that a target names, for policy's decisions.
func ConnectionOf(t ipc.Target) policy.Connection {
	endpoints := func(u ipc.Tuple) policy.Endpoints {
		e := policy.Endpoints{Src: u.Src, Dst: u.Dst, HasPorts: u.Kind == ipc.Ports}
		if e.HasPorts {
			e.SrcPort, e.DstPort = u.SrcPort, u.DstPort
		}
		return e
	}
	return policy.Connection{
		Protocol: t.Protocol,
		Orig:     endpoints(t.Orig), OrigZone: t.Orig.Zone,
		Reply: endpoints(t.Reply), ReplyZone: t.Reply.Zone,
	}
}
