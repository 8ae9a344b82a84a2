// SPDX-License-Identifier: GPL-2.0-or-later

package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// systemCalls reads the numbers of an architecture, by name in lower case, from the
// source of x/sys, which has them from the kernel's: this build knows its own alone.
func systemCalls(t *testing.T, arch string) map[string]uint32 {
	t.Helper()
	numbers := make(map[string]uint32)
	for name, value := range constants(t, "zsysnum_linux_"+arch+".go") {
		if name, ok := strings.CutPrefix(name, "SYS_"); ok {
			numbers[strings.ToLower(name)] = uint32(value)
		}
	}
	if len(numbers) < 300 {
		t.Fatalf("only %d system calls of %s", len(numbers), arch)
	}
	return numbers
}

// constants reads those of one file of x/sys/unix that are plain numbers.
func constants(t *testing.T, file string) map[string]uint64 {
	t.Helper()
	folder, err := exec.Command("go", "list", "-f", "{{.Dir}}", "golang.org/x/sys/unix").Output()
	if err != nil {
		t.Fatalf("find x/sys: %v", err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), file))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]uint64)
	for _, m := range regexp.MustCompile(`(?m)^\t([A-Z][A-Z0-9_]*) += (0x[0-9a-f]+|[0-9]+)$`).FindAllStringSubmatch(string(source), -1) {
		value, err := strconv.ParseUint(m[2], 0, 64)
		if err != nil {
			t.Fatalf("%s: %v", m[1], err)
		}
		found[m[1]] = value
	}
	return found
}

func TestFlagsThatDiffer(t *testing.T) {
	for arch, m := range machines {
		c := constants(t, "zerrors_linux_"+arch+".go")
		if m.directory != c["O_DIRECTORY"] || m.noFollow != c["O_NOFOLLOW"] || m.noFollow == 0 {
			t.Errorf("%s: O_DIRECTORY %#x, O_NOFOLLOW %#x, want %#x, %#x",
				arch, m.directory, m.noFollow, c["O_DIRECTORY"], c["O_NOFOLLOW"])
		}
	}
}
