// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

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
// client may have left.
func (c *Call) Kill(ctx context.Context, refs []Ref) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTime)
	defer cancel()
	targets, err := c.find(ctx, refs)
	if err != nil {
		return c.s.failed("kill", err)
	}
	outcomes := c.killAll(ctx, targets)
	var failures []failure
	for i, f := range outcomes {
		if f != nil {
			failures = append(failures, failure{refs[i].text, f})
		}
	}
	return sum(failures, "killed", len(refs))
}

// killAll asks the helper for each connection, once for those named twice, with as many
// requests under way as the helper takes. The result has a place for each found: nil where
// the connection is gone now.
func (c *Call) killAll(ctx context.Context, targets []found) []*Fault {
	faults := make([]*Fault, len(targets))
	first := make(map[ipc.Target]int, len(targets))
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(ipc.MaxInFlight, len(targets)) {
		wg.Go(func() {
			for i := range work {
				faults[i] = c.killOne(ctx, targets[i])
			}
		})
	}
	for i, t := range targets {
		if t.fault != nil {
			faults[i] = t.fault
		} else if _, again := first[t.target]; !again {
			first[t.target] = i
			work <- i
		}
	}
	close(work)
	wg.Wait()
	for i, t := range targets {
		if t.fault == nil {
			faults[i] = faults[first[t.target]]
		}
	}
	return faults
}

func (c *Call) killOne(ctx context.Context, t found) *Fault {
	r, err := c.s.helper.Kill(ctx, t.target, c.actor())
	if err != nil {
		return c.helperFault("kill", err)
	}
	if r.Outcome == ipc.Killed || r.Outcome == ipc.Gone && t.known {
		return nil
	}
	return faultOf(r)
}

// helperFault is failed for one of many: it is always a *Fault.
func (c *Call) helperFault(doing string, err error) *Fault {
	f, _ := AsFault(c.s.failed(doing, err))
	return f
}

// faultOf makes a fault of an outcome that is not what was asked for.
func faultOf(r ipc.Result) *Fault {
	switch r.Outcome {
	case ipc.Gone:
		return fault(CodeNoConnection, "no such connection")
	case ipc.Replaced:
		return fault(CodeReplaced, "the connection was replaced by another with the same addresses")
	case ipc.Protected:
		return fault(CodePolicy, "refused by the helper's policy: the rule %s protects the connection", r.Rule)
	case ipc.Forbidden:
		return fault(CodePolicy, "refused by the helper's policy, rule %s", r.Rule)
	case ipc.Fixed:
		return fault(CodeFixed, "the timeout is fixed already and cannot be changed again")
	case ipc.Partial:
		return fault(CodeKernel, "the kernel refused (%s), but the value has changed", reason(r.Errno))
	case ipc.Failed:
		return fault(CodeKernel, "the kernel refused (%s)", reason(r.Errno))
	case ipc.Limited:
		return fault(CodeTooMany, "too many requests, try again after %d seconds", seconds(r.Retry))
	case ipc.Unaudited:
		return fault(CodeInternal, "the audit log cannot be written, so nothing was done")
	}
	return fault(CodeInternal, "internal error")
}

// reason names an error number of the kernel.
func reason(errno uint16) string {
	if errno == 0 {
		return "no reason given"
	}
	return fmt.Sprintf("%s: %s", unix.ErrnoName(unix.Errno(errno)), unix.Errno(errno).Error())
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
