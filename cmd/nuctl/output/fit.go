// SPDX-License-Identifier: GPL-2.0-or-later

package output

import "strings"

// shorten makes a cell of at most n columns and marks where something is missing. Of what
// address translation makes of an end it takes first, at first a port that stays, and of an end itself the middle: the
// network in front and the port behind say most.
func shorten(cell string, n int, arrow, ellipsis string) string {
	if width(cell) <= n {
		return cell
	}
	before, after, translated := strings.Cut(cell, arrow)
	if at := strings.LastIndexByte(before, ':'); translated && at >= 0 && strings.HasSuffix(after, before[at:]) {
		// A port that stays says nothing new.
		after = strings.TrimSuffix(after, before[at:])
		if cell = before + arrow + after; width(cell) <= n {
			return cell
		}
	}
	room := n - width(before) - width(arrow)
	switch {
	case translated && room > 2*width(ellipsis):
		return before + arrow + Head(after, room-width(ellipsis)) + ellipsis
	case translated && width(before)+width(ellipsis) <= n:
		return before + ellipsis
	case translated:
		cell = before
	}
	tail := ""
	if at := strings.LastIndexByte(cell, ':'); at > 0 && len(cell)-at <= len(":65535") && strings.HasSuffix(cell[:at], "]") {
		tail = cell[at-1:]
	}
	if width(tail)+width(ellipsis)+minElastic > n {
		tail = ""
	}
	return Head(cell, n-width(ellipsis)-width(tail)) + ellipsis + tail
}

// Head is what of a text that Clean let pass fits into n columns.
func Head(text string, n int) string {
	used := 0
	for i, r := range text {
		if used += runeWidth(r); used > n {
			return text[:i]
		}
	}
	return text
}
