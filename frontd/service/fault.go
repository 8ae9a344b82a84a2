// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"errors"
	"fmt"
	"math"
	"time"

	"nuconntrack/frontd/reason"
)

// Codes of faults. Codes are only ever added.
const (
	CodeAuthentication = 1  // authentication failed
	CodeSession        = 2  // session unknown or expired
	CodePermission     = 3  // not permitted to this user
	CodeNoConnection   = 4  // no such connection, or none that this user may see
	CodeAmbiguous      = 5  // the id stands for several connections
	CodePolicy         = 6  // refused by the helper's policy
	CodeReplaced       = 7  // another connection has the addresses now
	CodeKernel         = 8  // the kernel refused
	CodeHelper         = 9  // the helper cannot be reached
	CodeTooMany        = 10 // too many requests
	CodeFixed          = 11 // the timeout is fixed already
	CodeSnapshot       = 12 // that snapshot is no longer held

	// Of "Specification for Fault Code Interoperability", version 20010516.
	CodeParams   = -32602
	CodeInternal = -32603
)

// A Meaning says what a code stands for.
type Meaning struct {
	Code    int
	Meaning string
}

// Meanings are those of all codes, in their order.
func Meanings() []Meaning {
	return []Meaning{
		{CodeAuthentication, "Authentication failed."},
		{CodeSession, "The session is unknown or has expired."},
		{CodePermission, "Not permitted to this user."},
		{CodeNoConnection, "There is no such connection, or none that this user may see."},
		{CodeAmbiguous, "The id stands for several connections; use the key."},
		{CodePolicy, "Refused by the helper's policy. The text names the rule."},
		{CodeReplaced, "The connection was replaced by another with the same addresses."},
		{CodeKernel, "The kernel refused. The text has its reason."},
		{CodeHelper, "The helper cannot be reached, or went away before it answered: the text says whether it may have been done all the same."},
		{CodeTooMany, "Too many requests; try again after as many seconds as the text says."},
		{CodeFixed, "The timeout is fixed already."},
		{CodeSnapshot, "That snapshot is no longer held."},
		{CodeParams, "Bad parameters. The text names the one."},
		{CodeInternal, "An internal error, which the daemon's log has."},
	}
}

// Fault is an error as a client gets it. Text never holds an internal error or a secret.
type Fault struct {
	Code int
	Text string
	// Retry is after how many seconds trying again makes sense, where that is known (the Text
	// says so too); else 0.
	Retry int
	// Rule is that of the helper's policy, with CodePolicy. The Text says it too.
	Rule string
	// Reason is what the code alone does not say, for who does not show the Text; the zero Reason
	// where there is nothing more.
	Reason reason.Reason
}

func (f *Fault) Error() string { return fmt.Sprintf("fault %d: %s", f.Code, f.Text) }

func fault(code int, format string, args ...any) *Fault {
	return &Fault{Code: code, Text: fmt.Sprintf(format, args...)}
}

// because is the fault whose text is its reason.
func because(code int, why reason.Reason) *Fault {
	return &Fault{Code: code, Text: why.Error(), Reason: why}
}

// wrongParam is the fault of a parameter, which it names.
func wrongParam(name any, why reason.Reason) *Fault {
	return because(CodeParams, reason.Param.Of(name, why))
}

// BadParam is the fault of a wrong parameter that only XML-RPC can send.
func BadParam(format string, args ...any) *Fault { return fault(CodeParams, format, args...) }

// AsFault gives the fault in err; ok is false for nil and for anything else.
func AsFault(err error) (f *Fault, ok bool) {
	ok = errors.As(err, &f)
	return f, ok
}

// seconds rounds a wait up for a text: at least 1.
func seconds(d time.Duration) int {
	return max(1, int(math.Ceil(d.Seconds())))
}
