// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"

	"nuconntrack/cmd/nuctl/doctor"
	"nuconntrack/cmd/nuctl/output"
)

const (
	// textWidth is how wide sentences are at most, in columns: longer lines are hard to read.
	textWidth = 96
	// labelWidth is the room for a severity.
	labelWidth = 9
)

// writeFindings writes for people.
func (a *app) writeFindings(f doctor.Facts, all []doctor.Finding) error {
	out := bufio.NewWriter(a.stdout)
	fmt.Fprintf(out, "%s as %s, role %s\n\n", output.Clean(f.Server), shown(f.User), shown(f.Role))
	width := textWidth
	if columns := a.terminalWidth(); columns > 2*labelWidth && columns < width {
		width = columns
	}
	counts := map[doctor.Severity]int{}
	for _, one := range all {
		counts[one.Severity]++
		writeFinding(out, one, width)
	}
	fmt.Fprintf(out, "\nserious: %d, warnings: %d, notes: %d, not known: %d, fine: %d\n",
		counts[doctor.Serious], counts[doctor.Warning], counts[doctor.Note], counts[doctor.Unknown], counts[doctor.Fine])
	return out.Flush()
}

func writeFinding(out *bufio.Writer, f doctor.Finding, width int) {
	label := strings.ToUpper(string(f.Severity))
	if f.Severity == doctor.Fine || f.Severity == doctor.Unknown {
		label = string(f.Severity)
	}
	writeText(out, label, f.Name+": "+f.Summary, width)
	if f.Meaning != "" {
		writeText(out, "", f.Meaning, width)
	}
	for i, command := range f.Mend {
		label := ""
		if i == 0 {
			label = "  mend"
		}
		// Not broken: it is to be copied.
		fmt.Fprintf(out, "%-*s%s\n", labelWidth, label, output.Clean(command))
	}
	if f.Cost != "" {
		writeText(out, "  cost", f.Cost, width)
	}
}

// writeText writes a text beside a label, broken between words.
func writeText(out *bufio.Writer, label, text string, width int) {
	fmt.Fprintf(out, "%-*s", labelWidth, label)
	at := labelWidth
	for i, word := range strings.Fields(output.Clean(text)) {
		n := len([]rune(word))
		if i > 0 && at+1+n > width {
			fmt.Fprintf(out, "\n%*s", labelWidth, "")
			at = labelWidth
		} else if i > 0 {
			out.WriteByte(' ')
			at++
		}
		out.WriteString(word)
		at += n
	}
	out.WriteByte('\n')
}

// writeFindingsJSON writes one object, in which texts of the network are harmless.
func (a *app) writeFindingsJSON(f doctor.Facts, all []doctor.Finding) error {
	clean := make([]doctor.Finding, len(all))
	for i, one := range all {
		one.Name, one.Summary, one.Meaning = output.Clean(one.Name), output.Clean(one.Summary), output.Clean(one.Meaning)
		clean[i] = one
	}
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(struct {
		Server   string           `json:"server"`
		User     string           `json:"user"`
		Role     string           `json:"role"`
		Serious  bool             `json:"serious"`
		Findings []doctor.Finding `json:"findings"`
	}{output.Clean(f.Server), output.Clean(f.User), output.Clean(f.Role), doctor.IsSerious(all), clean})
	if err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	return nil
}
