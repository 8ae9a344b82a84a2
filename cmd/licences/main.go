// SPDX-License-Identifier: GPL-2.0-or-later

// Licences lists the modules that are linked into the programs, each with its licence, or prints
// their licences in full, as they ask to be passed on with binaries. What it reads is the build
// list and the modules' own files. A module whose licence it does not know, or that cannot be passed on
// together with ours, is an error: it must never guess. It is run when the project is built, and
// is installed nowhere.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("licences", flag.ContinueOnError)
	f.SetOutput(stderr)
	texts := f.Bool("texts", false, "print the licences in full")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage
	case f.NArg() > 0:
		fmt.Fprintf(stderr, "licences: unexpected argument %q\n", f.Arg(0))
		return exitUsage
	}
	modules, err := linked()
	if err == nil {
		err = identify(modules)
	}
	if err != nil {
		fmt.Fprintln(stderr, "licences:", err)
		return exitFailed
	}
	write := list
	if *texts {
		write = full
	}
	if _, err := io.WriteString(stdout, write(modules)); err != nil {
		fmt.Fprintln(stderr, "licences:", err)
		return exitFailed
	}
	return exitDone
}

// list is a page of the documentation.
func list(modules []module) string {
	var b strings.Builder
	b.WriteString(`# Linked modules

Made by ` + "`make licences`" + `, and kept true by a test. These are linked into the programs, on any
architecture that packages are made for; the packages have the licences in full, in
/usr/share/doc/nuconntrack/licences.gz. What the tests use besides is in go.mod.

| module | version | licence |
|---|---|---|
`)
	for _, m := range modules {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.path, m.version, m.licence)
	}
	return b.String()
}

// full has the files themselves.
func full(modules []module) string {
	var b strings.Builder
	b.WriteString("The programs of NuConntrack are linked with these modules.\n")
	for _, m := range modules {
		fmt.Fprintf(&b, "\n%s\n%s %s: %s\n", strings.Repeat("=", 78), m.path, m.version, m.licence)
		for _, file := range m.files {
			fmt.Fprintf(&b, "%s\n%s\n\n%s\n", strings.Repeat("-", 78), file.name, strings.TrimSpace(file.text))
		}
	}
	return b.String()
}
