// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nuconntrack/cmd/manual/roff"
	"nuconntrack/cmd/nuctl/cli"
	"nuconntrack/cmd/nuctl/demo"
)

// tree is all of nuctl.
func tree() *cobra.Command {
	root := cli.Tree(demo.Command(), demo.HostCommand())
	root.InitDefaultHelpFlag()
	root.InitDefaultVersionFlag()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

// shown are the subcommands that help lists.
func shown(cmd *cobra.Command) (all []*cobra.Command) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && !c.IsAdditionalHelpTopicCommand() {
			all = append(all, c)
		}
	}
	return all
}

func (b *book) commands() { b.command(tree()) }

// command writes the page of a command and of those below it.
func (b *book) command(cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	below := shown(cmd)
	p := b.page(pageName(cmd), 1, cmd.Short)
	p.Heading("SYNOPSIS")
	name, rest := cmd.CommandPath(), strings.TrimPrefix(cmd.UseLine(), cmd.CommandPath())
	if len(below) > 0 {
		rest = " COMMAND [flags]"
	}
	p.Synopsis(name, strings.TrimSpace(rest))
	p.Heading("DESCRIPTION")
	if long := strings.TrimSpace(cmd.Long); long != "" {
		p.Text(long)
	} else {
		p.Text(sentence(cmd.Short))
	}
	if len(below) > 0 {
		p.Heading("COMMANDS")
	}
	for _, c := range below {
		p.Item(sentence(c.Short), roff.Tag{Bold: c.Name()})
	}
	flags(p, "OPTIONS", cmd.NonInheritedFlags())
	flags(p, "GLOBAL OPTIONS", cmd.InheritedFlags())
	if cmd.Example != "" {
		p.Heading("EXAMPLES")
		p.Verbatim(cmd.Example)
	}
	p.Heading("EXIT STATUS")
	exits(p)
	p.Item("not authenticated or not permitted", roff.Tag{Bold: "4"})
	see := []roff.Reference{}
	for _, c := range below {
		see = append(see, roff.Reference{Name: pageName(c), Section: 1})
	}
	if cmd.HasParent() {
		see = append(see, roff.Reference{Name: pageName(cmd.Parent()), Section: 1})
	}
	p.See(append(see, roff.Reference{Name: pageAPI, Section: 7}, roff.Reference{Name: pageExpressions, Section: 7})...)
	for _, c := range below {
		b.command(c)
	}
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func flags(p *roff.Page, heading string, set *pflag.FlagSet) {
	if !set.HasAvailableFlags() {
		return
	}
	p.Heading(heading)
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, text := pflag.UnquoteUsage(f)
		tag := "--" + f.Name
		if f.Shorthand != "" {
			tag = "-" + f.Shorthand + ", " + tag
		}
		switch f.DefValue {
		case "", "false", "0", "0s", "[]":
		default:
			text += " (default " + f.DefValue + ")"
		}
		p.Item(text, roff.Tag{Bold: tag, Rest: value})
	})
}

// completions writes what makes bash, zsh and fish complete nuctl's words, under the names that
// they look for.
func completions(folder string) error {
	root := tree()
	for name, generate := range map[string]func(string) error{
		"bash/nuctl":      func(path string) error { return root.GenBashCompletionFileV2(path, true) },
		"zsh/_nuctl":      root.GenZshCompletionFile,
		"fish/nuctl.fish": func(path string) error { return root.GenFishCompletionFile(path, true) },
	} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := generate(path); err != nil {
			return err
		}
	}
	return nil
}
