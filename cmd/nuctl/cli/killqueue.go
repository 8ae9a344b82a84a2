// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nuconntrack/cmd/nuctl/client"
	"nuconntrack/cmd/nuctl/output"
)

// endGrace is how long the answer to a call that is under way is waited for when the user ends
// it all, behind the time that the server watches.
const endGrace = 2 * time.Second

// killCalls are those of a session.
type killCalls interface {
	KillNamed(ctx context.Context, targets []string, o client.KillOptions) ([]client.Report, error)
	Renew(ctx context.Context, password string) error
}

// doomed is a connection that is to be killed.
type doomed struct {
	name  string // id or key; "" before the first answer, where a filter names them
	id    string // as the server told it at the last refusal
	seen  bool   // in a table, so that it has ended if it is gone
	tried bool   // and refused for now
}

// killQueue kills what it holds, each once but for what the helper's policy refuses for now: that
// is sent again, by key, so that nothing else can be hit however long it takes, and at the pace
// that the policy allows. Nothing is ever added to it that was not asked for at the beginning.
type killQueue struct {
	k        *killing
	calls    killCalls
	report   *reporter
	progress *progress

	left    []doomed // those that were not tried yet come first
	total   int
	missing int             // on so many the answer is missing
	lost    []doomed        // these, where they have names
	known   map[string]bool // keys of what was tried, where one may be named by its id too; else nil
	pace    pace
	since   time.Time // of the first refusal; zero: none yet
	again   int       // how many were sent again, counted each time
	why     string    // the server's words at the last refusal
	note    string    // why it was given up; "" if it was not
}

func (a *app) newKillQueue(k *killing, calls killCalls, total int) *killQueue {
	return &killQueue{k: k, calls: calls, report: a.newReporter(k), progress: a.newProgress(), total: total}
}

// named puts connections into the queue by their names.
func (q *killQueue) named(names []string, seen func(name string) bool) {
	ids := 0
	for _, name := range names {
		q.left = append(q.left, doomed{name: name, seen: seen(name)})
		if fieldOf(name) == "id" {
			ids++
		}
	}
	if ids > 0 && ids < len(names) {
		q.known = map[string]bool{}
	}
}

// once takes out of the queue what has been tried by its id already.
func (q *killQueue) once() {
	if q.known == nil {
		return
	}
	before := len(q.left)
	q.left = slices.DeleteFunc(q.left, func(d doomed) bool { return !d.tried && q.known[d.name] })
	q.total -= before - len(q.left)
}

// twice says whether a connection, of which a report is, was tried by another name before.
func (q *killQueue) twice(d doomed, r client.Report) bool {
	if q.known == nil || d.tried || r.Key == "" {
		return false
	}
	before := q.known[r.Key]
	q.known[r.Key] = true
	return before
}

// run works through the queue and tells what became of all, also after a failure: err, which
// may come from before.
func (q *killQueue) run(ctx context.Context, err error) error {
	for err == nil && len(q.left) > 0 && q.note == "" {
		err = q.turn(ctx)
	}
	q.progress.clear()
	if err == nil || q.report.json != nil {
		// Programs want every one; who pressed Ctrl-C at a terminal, a sum.
		err = errors.Join(err, q.report.write(q.leftovers(), nil))
	}
	if q.note != "" {
		fmt.Fprintln(q.report.app.stderr, "nuctl: "+q.note)
	} else if err == nil && q.again > 0 && !q.progress.shows() {
		fmt.Fprintf(q.report.app.stderr, "nuctl: the helper's policy limits how many a second are killed: some were sent again, for %s\n", q.spent())
	}
	return errors.Join(q.accounted(err), q.report.end(err))
}

// turn waits for the time of the next portion, and sends it.
func (q *killQueue) turn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.once(); len(q.left) == 0 {
		return nil
	}
	pause := max(time.Until(q.pace.next), 0)
	if !q.since.IsZero() && time.Since(q.since)+pause > q.k.wait {
		q.note = fmt.Sprintf("given up after %s, --wait is %s: %s", q.spent(), q.k.wait, output.Clean(q.why))
		return nil
	}
	q.progress.show(q, pause)
	if err := sleep(ctx, pause); err != nil {
		return err
	}
	began := time.Now()
	n := min(q.pace.portion(began), len(q.left))
	// What an id stands for is looked up in a table that the server holds now, and not for long.
	if ids := q.leadingIDs(); !q.since.IsZero() && ids > 0 {
		n = min(ids, client.MaxTargets)
	}
	return q.send(ctx, began, n)
}

func (q *killQueue) leadingIDs() int {
	n := slices.IndexFunc(q.left, func(d doomed) bool { return fieldOf(d.name) != "id" })
	if n < 0 {
		return len(q.left)
	}
	return n
}

// leadingKeys says whether the first n of the queue are all named by keys.
func (q *killQueue) leadingKeys(n int) bool {
	return !slices.ContainsFunc(q.left[:n], func(d doomed) bool { return fieldOf(d.name) == "id" })
}

// send sends the first n of the queue and takes the answer.
func (q *killQueue) send(ctx context.Context, began time.Time, n int) error {
	portion := q.left[:n]
	names := make([]string, n)
	for i, d := range portion {
		names[i] = d.name
	}
	reports, err := q.call(ctx, names)
	if call := asCall(err); call != nil && call.Kind == client.Faulted && q.k.wait > 0 {
		// Nothing was done by a call that ended so.
		switch {
		case call.Code == client.FaultBusy:
			q.refused(call.Text)
			q.pace.next = time.Now().Add(call.RetryAfter())
			return nil
		case call.Code == client.FaultSession && !q.since.IsZero() && q.leadingKeys(n):
			// A key stands for the same in every session.
			if err = q.calls.Renew(ctx, ""); err != nil {
				return err
			}
			reports, err = q.call(ctx, names)
		}
	}
	if err != nil {
		err = q.failed(err, n)
		q.lost = portion[:q.missing]
		q.left = q.left[q.missing:]
		return err
	}
	q.left = q.left[n:]
	return q.take(began, portion, reports)
}

// failed is the error of a call on n connections, of which nobody may know what became of them.
func (q *killQueue) failed(err error, n int) error {
	err = lost(err, maybeKilled)
	if unsure := new(lostError); errors.As(err, &unsure) {
		q.missing = n
	}
	return err
}

// call is a call that, unless it is the first, is not cut off by the end of ctx: then much was
// done, and who ends it wants to know of all of it.
func (q *killQueue) call(ctx context.Context, names []string) (reports []client.Report, err error) {
	if q.since.IsZero() && q.report.all == 0 {
		return q.calls.KillNamed(ctx, names, q.k.options())
	}
	under, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		reports, err = q.calls.KillNamed(under, names, q.k.options())
	}()
	select {
	case <-done:
		return reports, err
	case <-ctx.Done():
	}
	q.progress.say("ending; the last answer is under way (Ctrl-C once more: at once)")
	grace := time.NewTimer(q.k.options().Watch + endGrace)
	defer grace.Stop()
	select {
	case <-done:
	case <-grace.C:
		cancel()
		<-done
	}
	return reports, err
}

// take tells what became of a portion, and puts back what was refused for now.
func (q *killQueue) take(began time.Time, portion []doomed, reports []client.Report) error {
	var told []client.Report
	var seen []bool
	var again []doomed
	var pause time.Duration
	for i, r := range reports {
		if q.twice(portion[i], r) {
			q.total--
			continue
		}
		if portion[i].tried {
			q.again++
		}
		if after, limited := r.Limited(); limited && q.k.wait > 0 {
			if d, ok := portion[i].refused(r); ok {
				q.refused(r.Detail)
				again, pause = append(again, d), max(pause, after)
				continue
			}
		}
		told, seen = append(told, r), append(seen, portion[i].seen)
	}
	q.left = append(q.left, again...)
	if len(again) > 0 && q.pace.empty.IsZero() {
		slices.SortStableFunc(q.left, func(a, b doomed) int { return strings.Compare(fieldOf(a.name), fieldOf(b.name)) })
	}
	q.pace.sent(began, len(portion), len(again), pause)
	q.progress.clear()
	return q.report.write(told, seen)
}

// refused notes that something has been refused for now, in the server's words.
func (q *killQueue) refused(why string) {
	if q.why = why; q.since.IsZero() {
		q.since = time.Now()
	}
}

// refused is what to send again of a connection that was refused: by its key. false if the server
// gave none that is one.
func (d doomed) refused(r client.Report) (doomed, bool) {
	if d.name == "" || fieldOf(d.name) == "id" {
		key, err := parseTarget(r.Key)
		if err != nil || fieldOf(key) != "key" {
			return d, false
		}
		d.name = key
	}
	d.id, d.tried = r.ID, true
	return d, true
}

func (q *killQueue) spent() time.Duration { return time.Since(q.since).Round(time.Second) }

// sleep waits; the error is that of ctx if it ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
