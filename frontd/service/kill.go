// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"nuconntrack/frontd/reason"
	"nuconntrack/ipc"
)

const (
	// actTime bounds a kill or change as a whole, however many connections it names.
	actTime = 60 * time.Second
	// maxFaultText bounds the text of a fault that names connections, in bytes.
	maxFaultText = 64 << 10
)

// Kill removes connections. All that can be killed are; if any could not, the error is the
// fault of the first of these and names each. Once it has begun it goes on, though the
// client may have left. The call's own connection is spared unless the options force it.
func (c *Call) Kill(ctx context.Context, refs []Ref, o KillOptions) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTime)
	defer cancel()
	targets, err := c.find(ctx, refs)
	if err != nil {
		return c.failed("kill", err)
	}
	var failures []failure
	named := make(map[string]bool, len(refs)) // one named twice counts once
	for i, f := range c.killAll(ctx, targets, o) {
		if f.fault != nil && !named[refs[i].text] {
			failures = append(failures, failure{refs[i].text, f.fault})
		}
		named[refs[i].text] = true
	}
	return sum(failures, "killed", len(named))
}

// fate is what became of a connection that was to be killed.
type fate struct {
	outcome string // see Report
	fault   *Fault // nil where the connection is gone now
}

// killAll asks the helper for each connection, once for those named twice, with as many
// requests under way as the helper takes. The result has a place for each found; those that
// it spares have a fault afterwards.
func (c *Call) killAll(ctx context.Context, targets []found, o KillOptions) []fate {
	c.spare(targets, o)
	fates, said := make([]fate, len(targets)), make([]string, len(targets))
	first := make(map[ipc.Target]int, len(targets))
	work := make(chan int, ipc.MaxInFlight) // so that none has to wait for the next
	var wg sync.WaitGroup
	for range min(ipc.MaxInFlight, len(targets)) {
		wg.Go(func() {
			for i := range work {
				fates[i], said[i] = c.killOne(ctx, targets[i])
			}
		})
	}
	for i, t := range targets {
		if t.fault != nil {
			fates[i] = notTried(t.fault)
			said[i] = fates[i].outcome
		} else if _, again := first[t.target]; !again {
			first[t.target] = i
			work <- i
		}
	}
	close(work)
	wg.Wait()
	outcomes := make(map[string]int)
	for _, s := range said {
		outcomes[s]++ // of those named twice the second has none
	}
	c.acted(ActionKill, outcomes)
	c.hideNewOwners(ctx, targets, fates)
	for i, t := range targets {
		if t.fault == nil {
			fates[i] = fates[first[t.target]]
		}
	}
	return fates
}

// killOne also gives what the helper said, as Outcomes has it.
func (c *Call) killOne(ctx context.Context, t found) (f fate, said string) {
	r, err := c.s.helper.Kill(ctx, t.target, c.actor())
	if err != nil {
		return fate{OutcomeFailed, c.actFault("kill", err)}, ipc.Failed.String()
	}
	return fateOf(r, t), r.Outcome.String()
}

// fateOf says what the helper's answer means for a connection that was found. One that
// the session has seen and that is gone is what was asked for.
func fateOf(r ipc.Result, t found) fate {
	switch r.Outcome {
	case ipc.Killed:
		return fate{outcome: OutcomeKilled}
	case ipc.Gone:
		if t.known {
			return fate{outcome: OutcomeGone}
		}
		return fate{OutcomeGone, faultOf(r)}
	case ipc.Replaced:
		return fate{OutcomeReplaced, faultOf(r)}
	case ipc.Protected:
		return fate{OutcomeProtected, faultOf(r)}
	case ipc.Forbidden:
		return fate{OutcomeForbidden, faultOf(r)}
	}
	return fate{OutcomeFailed, faultOf(r)}
}

// notTried says what became of a name that names no connection, or several, or the one that
// is spared.
func notTried(f *Fault) fate {
	switch f.Code {
	case CodeAmbiguous:
		return fate{OutcomeAmbiguous, f}
	case CodePermission:
		return fate{OutcomeForbidden, f}
	}
	return fate{OutcomeUnknown, f}
}

// helperFault is failed for one of many: it is always a *Fault.
func (c *Call) helperFault(doing string, err error) *Fault {
	f, _ := AsFault(c.failed(doing, err))
	return f
}

// actFault is helperFault for a kill or change, which may have been done though no answer came.
func (c *Call) actFault(doing string, err error) *Fault {
	if !errors.Is(err, ipc.ErrUnanswered) {
		return c.helperFault(doing, err)
	}
	c.s.log.Warn("the helper did not answer", "request", c.Request(), "doing", doing, "error", err)
	return because(CodeHelper, reason.Unanswered.Of())
}

// faultOf makes a fault of an outcome that is not what was asked for.
func faultOf(r ipc.Result) *Fault {
	switch r.Outcome {
	case ipc.Gone:
		return noConnection()
	case ipc.Replaced:
		return fault(CodeReplaced, "the connection was replaced by another with the same addresses")
	case ipc.Protected:
		return byRule(r.Rule, "refused by the helper's policy: the rule %s protects the connection")
	case ipc.Forbidden:
		return byRule(r.Rule, "refused by the helper's policy, rule %s")
	case ipc.Fixed:
		return fault(CodeFixed, "the timeout is fixed already and cannot be changed again")
	case ipc.Partial:
		f := fault(CodeKernel, "the kernel refused (%s), but the value has changed", kernelsWords(r.Errno))
		f.Reason = reason.ErrnoChanged.Of(errnoName(r.Errno))
		return f
	case ipc.Failed:
		f := fault(CodeKernel, "the kernel refused (%s)", kernelsWords(r.Errno))
		f.Reason = reason.Errno.Of(errnoName(r.Errno))
		return f
	case ipc.Limited:
		wait := seconds(r.Retry)
		return &Fault{Code: CodeTooMany, Text: fmt.Sprintf("too many requests, try again after %d seconds", wait), Retry: wait}
	case ipc.Unaudited:
		return because(CodeInternal, reason.Unaudited.Of())
	}
	return fault(CodeInternal, "internal error")
}

func byRule(rule, format string) *Fault {
	f := fault(CodePolicy, format, rule)
	f.Rule = rule
	return f
}

// kernelsWords says what an error number of the kernel means, which is known in English only.
func kernelsWords(errno uint16) string {
	if errno == 0 {
		return "no reason given"
	}
	return fmt.Sprintf("%s: %s", unix.ErrnoName(unix.Errno(errno)), unix.Errno(errno).Error())
}

// errnoName names an error number of the kernel; it is the same in every language.
func errnoName(errno uint16) string {
	if name := unix.ErrnoName(unix.Errno(errno)); name != "" {
		return name
	}
	return strconv.Itoa(int(errno))
}

// failure is a connection, as the client named it, and what stood against it.
type failure struct {
	name  string
	fault *Fault
}

// sum makes one fault of many: the code of the first, and each name with its reason, the
// names with the same reason together. nil for none.
func sum(all []failure, done string, of int) error {
	if len(all) == 0 {
		return nil
	}
	if of == 1 {
		return fault(all[0].fault.Code, "%s: %s", all[0].name, all[0].fault.Text)
	}
	var reasons []string
	names := make(map[string][]string)
	for _, f := range all {
		why := f.fault.Text
		if !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
		names[why] = append(names[why], f.name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d connections were not %s", len(all), of, done)
	for _, why := range reasons {
		fmt.Fprintf(&b, "; %s: ", why)
		for i, name := range names[why] {
			if b.Len() > maxFaultText {
				fmt.Fprintf(&b, " and %d more", len(names[why])-i)
				break
			}
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(name)
		}
	}
	return fault(all[0].fault.Code, "%s", b.String())
}
