// SPDX-License-Identifier: GPL-2.0-or-later

package cli

import "nuconntrack/cmd/nuctl/prompt"

// canAsk says whether there is somebody to ask.
func (a *app) canAsk() bool {
	terminal, err := prompt.Open(a.stdin)
	if err != nil {
		return false
	}
	_ = terminal.Close()
	return true
}

// cannotAsk is the error where a question has nobody to answer it.
func (a *app) cannotAsk(question string) error {
	return usagef("%s Say so with --yes: there is no terminal to ask at", question)
}
