// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
)

const (
	// maxKey is the length of a key, in bytes; the server's have about a hundred.
	maxKey = 512
	// maxNamed is how many connections may be named, on standard input too.
	maxNamed = 1_000_000
)

// killNamed kills connections by their ids and keys, as many in a call as the server takes.
func (a *app) killNamed(ctx context.Context, k *killing, args []string) error {
	names := args
	if slices.Contains(args, "-") {
		if len(args) > 1 {
			return usagef("- stands alone: it reads the connections from standard input")
		}
		var err error
		if names, err = readNames(a.stdin); err != nil {
			return err
		}
	}
	targets, err := parseTargets(names)
	if err != nil {
		return err
	}
	ask := len(targets) > 1 && !k.yes && !k.dryRun
	if ask && !a.canAsk() {
		return a.cannotAsk(killQuestion(len(targets)))
	}
	return a.withSession(ctx, func(s *client.Session) error {
		queries := queriesFor(targets)
		if k.dryRun {
			return a.dryRun(ctx, k, s, queries...)
		}
		if ask {
			page, err := firstOf(ctx, s, queries)
			if err != nil {
				return err
			}
			page.Total = len(targets)
			if err := a.confirmKill(ctx, k, page); err != nil {
				return err
			}
		}
		q := a.newKillQueue(k, s, len(targets))
		// An id is looked up in a table; a key may never have been in one.
		q.named(targets, func(name string) bool { return fieldOf(name) == "id" })
		return q.run(ctx, nil)
	})
}

// readNames reads connections, one a line; empty lines are left out.
func readNames(r io.Reader) ([]string, error) {
	var names []string
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxKey+2)
	for lines.Scan() {
		if name := strings.TrimSpace(lines.Text()); name != "" {
			names = append(names, name)
		}
		if len(names) > maxNamed {
			return nil, usagef("standard input: more than %d connections", maxNamed)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, usagef("standard input: a line is neither the id nor the key of a connection")
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	return names, nil
}

// queriesFor asks for named connections, so many in a call that it stays within what the
// server reads.
func queriesFor(targets []string) []client.Query {
	byField := map[string][]string{}
	for _, target := range targets {
		byField[fieldOf(target)] = append(byField[fieldOf(target)], target)
	}
	var queries []client.Query
	for _, field := range []string{"id", "key"} {
		for chunk := range slices.Chunk(byField[field], client.PageRows) {
			queries = append(queries, client.Query{Filters: map[string]any{field: chunk}, Fields: append(connection.Summary(), "key")})
		}
	}
	return queries
}

// fieldOf is the field by which a target is named.
func fieldOf(target string) string {
	if target[0] >= '0' && target[0] <= '9' {
		return "id"
	}
	return "key"
}

// firstOf gives the first rows that queries find.
func firstOf(ctx context.Context, s *client.Session, queries []client.Query) (client.Page, error) {
	var all client.Page
	for _, query := range queries {
		page, err := s.Window(ctx, query, 0, sampleRows, "")
		if err != nil {
			return client.Page{}, err
		}
		all.Rows = append(all.Rows, page.Rows...)
		if len(all.Rows) >= sampleRows {
			all.Rows = all.Rows[:sampleRows]
			break
		}
	}
	return all, nil
}

// parseTargets checks ids and keys and drops duplicates.
func parseTargets(args []string) ([]string, error) {
	seen := map[string]bool{}
	var targets []string
	for _, arg := range args {
		target, err := parseTarget(arg)
		if err != nil {
			return nil, err
		}
		if !seen[target] {
			seen[target] = true
			targets = append(targets, target)
		}
	}
	return targets, nil
}

// parseTarget takes an id, decimal and of 32 bits, or what may be a key: that is
// opaque, but safe in URLs and never a number.
func parseTarget(arg string) (string, error) {
	foreign := func(r rune) bool {
		return !strings.ContainsRune("-_.~", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if arg == "" || len(arg) > maxKey || strings.ContainsFunc(arg, foreign) || strings.HasPrefix(arg, "-") {
		return "", usagef("%q is neither the id nor the key of a connection", arg)
	}
	if arg[0] < '0' || arg[0] > '9' {
		return arg, nil
	}
	id, err := strconv.ParseUint(arg, 10, 32)
	if err != nil {
		return "", usagef("%q is not the id of a connection, a decimal number below 2^32", arg)
	}
	return strconv.FormatUint(id, 10), nil
}
