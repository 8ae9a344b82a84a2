// SPDX-License-Identifier: GPL-2.0-or-later

package policy

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
)

// Endpoints is the tuple of one direction of a connection.
//
// SrcPort and DstPort count only where HasPorts is set: TCP, UDP, UDPlite, SCTP
// and DCCP, and GRE, whose keys the kernel keeps in the place of ports. An
// address that could not be read (the zero Addr) counts as listed in every list
// of addresses: what is unknown cannot be shown to be harmless.
type Endpoints struct {
	Src, Dst         netip.Addr
	HasPorts         bool
	SrcPort, DstPort uint16
}

// Connection is what the kernel says about a connection: protocol number and,
// for each direction, tuple and conntrack zone.
type Connection struct {
	Protocol            uint8
	Orig, Reply         Endpoints
	OrigZone, ReplyZone uint16
}

// Outcomes of a refusal, as in the audit and in kill_report.
const (
	OutcomeProtected = "protected"
	OutcomeForbidden = "forbidden"
)

// Names of the rules that a refusal can give. A protect rule gives its own name, which
// can be none of these.
const (
	RuleNoPolicy    = "no-policy"
	RuleKillAllow   = "kill.allow"
	RuleKillRate    = "kill.rate" // of the bucket, which whoever keeps it names
	RuleChangeAllow = "change.allow"
	RuleMarkMask    = "change.mark_mask"
	RuleTimeoutMin  = "change.timeout_min"
	RuleTimeoutMax  = "change.timeout_max"
	RuleZones       = "zones"
)

// reserved reports whether a name is that of a rule that is always there.
func reserved(name string) bool {
	switch name {
	case RuleNoPolicy, RuleKillAllow, RuleKillRate, RuleChangeAllow, RuleMarkMask, RuleTimeoutMin, RuleTimeoutMax, RuleZones:
		return true
	}
	return false
}

// Decision is the answer to one question. The zero value is a refusal.
//
// Outcome, Rule and Detail are set on a refusal only. Rule is at most 56 bytes
// of ASCII; Detail is one line for people, at most a few hundred bytes, without
// text from outside other than the name of a rule.
type Decision struct {
	Allowed bool
	Outcome string
	Rule    string
	Detail  string
}

// Limits says how much the helper may do. The values are within the bounds
// that Parse enforces.
type Limits struct {
	Rate  float64 // attempts a second, on average
	Burst int     // attempts at once
	Duty  float64 // share of the time that dumps may take, above 0, at most 1
}

// Rules is a policy file as understood. It does not change once made and may be
// used from many goroutines. The zero value and a nil pointer are None.
type Rules struct {
	present     bool
	limits      Limits
	killAllow   bool
	changeAllow bool
	markMask    uint32
	timeoutMin  uint32
	timeoutMax  uint32
	zones       []uint16 // sorted; empty: all
	protect     []protectRule
}

// None returns the rules that hold where there is no policy file: nothing may
// be killed or changed, tables may be read at the default pace.
func None() *Rules { return &Rules{} }

// Limits returns the limits of the file, or the defaults where there is none.
func (r *Rules) Limits() Limits {
	if r == nil || !r.present {
		return defaultLimits()
	}
	return r.limits
}

// Kill decides whether c may be removed from the kernel's table.
func (r *Rules) Kill(c Connection) Decision {
	if r == nil || !r.present {
		return noPolicy()
	}
	if !r.killAllow {
		return forbid(RuleKillAllow, "the policy does not allow to kill connections")
	}
	return r.touch(c)
}

// ChangeMark decides whether the mark of c, which is old, may become
// (old &^ mask) ^ value, which is what the kernel makes of CTA_MARK and CTA_MARK_MASK.
//
// A mask that names single bits must be within the policy's, and so must value: a bit
// of value outside mask flips that bit of the old mark. A mask of all bits says what the
// mark is to be as a whole, and then no bit outside the policy's mask may become another.
// In both cases what is sent is to be cut to MarkMask: old may have changed by then.
func (r *Rules) ChangeMark(c Connection, old, value, mask uint32) Decision {
	if d := r.change(c); !d.Allowed {
		return d
	}
	touched := value | mask
	if mask == math.MaxUint32 {
		touched = old ^ value
	}
	if outside := touched &^ r.markMask; outside != 0 {
		return forbid(RuleMarkMask, fmt.Sprintf(
			"the change touches mark bits %#x; the policy allows bits within %#x only", outside, r.markMask))
	}
	return Decision{Allowed: true}
}

// MarkMask are the bits of a mark that may be changed at all.
func (r *Rules) MarkMask() uint32 {
	if r == nil || !r.present {
		return 0
	}
	return r.markMask
}

// ChangeTimeout decides whether c may be made to end after that many seconds.
func (r *Rules) ChangeTimeout(c Connection, seconds uint32) Decision {
	if d := r.change(c); !d.Allowed {
		return d
	}
	if seconds < r.timeoutMin {
		return forbid(RuleTimeoutMin, fmt.Sprintf(
			"a timeout of %d s is shorter than the %d s that the policy allows", seconds, r.timeoutMin))
	}
	if seconds > r.timeoutMax {
		return forbid(RuleTimeoutMax, fmt.Sprintf(
			"a timeout of %d s is longer than the %d s that the policy allows", seconds, r.timeoutMax))
	}
	return Decision{Allowed: true}
}

func (r *Rules) change(c Connection) Decision {
	if r == nil || !r.present {
		return noPolicy()
	}
	if !r.changeAllow {
		return forbid(RuleChangeAllow, "the policy does not allow to change connections")
	}
	return r.touch(c)
}

// touch makes the checks that every action shares.
func (r *Rules) touch(c Connection) Decision {
	if len(r.protect) > 0 {
		t := traitsOf(c)
		for i := range r.protect {
			if why, ok := r.protect[i].match(&t); ok {
				return Decision{
					Outcome: OutcomeProtected,
					Rule:    r.protect[i].name,
					Detail:  "the connection is protected: " + why,
				}
			}
		}
	}
	for _, z := range []struct {
		direction string
		zone      uint16
	}{{"original", c.OrigZone}, {"reply", c.ReplyZone}} {
		if !r.inZones(z.zone) {
			return forbid(RuleZones, fmt.Sprintf(
				"zone %d of the %s direction is not among the zones of the policy", z.zone, z.direction))
		}
	}
	return Decision{Allowed: true}
}

func (r *Rules) inZones(zone uint16) bool {
	if len(r.zones) == 0 {
		return true
	}
	_, found := slices.BinarySearch(r.zones, zone)
	return found
}

func noPolicy() Decision {
	return forbid(RuleNoPolicy, "there is no policy file: nothing may be killed or changed")
}

func forbid(rule, detail string) Decision {
	return Decision{Outcome: OutcomeForbidden, Rule: rule, Detail: detail}
}
