// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"fmt"
	"slices"
	"testing"
)

// TestMarksThatChange: whoever's scope is a mark has lost a connection as soon as another
// mark is on it, though his table still shows it.
func TestMarksThatChange(t *testing.T) {
	d := startWith(t, tenants)
	e := d.estate()
	admin, green := d.as("admin"), d.as("green")
	v := d.call("view", green).value.(map[string]any)
	if v["total"] != "int:1" {
		t.Fatalf("view %v", v)
	}
	d.call("change", green, str("mark"), str(key(e.green)), str("0x40/0xf0")).want(t, 3, "0xffffff0f")
	d.call("change", green, str("mark"), str(key(e.green)), num(0x130)).want(t, 3)
	d.call("change", green, str("mark"), str(key(e.green)), str("0x2/0xf0f")).want(t, 0)
	d.call("change", admin, str("mark"), str(key(e.green)), str("0x40/0xf0")).want(t, 0)
	before := d.helper.Table()
	asked := len(d.helper.Asked())
	for _, name := range []string{str(key(e.green)), str(fmt.Sprint(sharedID))} {
		d.call("kill", green, list(name)).want(t, 4)
		d.call("change", green, str("timeout"), name, num(60)).want(t, 4)
		if got := d.call("kill_report", green, list(name)).outcomes(t); got[0] != "unknown" {
			t.Errorf("kill_report: %v", got)
		}
	}
	if got := d.call("kill_matching", green, emptyArray, str(v["snapshot"].(string))).outcomes(t); !slices.Equal(got, []string{"unknown"}) {
		t.Errorf("kill_matching: %v", got)
	}
	if !slices.Equal(before, d.helper.Table()) || len(d.helper.Asked()) != asked {
		t.Errorf("the helper was asked for %+v", d.helper.Asked()[asked:])
	}
	d.call("change", admin, str("mark"), str(key(e.green)), str("0x30/0xf0")).want(t, 0)
	d.call("kill", green, list(str(key(e.green)))).want(t, 0)
}
