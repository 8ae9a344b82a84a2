// SPDX-License-Identifier: GPL-2.0-or-later

package top

import (
	"fmt"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"nuconntrack/cmd/nuctl/output"
)

// headRows and footRows are the lines above and below the table's titles and rows.
const (
	headRows = 4
	footRows = 3
)

// view draws a state. What it keeps itself is the line that is being typed.
type view struct {
	theme theme
	table *tview.Table
	rows  *rows
	input *tview.InputField
	// asked is the prompt that input is for.
	asked *prompt
	// pasting says that keys are part of what is pasted.
	pasting bool
}

func newView(c Config) *view {
	v := &view{theme: newTheme(c.Colours, c.Unicode)}
	v.rows = &rows{theme: v.theme}
	v.table = tview.NewTable().SetContent(v.rows).SetFixed(1, 0)
	v.table.SetBackgroundColor(tcell.ColorDefault)
	return v
}

// draw shows the state on the screen.
func (v *view) draw(screen tcell.Screen, s *state) {
	screen.SetStyle(v.theme.plain)
	screen.Clear()
	screen.HideCursor()
	width, height := screen.Size()
	if width < minColumns || height < minRows {
		v.tooSmall(screen, width, height)
		screen.Show()
		return
	}
	s.resize(height - headRows - 1 - footRows)
	p := painter{screen, width, v.theme}
	v.head(p, s)
	v.rows.prepare(s, width)
	v.table.SetRect(0, headRows, width, height-headRows-footRows)
	v.table.SetOffset(s.top, 0)
	v.table.Draw(screen)
	p.bar(headRows, v.theme.header)
	for at := s.top; at < min(s.top+s.height, s.win.total); at++ {
		if style := v.rows.style(at); style != v.theme.plain {
			p.bar(headRows+1+at-s.top, style)
		}
	}
	if s.win.total == 0 {
		p.line(headRows+2, v.theme.plain, "  "+emptyText(s))
	}
	v.foot(p, s, height)
	if s.popup != nil {
		v.box(screen, s.popup, width, height)
	}
	v.drawInput(screen, s, width, height)
	screen.Show()
}

// tooSmall says so; what was going on goes on.
func (v *view) tooSmall(screen tcell.Screen, width, height int) {
	p := painter{screen, width, v.theme}
	p.line(0, v.theme.plain, fmt.Sprintf("%dx%d is too small", width, height))
	p.line(1, v.theme.plain, fmt.Sprintf("%dx%d is needed", minColumns, minRows))
	p.line(2, v.theme.plain, "q quits")
}

func emptyText(s *state) string {
	switch {
	case !s.read && s.trouble == "":
		return "reading the table"
	case !s.read:
		return "There is no table yet; it is tried again and again."
	case s.query.expr != "":
		return "No connection matches the filter."
	}
	return "The firewall tracks no connection that you may see."
}

// key passes a key to what it is for.
func (v *view) key(s *state, event *tcell.EventKey) {
	v.sync(s)
	if v.asked == nil {
		if !v.pasting && event.Modifiers()&tcell.ModAlt == 0 {
			s.press(event.Key(), event.Rune())
		}
		return
	}
	switch {
	case v.pasting && event.Key() != tcell.KeyRune:
		// What is pasted is text; a line end in it submits nothing.
	case event.Key() == tcell.KeyEnter:
		s.submit(v.input.GetText())
	case event.Key() == tcell.KeyEscape:
		s.cancel()
	case event.Key() == tcell.KeyCtrlC && v.asked.kind == promptPassword:
		s.quit = true
	case event.Key() == tcell.KeyCtrlC:
		s.cancel()
	case event.Key() == tcell.KeyRune && utf8.RuneCountInString(v.input.GetText()) >= maxInput:
	default:
		v.input.InputHandler()(event, func(tview.Primitive) {})
		s.typed(v.input.GetText())
	}
	v.sync(s)
}

// paste keeps pasted text from being taken for commands.
func (v *view) paste(event *tcell.EventPaste) { v.pasting = event.Start() }

// sync makes a field for a new prompt.
func (v *view) sync(s *state) {
	if s.prompt == v.asked {
		return
	}
	v.asked = s.prompt
	if v.asked == nil {
		v.input = nil
		return
	}
	v.input = tview.NewInputField().SetLabel(v.asked.label).SetText(v.asked.initial).
		SetLabelStyle(v.theme.title).SetFieldStyle(v.theme.plain)
	v.input.SetBackgroundColor(tcell.ColorDefault)
	if v.asked.kind == promptPassword {
		v.input.SetMaskCharacter('*')
	}
	v.input.Focus(func(tview.Primitive) {})
}

// drawInput shows the line that is being typed in the place of the last two.
func (v *view) drawInput(screen tcell.Screen, s *state, width, height int) {
	v.sync(s)
	if v.asked == nil {
		return
	}
	p := painter{screen, width, v.theme}
	hint, style := v.asked.hint, v.theme.plain
	if v.asked.wrong != "" {
		hint, style = "WRONG: "+v.asked.wrong, v.theme.bad
		if v.asked.column > 0 {
			hint = fmt.Sprintf("WRONG at character %d: %s", v.asked.column, v.asked.wrong)
		}
	}
	p.line(height-3, v.theme.plain, "")
	v.input.SetRect(0, height-2, width, 1)
	v.input.Draw(screen)
	// The field has black behind its label, which nothing but this takes away.
	p.bar(height-2, v.theme.plain)
	p.at(0, height-2, v.theme.title, v.asked.label)
	p.line(height-1, style, output.Clean(hint))
	v.caret(p, height)
}

// caret points from above at the character where a filter is wrong, unless the line is too
// long to know where it stands.
func (v *view) caret(p painter, height int) {
	text, label := v.input.GetText(), len(v.asked.label)
	if at := label + v.asked.column - 1; v.asked.column > 0 && output.Width(text)+label < p.width && at < p.width {
		runes := []rune(text)
		before := string(runes[:min(v.asked.column-1, len(runes))])
		p.at(label+output.Width(before), height-3, v.theme.bad, "v")
	}
}
