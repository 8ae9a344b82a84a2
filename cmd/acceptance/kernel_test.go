// SPDX-License-Identifier: GPL-2.0-or-later

package acceptance_test

import (
	"encoding/xml"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nuconntrack/privd/nstest"

	"github.com/ti-mo/conntrack"
)

// entry is what the kernel holds of a connection, but for what changes by itself.
type entry struct {
	id     uint32
	tuples string
	mark   uint32
	status uint32
}

func entryOf(f conntrack.Flow) entry {
	tuple := func(t conntrack.Tuple) string {
		return fmt.Sprintf("%v %v zone %d", t.IP, t.Proto, t.Zone)
	}
	return entry{f.ID, fmt.Sprintf("zone %d %s | %s", f.Zone, tuple(f.TupleOrig), tuple(f.TupleReply)), f.Mark, uint32(f.Status)}
}

// kernelTable lists the kernel's table by ids. A table that does not change is the same
// each time.
func kernelTable(t testing.TB) map[uint32]entry {
	t.Helper()
	table := make(map[uint32]entry)
	for _, f := range nstest.List(t) {
		table[f.ID] = entryOf(f)
	}
	return table
}

// wantTable wants the kernel's table to be as it was, but for connections with these ids.
func wantTable(t testing.TB, before map[uint32]entry, gone ...uint32) {
	t.Helper()
	now := kernelTable(t)
	for id, e := range before {
		switch got, there := now[id]; {
		case slices.Contains(gone, id) && there:
			t.Errorf("still there: %+v", got)
		case !slices.Contains(gone, id) && got != e:
			t.Errorf("changed from %+v to %+v (%t)", e, got, there)
		}
	}
	for id, e := range now {
		if _, there := before[id]; !there {
			t.Errorf("new: %+v", e)
		}
	}
}

// number reads an id as a row has it.
func (r row) number(t testing.TB, field string) uint32 {
	t.Helper()
	text, _ := r[field].(string)
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("%s is %#v: %v", field, r[field], err)
	}
	return uint32(n)
}

// seen is what an administrator sees of a connection with other tools than ours.
type seen struct{ mark, timeout uint32 }

// bySyscall sees the table with a library.
func bySyscall(t testing.TB) map[uint32]seen {
	t.Helper()
	all := make(map[uint32]seen)
	for _, f := range nstest.List(t) {
		all[f.ID] = seen{f.Mark, f.Timeout}
	}
	return all
}

// byConntrack sees the table with conntrack(8), of the package conntrack.
func byConntrack(t testing.TB) map[uint32]seen {
	t.Helper()
	var table struct {
		Flows []struct {
			Metas []struct {
				Direction string `xml:"direction,attr"`
				ID        uint32 `xml:"id"`
				Mark      uint32 `xml:"mark"`
				Timeout   uint32 `xml:"timeout"`
			} `xml:"meta"`
		} `xml:"flow"`
	}
	all := make(map[uint32]seen)
	for _, family := range [...]string{"ipv4", "ipv6"} {
		out, err := exec.Command("conntrack", "-L", "-f", family, "-o", "xml,id").Output()
		if err != nil {
			t.Fatalf("conntrack -L: %v", err)
		}
		if strings.TrimSpace(string(out)) == "" {
			continue // no connection, no document
		}
		table.Flows = nil
		if err := xml.Unmarshal(out, &table); err != nil {
			t.Fatalf("conntrack -L: %v in %s", err, out)
		}
		for _, f := range table.Flows {
			for _, m := range f.Metas {
				if m.Direction == "independent" {
					all[m.ID] = seen{m.Mark, m.Timeout}
				}
			}
		}
	}
	return all
}
