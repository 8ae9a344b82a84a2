// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nuconntrack/frontd/table"
)

// Completion offers words out of the program alone: it never calls a server, which may be
// far away, or want a password.

type completion = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective)

// completeFlag sets what a flag's value may be. The flag is there: a mistake shows with the
// first run.
func completeFlag(cmd *cobra.Command, name string, f completion) {
	if err := cmd.RegisterFlagCompletionFunc(name, f); err != nil {
		panic(err)
	}
}

// begins keeps the words that begin with what is there of one.
func begins(words []string, word string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.HasPrefix(w, word) })
}

func completeWords(words ...string) completion {
	return func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return begins(words, word), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeSettings sets the values of the flags that all commands have.
func (a *app) completeSettings(root *cobra.Command) {
	completeFlag(root, "profile", func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return begins(a.profileNames(), word), cobra.ShellCompDirectiveNoFileComp
	})
	for _, name := range []string{"server", "user", "timeout"} {
		completeFlag(root, name, cobra.NoFileCompletions)
	}
}

// completeFilters sets the values of the flags that filter.
func completeFilters(cmd *cobra.Command) {
	completeFlag(cmd, "proto", completeWords(table.ExprValues("proto")...))
	completeFlag(cmd, "state", completeWords(table.ExprValues("state")...))
	completeFlag(cmd, "family", completeWords(table.ExprValues("family")...))
	for _, name := range []string{"src", "dst", "reply-src", "reply-dst", "sport", "dport", "mark", "zone"} {
		completeFlag(cmd, name, cobra.NoFileCompletions)
	}
	completeFlag(cmd, "filter", func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, f := range table.Fields() {
			if f.Filter {
				names = append(names, f.Name+"=")
			}
		}
		return begins(names, word), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

// completeSort offers fields, and directions behind one.
func completeSort(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, f := range table.Fields() {
		if f.Sort {
			names = append(names, f.Name)
		}
	}
	return completeOrders(names)(cmd, args, word)
}

// completeOrders offers names to sort by, and directions behind one.
func completeOrders(names []string) completion {
	return func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		if field, _, directed := strings.Cut(word, ":"); directed {
			return begins([]string{field + ":asc", field + ":desc"}, word), cobra.ShellCompDirectiveNoFileComp
		}
		return begins(names, word), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// completeFields offers the fields that are not in the list yet.
func completeFields(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	done, last := "", word
	if at := strings.LastIndexByte(word, ','); at >= 0 {
		done, last = word[:at+1], word[at+1:]
	}
	taken := strings.Split(done, ",")
	var names []string
	for _, f := range table.Fields() {
		// As the server takes them: what only filters cannot be shown.
		if (f.Listed || f.Sort) && strings.HasPrefix(f.Name, last) && !slices.Contains(taken, f.Name) {
			names = append(names, done+f.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeExpression offers the next word of an expression: a name where a test begins, the
// names that a value may have, and what joins tests.
func completeExpression(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	expects, name := nextWord(args)
	switch expects {
	case expectsValue:
		return begins(table.ExprValues(name), strings.ToLower(word)), cobra.ShellCompDirectiveNoFileComp
	case expectsJoint:
		return begins([]string{"and", "or"}, word), cobra.ShellCompDirectiveNoFileComp
	}
	return begins(append(table.ExprNames(), "not"), word), cobra.ShellCompDirectiveNoFileComp
}

// What may follow in an expression.
type expects int

const (
	expectsTest expects = iota
	expectsValue
	expectsJoint
)

// nextWord follows the words of an expression as far as the command line has them. It knows
// the forms that people type word by word; within quotation marks of the shell there is
// nothing to complete.
func nextWord(args []string) (next expects, name string) {
	for _, arg := range args {
		arg = strings.ToLower(strings.TrimLeft(arg, "(!"))
		switch {
		case arg == "and" || arg == "or" || arg == "not" || arg == "&&" || arg == "||" || arg == "":
			next = expectsTest
		case next == expectsTest && table.ExprTakesValue(arg):
			next, name = expectsValue, arg
		case next == expectsValue && slices.Contains(strings.Fields("= == != ! < <= > >= eq ne lt le gt ge"), arg):
		case next == expectsValue && strings.HasSuffix(arg, ","):
		default:
			next = expectsJoint
		}
	}
	return next, name
}
