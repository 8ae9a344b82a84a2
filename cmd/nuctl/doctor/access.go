// SPDX-License-Identifier: GPL-2.0-or-later

package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// clockSlack is by how much two clocks may differ before it is worth a word.
const clockSlack = 5 * time.Second

func encryption(f Facts) []Finding {
	if !f.Plain {
		return one(Finding{Name: "encryption", Severity: Fine, Summary: "what is sent to the server does not cross a network unencrypted"})
	}
	return one(Finding{
		Name: "encryption", Severity: Serious, Summary: "the way to " + f.Server + " is unencrypted",
		Meaning: "Whoever is on the way reads the password, or the session, and kills with it in your name; he can also change every answer.",
		Mend:    []string{"[tls] with cert and key in frontd.toml, and https:// here; or a tunnel: ssh -L 8580:127.0.0.1:8580 FIREWALL"},
		Cost:    "A certificate. Connections that are open stay.",
	})
}

func helper(f Facts) []Finding {
	switch {
	case f.HelperAway:
		return one(Finding{
			Name: "helper", Severity: Serious, Summary: "the server cannot reach its helper",
			Meaning: "No table can be read, and nothing can be killed or changed.",
			Mend:    []string{"systemctl status nuconntrack-privd.socket nuconntrack-privd", "systemctl restart nuconntrack-privd.socket"},
			Cost:    "Connections on the firewall are not touched by it.",
		})
	case f.ViewErr != "":
		return one(Finding{Name: "table", Severity: Serious, Summary: "the table cannot be looked at: " + f.ViewErr,
			Meaning: "What depends on it is not known."})
	}
	return one(Finding{Name: "helper", Severity: Fine, Summary: "the server's helper answers"})
}

func role(f Facts) []Finding {
	if f.WhoamiErr != "" {
		return one(Finding{Name: "role", Severity: Unknown, Summary: "whom the server takes you for is not known: " + f.WhoamiErr})
	}
	var lacks []string
	for _, m := range []string{"view", "kill", "kill_report", "kill_matching", "change", "stats"} {
		if !slices.Contains(f.Methods, m) {
			lacks = append(lacks, m)
		}
	}
	who := fmt.Sprintf("you are %q with the role %q", f.User, f.Role)
	if len(lacks) == 0 {
		return one(Finding{Name: "role", Severity: Fine, Summary: who + ", which permits everything"})
	}
	return one(Finding{
		Name: "role", Severity: Note, Summary: who + ", which does not permit " + strings.Join(lacks, ", "),
		Meaning: "Those calls are refused with fault 3, before any connection is looked at. A server with read_only = true permits no kill to anybody.",
		Mend:    []string{"another role for the user in [auth.roles] of frontd.toml, then: systemctl reload nuconntrack-frontd"},
		Cost:    "Whoever holds the role may do so from then on.",
	})
}

func scope(f Facts) []Finding {
	for _, w := range f.Warnings {
		if _, ok := strings.CutPrefix(w, "hidden:"); ok {
			return one(Finding{
				Name: "scope", Severity: Note, Summary: fmt.Sprintf("the role %q shows a part of the table only", f.Role),
				Meaning: "What is outside does not exist for you: it is in no list and in no total, and an address without connections here may have some.",
				Mend:    []string{"networks, zones and marks of the role in frontd.toml"},
				Cost:    "Its users see more.",
			})
		}
	}
	return nil
}

// clock compares the server's clock with this one. The reading of a table that was asked for
// began between the question and its answer.
func clock(f Facts) []Finding {
	if f.Taken.IsZero() || f.Heard.Before(f.Asked) {
		return one(Finding{Name: "clock", Severity: Unknown, Summary: "the server's clock could not be compared with this one"})
	}
	var off time.Duration
	direction := "ahead of"
	switch {
	case f.Taken.After(f.Heard.Add(clockSlack)):
		off = f.Taken.Sub(f.Heard)
	case f.Taken.Before(f.Asked.Add(-clockSlack)):
		off, direction = f.Asked.Sub(f.Taken), "behind"
	default:
		return one(Finding{Name: "clock", Severity: Fine, Summary: "the server's clock and this one agree"})
	}
	return one(Finding{
		Name: "clock", Severity: Warning, Summary: fmt.Sprintf("the server's clock is %s %s this one", off.Round(time.Second), direction),
		Meaning: "The start of connections, and the times in the audit, cannot be compared with those of other machines. Certificates may seem to have expired, or not to hold yet.",
		Mend:    []string{"timedatectl set-ntp true (on the machine whose clock is wrong)"},
		Cost:    "Where a clock jumps, connections that began before seem older or younger than they are.",
	})
}

// policy tells of what cannot be found out from here.
func policy(f Facts) []Finding {
	if f.WhoamiErr == "" && !slices.ContainsFunc(f.Methods, func(m string) bool { return strings.HasPrefix(m, "kill") || m == "change" }) {
		return nil
	}
	return one(Finding{
		Name: "policy", Severity: Note, Summary: "what the helper's policy refuses shows only when it is tried",
		Meaning: "It holds for every user and cannot be read over the network. A refusal is fault 6 and names its rule; no-policy means that there is no file, and that nothing can be killed.",
		Mend:    []string{"nuconntrack-privd --check-config (on the firewall, shows whether and how the file is understood)"},
	})
}

// otherWarnings passes on what no check of its own has.
func otherWarnings(f Facts) []Finding {
	var all []Finding
	for _, w := range f.Warnings {
		word, text, ok := strings.Cut(w, ":")
		if !ok {
			word, text = "server", w
		}
		if slices.Contains([]string{"accounting", "timestamps", "full", "hidden"}, word) {
			continue
		}
		all = append(all, Finding{Name: word, Severity: Warning, Summary: strings.TrimSpace(text), Meaning: "The server says so with every list."})
	}
	return all
}
