// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// maxDropIns is how many files a folder of drop-ins may have.
	maxDropIns = 100
	// maxEntries is how many entries of it are looked at, for one whose name ends otherwise.
	maxEntries = 1000

	tomlSuffix = ".toml"
	// othersWrite is the permission bit of others.
	othersWrite fs.FileMode = 0o002
)

// DropIns returns the folder of drop-ins of a configuration file: /etc/nuconntrack/frontd.d for
// /etc/nuconntrack/frontd.toml. It need not be there. Its files *.toml are read after the file
// itself, in the order of their names; what stands in a later one counts instead of what stands
// in those before: tables are joined key by key, an array takes the place of another as a whole.
func DropIns(file string) string { return strings.TrimSuffix(file, tomlSuffix) + ".d" }

// dropIns returns the paths of the files in a folder of drop-ins, sorted.
func dropIns(folder string) (paths []string, err error) {
	f, err := os.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read configuration: %w", err)
	case !info.IsDir():
		return nil, &Error{File: folder, Reason: "it stands where the folder of drop-ins belongs, and is none"}
	case info.Mode()&othersWrite != 0:
		return nil, &Error{File: folder, Reason: fmt.Sprintf("mode is %#o: others may write it", info.Mode().Perm())}
	}
	names, err := f.Readdirnames(maxEntries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(names) > maxEntries {
		return nil, &Error{File: folder, Reason: fmt.Sprintf("more than %d entries", maxEntries)}
	}
	slices.Sort(names)
	for _, name := range names {
		// What an editor or a package manager leaves has another ending, or a dot before.
		if strings.HasSuffix(name, tomlSuffix) && !strings.HasPrefix(name, ".") {
			paths = append(paths, filepath.Join(folder, name))
		}
	}
	if len(paths) > maxDropIns {
		return nil, &Error{File: folder, Reason: fmt.Sprintf("more than %d files", maxDropIns)}
	}
	return paths, nil
}
