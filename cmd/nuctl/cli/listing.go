// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/names"
	"nuconntrack/cmd/nuctl/output"
)

// How often --watch may look.
const (
	defaultWatch = "2"
	minWatch     = 100 * time.Millisecond
	maxWatch     = 24 * time.Hour
)

// listing is what the flags of list say.
type listing struct {
	filters  filterFlags
	sort     string
	start    int
	limit    int
	format   string
	json     bool
	noHeader bool
	fields   []string
	numeric  bool
	resolve  bool
	names    *names.Resolver
	watch    string
	noPager  bool
}

func (l *listing) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	l.filters.flags(f)
	f.StringVar(&l.sort, "sort", "", "sort by `FIELD[:desc]`")
	f.IntVar(&l.start, "start", 0, "leave out so many at the beginning")
	f.IntVar(&l.limit, "limit", 0, "show at most so many (0: all)")
	f.StringVarP(&l.format, "output", "o", "table", "`FORMAT`: "+strings.Join(output.Formats(), ", "))
	f.BoolVarP(&l.json, "json", "j", false, "short for -o json")
	f.BoolVarP(&l.noHeader, "no-header", "H", false, "leave out the line of titles")
	f.StringSliceVar(&l.fields, "fields", nil, "only these `FIELDS`, separated by commas")
	f.BoolVarP(&l.numeric, "numeric", "n", false, "addresses and ports as numbers (the default)")
	f.BoolVar(&l.resolve, "resolve", false, "names of hosts and services in tables, as far as they are found in two seconds")
	f.StringVar(&l.watch, "watch", "", "list again every `N` seconds (2) until Ctrl-C")
	f.Lookup("watch").NoOptDefVal = defaultWatch
	f.BoolVar(&l.noPager, "no-pager", false, "never show a list through a pager")
	completeFlag(cmd, "sort", completeSort)
	completeFlag(cmd, "fields", completeFields)
	completeFlag(cmd, "output", completeWords(output.Formats()...))
	completeFilters(cmd)
	for _, name := range []string{"start", "limit", "watch"} {
		completeFlag(cmd, name, cobra.NoFileCompletions)
	}
}

// query gives what is asked of the server, and settles the format.
func (l *listing) query(changed func(string) bool) (client.Query, error) {
	switch {
	case l.json && changed("output"):
		return client.Query{}, usagef("-j and -o exclude each other")
	case l.json:
		l.format = "json"
	}
	filters, err := l.filters.compile()
	switch {
	case err != nil:
		return client.Query{}, err
	case l.limit < 0:
		return client.Query{}, usagef("--limit must not be negative")
	case l.start < 0:
		return client.Query{}, usagef("--start must not be negative")
	case l.resolve && l.numeric:
		return client.Query{}, usagef("-n and --resolve exclude each other")
	case l.resolve && (!output.Tabular(l.format) || len(l.fields) > 0):
		return client.Query{}, usagef("--resolve is for the formats table and wide without --fields: the others are exact")
	case len(l.fields) > 0 && (l.format == "extended" || l.format == "save"):
		return client.Query{}, usagef("--fields cannot choose what the formats of conntrack hold")
	}
	if _, err := output.New(output.Config{Format: l.format}); err != nil {
		return client.Query{}, &usageError{err}
	}
	q := client.Query{Filters: filters, Start: l.start, Limit: l.limit, Fields: l.fields}
	if len(q.Fields) == 0 {
		q.Fields = output.Needs(l.format)
	}
	q.OrderBy, q.Descending, err = parseSort(l.sort)
	return q, err
}

// parseSort reads FIELD[:desc]. An empty text leaves the order to the server.
func parseSort(text string) (field string, descending bool, err error) {
	field, direction, directed := strings.Cut(text, ":")
	switch direction = strings.ToLower(direction); {
	case directed && field == "":
		return "", false, usagef("--sort %q: no field", text)
	case directed && direction != "asc" && direction != "desc":
		return "", false, usagef("--sort %q: the direction is asc or desc", text)
	}
	return field, direction == "desc", nil
}

// interval is how often --watch looks.
func (l *listing) interval() (time.Duration, error) {
	seconds, err := strconv.ParseFloat(strings.TrimSuffix(l.watch, "s"), 64)
	// Also false for what is no number, such as NaN.
	if err != nil || !(seconds >= minWatch.Seconds() && seconds <= maxWatch.Seconds()) {
		return 0, usagef("--watch %q: must be from %g to %g seconds", l.watch, minWatch.Seconds(), maxWatch.Seconds())
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// joinWatch lets the number of seconds stand behind --watch, as with other tools: there an
// argument is optional and flags take it after = only. No expression begins with a number.
func joinWatch(args []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(joined, args[i:]...)
		}
		if args[i] == "--watch" && i+1 < len(args) {
			if _, err := strconv.ParseFloat(args[i+1], 64); err == nil {
				joined = append(joined, "--watch="+args[i+1])
				i++
				continue
			}
		}
		joined = append(joined, args[i])
	}
	return joined
}
