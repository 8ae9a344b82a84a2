// SPDX-License-Identifier: GPL-2.0-or-later

// Manual writes the manual pages and the shells' completions, out of the programs themselves:
// nuctl's tree of commands, what the daemons print for --help, the reference configurations, the
// tables of methods, fields and faults. What a page says of them it must not say a second time in
// words of its own. It also writes docs/api.md, out of the same. It is run when the project is
// built, and is installed nowhere.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"nuconntrack/cmd/manual/roff"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// title stands at the top of every page.
const title = "NuConntrack"

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(args []string, stderr io.Writer) int {
	f := flag.NewFlagSet("manual", flag.ContinueOnError)
	f.SetOutput(stderr)
	bin := f.String("bin", "bin", "folder of the built daemons")
	out := f.String("out", "bin", "folder to write man/ and completions/ into")
	date := f.String("date", "", "date of the pages, as 2006-01-02")
	api := f.String("api", "", "write the interface as Markdown into this file, and nothing else")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage
	case f.NArg() > 0:
		fmt.Fprintf(stderr, "manual: unexpected argument %q\n", f.Arg(0))
		return exitUsage
	}
	work := func() error { return write(*bin, *out, *date) }
	if *api != "" {
		work = func() error { return os.WriteFile(*api, []byte(document()), 0o644) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(stderr, "manual:", err)
		return exitFailed
	}
	return exitDone
}

// write writes everything below a folder.
func write(bin, out, date string) error {
	all, err := pages(bin, date)
	if err != nil {
		return err
	}
	for _, p := range all {
		file := filepath.Join(out, "man", "man"+strconv.Itoa(p.Section), p.File())
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(p.String()), 0o644); err != nil {
			return err
		}
	}
	return completions(filepath.Join(out, "completions"))
}

// book is what all pages have in common.
type book struct {
	date, version string
	all           []*roff.Page
}

// pages makes all of them. The daemons in bin are asked for their flags.
func pages(bin, date string) ([]*roff.Page, error) {
	frontd, err := askProgram(filepath.Join(bin, "nuconntrack-frontd"))
	if err != nil {
		return nil, err
	}
	privd, err := askProgram(filepath.Join(bin, "nuconntrack-privd"))
	if err != nil {
		return nil, err
	}
	b := &book{date: date, version: frontd.version}
	b.daemons(frontd, privd)
	b.configurations()
	b.api()
	b.expressions()
	b.commands()
	return slices.Clip(b.all), nil
}

// page begins a page, with its place in the book.
func (b *book) page(name string, section int, summary string) *roff.Page {
	p := roff.New(roff.Head{
		Name: name, Section: section, Summary: summary,
		Date: b.date, Source: title + " " + b.version, Manual: title,
	})
	b.all = append(b.all, p)
	return p
}
