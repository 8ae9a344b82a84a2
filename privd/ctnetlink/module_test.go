// SPDX-License-Identifier: GPL-2.0-or-later

package ctnetlink

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

// TestLibraryStaysBelowTheHang: see TestOtherReaderDoesNotHang.
func TestLibraryStaysBelowTheHang(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\s*(?:require\s+)?github\.com/mdlayher/netlink v(\d+)\.(\d+)\.`).FindSubmatch(mod)
	if m == nil {
		t.Fatal("go.mod does not name github.com/mdlayher/netlink")
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	if major != 1 || minor >= 10 {
		t.Errorf("github.com/mdlayher/netlink v%d.%d: a GET of a connection hangs from v1.10 on", major, minor)
	}
}
