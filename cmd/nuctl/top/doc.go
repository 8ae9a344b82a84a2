// SPDX-License-Identifier: GPL-2.0-or-later

// Package top is `nuctl top`: the table of connections on a terminal, kept up to date, with
// keys to sort, filter, group, mark, kill and change.
//
// It has three parts. The state (state.go and what acts on it) is what is shown and what the
// keys do; it knows neither terminal nor network, and says what it wants as requests. The
// fetcher (fetch.go) makes these calls in workers of its own, so that nothing ever waits for
// the network, and hands back answers. The screen (run.go, view.go and what it draws with)
// passes keys, answers and time to the state, and draws it with tview's primitives: only the
// rows that are on the screen exist here, with some more around them.
//
// Input comes from the keyboard and from a server that may lie or be gone. What came from
// there must never reach the terminal but cleaned, and never be taken for tview's markup.
// Nothing is killed or changed without a question whose connections are named by key, or by a
// filter and the table that it was asked of: lines move. The terminal must be left as it was,
// however the program ends.
package top
