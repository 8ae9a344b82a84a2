// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/connection"
	"nuconntrack/cmd/nuctl/output"
	"nuconntrack/frontd/table/ident"
)

// reporter tells what became of connections that were to be killed.
type reporter struct {
	app    *app
	format string
	watch  int
	out    *bufio.Writer
	json   output.Writer
	killed int
	gone   int
	// returned are those of the rest that were killed, and are there again.
	returned int
	unsure   int // those of the rest of which nobody knows whether they were killed
	all      int
	failed   string // the first outcome of one that was not killed
	broken   bool   // nothing can be written any more, which has been told
	colour   bool
}

func (a *app) newReporter(k *killing) *reporter {
	r := &reporter{app: a, format: k.format, watch: k.watchSeconds, out: bufio.NewWriter(a.stdout),
		colour: a.colour(a.stdout)}
	if k.format != "table" {
		// The formats are known.
		r.json, _ = output.New(output.Config{Format: k.format, Out: r.out})
	}
	return r
}

// write tells of some, and which of these were seen in a table before; nil: none. They count also
// where they cannot be written.
func (r *reporter) write(reports []client.Report, seen []bool) error {
	for i, report := range reports {
		r.count(report, seen != nil && seen[i])
	}
	if r.broken {
		return nil
	}
	if err := r.tell(reports); err != nil {
		r.broken = true
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func (r *reporter) tell(reports []client.Report) error {
	for _, report := range reports {
		if r.json == nil {
			fmt.Fprintln(r.out, r.line(report))
			continue
		}
		row := connection.Row{"outcome": report.Outcome}
		if report.ID == "" {
			report.ID = idOfKey(report.Key)
		}
		if report.ID != "" {
			row["id"] = report.ID
		}
		if report.Key != "" {
			row["key"] = report.Key
		}
		if report.Detail != "" {
			row["detail"] = report.Detail
		}
		if err := r.json.Page([]connection.Row{row}); err != nil {
			return err
		}
	}
	return r.out.Flush()
}

// count counts a report. One that the server has seen and that is gone since has met its
// fate; a key may name what never was.
func (r *reporter) count(report client.Report, seen bool) {
	r.all++
	switch {
	case report.Outcome == client.OutcomeKilled:
		r.killed++
	case report.Outcome == client.OutcomeGone && seen:
		r.gone++
	case r.failed == "":
		r.failed = report.Outcome
	}
	if report.Outcome == client.OutcomeReturned {
		r.returned++
	}
	if report.Unsure() {
		r.unsure++
	}
}

// end gives the sum, and the error if any was not killed. After a failed call it says only
// how many had been killed by then.
func (r *reporter) end(failed error) error {
	if r.broken {
		return nil // as failed says
	}
	if r.json != nil {
		if err := r.json.End(); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		if err := r.out.Flush(); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	} else if failed == nil || r.all > 0 {
		sum := plural(r.killed) + " killed"
		if r.gone > 0 {
			sum += fmt.Sprintf(", %d already gone", r.gone)
		}
		if r.returned > 0 {
			sum += fmt.Sprintf(", %d came back", r.returned)
		}
		fmt.Fprintln(r.out, sum)
		if err := r.out.Flush(); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	left := r.all - r.killed - r.gone
	if left == 0 || failed != nil {
		return nil
	}
	text := fmt.Sprintf("%d of %s not killed", left, plural(r.all))
	if r.returned > 0 {
		text += " or back again"
	}
	if r.unsure > 0 {
		text += fmt.Sprintf(", %d of them perhaps all the same", r.unsure)
	}
	switch {
	case r.all > 1:
	case r.failed == client.OutcomeReturned:
		text = "the connection was killed, and came back"
	case r.unsure > 0:
		text = "the connection was killed, or not: nobody knows"
	default:
		text = "the connection was not killed"
	}
	return &advisedError{errors.New(text), r.advice()}
}

// advice says what to do about the first that was not killed.
func (r *reporter) advice() string {
	code := 0
	if r.unsure > 0 {
		return "the server lost its helper before it answered: 'nuctl list' shows what is left"
	}
	switch r.failed {
	case client.OutcomeReturned:
		return "its next packet made it anew, as the firewall's rules allow: 'nuctl doctor' says how to stop that for TCP; for other protocols a rule has to drop the peer first"
	case client.OutcomeForbidden:
		return "the helper's policy or the server forbids it, as said above; --force kills the connection that nuctl itself came in on"
	case client.OutcomeFailed:
		return "each line says why; where it was too many requests, the helper's policy sets how many a second may be killed: run the same command again for those that are left, or let it take longer by --wait"
	case client.OutcomeProtected:
		code = client.FaultPolicy
	case client.OutcomeReplaced:
		code = client.FaultReplaced
	case client.OutcomeAmbiguous:
		code = client.FaultAmbiguous
	case client.OutcomeUnknown, client.OutcomeGone:
		code = client.FaultUnknown
	}
	_, next, _ := explainFault(&client.Error{Code: code})
	return next
}

// line is a report in plain words.
func (r *reporter) line(report client.Report) string {
	word := r.word(report.Outcome)
	if report.Outcome != client.OutcomeKilled && r.colour {
		word = output.Red(word)
	}
	text := fmt.Sprintf("%s: %s", word, r.named(report))
	switch report.Outcome {
	case client.OutcomeGone, client.OutcomeUnknown:
		return text // the word says it all
	}
	if report.Detail == "" {
		return text
	}
	return text + ": " + output.Clean(report.Detail)
}

func (r *reporter) word(outcome string) string {
	switch outcome {
	case client.OutcomeGone:
		return "already gone"
	case client.OutcomeUnknown:
		return "no such connection"
	case client.OutcomeReturned:
		return fmt.Sprintf("came back within %d s", r.watch)
	}
	return output.Clean(outcome)
}

// named says which connection it is: its key holds its addresses.
func (r *reporter) named(report client.Report) string {
	id := "id " + output.Clean(cmp.Or(report.ID, idOfKey(report.Key), report.Key))
	row, err := connection.OfKey(report.Key)
	if err != nil {
		return id
	}
	return r.app.described(row) + " (" + id + ")"
}

// idOfKey is the id that a key holds; "" if it is none.
func idOfKey(key string) string {
	target, err := ident.DecodeKey(key)
	if err != nil {
		return ""
	}
	return strconv.FormatUint(uint64(target.ID), 10)
}

// described is a connection on one line, without its id.
func (a *app) described(row connection.Row) string {
	arrow := " -> "
	if unicodeLocale(a.getenv) {
		arrow = " → "
	}
	return output.Text(row, "proto") + " " + output.Source(row, arrow) + " to " + output.Destination(row, arrow)
}

func killQuestion(n int) string { return fmt.Sprintf("Kill %s?", plural(n)) }

// confirmKill shows some of what is to be killed and asks.
func (a *app) confirmKill(ctx context.Context, k *killing, page client.Page) error {
	if k.yes {
		return nil
	}
	if !a.canAsk() {
		return a.cannotAsk(killQuestion(page.Total))
	}
	var sample strings.Builder
	columns := a.terminalWidth()
	if columns == 0 {
		columns = 80
	}
	writer, err := output.New(output.Config{Format: "table", Out: &sample, Columns: columns, Unicode: unicodeLocale(a.getenv)})
	if err == nil {
		err = writer.Page(rowsOf(page))
	}
	if err != nil {
		return err
	}
	if more := page.Total - len(page.Rows); more > 0 && len(page.Rows) > 0 {
		fmt.Fprintf(&sample, "and %d more\n", more)
	}
	if len(page.Rows) == 0 {
		sample.Reset()
	}
	return a.confirm(ctx, false, sample.String()+killQuestion(page.Total))
}

func (a *app) warnKill(warnings []string) {
	for _, text := range warnings {
		// What a table lacks in counters does not matter to a kill.
		if !slices.ContainsFunc([]string{"accounting:", "timestamps:"}, func(word string) bool { return strings.HasPrefix(text, word) }) {
			a.warn(text)
		}
	}
}
