// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"nuconntrack/frontd/table"
	"nuconntrack/policy"
	"nuconntrack/policy/strict"
)

// Bounds of traffic classes.
const (
	maxClasses   = 256
	maxClassName = 64
)

func parseMarks(t strict.Table) Marks {
	m := Marks{UsersFile: t.Text("users_file"), Classes: parseClasses(t)}
	if t.Has("uid_mask") {
		bits, ok := policy.ParseMark(t.Value("uid_mask"))
		if m.UIDMask = bits.Value; !ok || bits.Mask != math.MaxUint32 {
			t.Fail("uid_mask", "%s is not a mask of 32 bits such as \"0xffff\"", strict.Show(t.Value("uid_mask")))
			m.UIDMask = math.MaxUint32 // what needs one is no mistake for that
		}
	}
	switch {
	case m.UsersFile == "": // the users of this machine
	case m.UIDMask == 0:
		t.Fail("users_file", "without uid_mask no user's id is in the marks: add it, or leave users_file out")
	default:
		checkFile(t, "users_file", m.UsersFile)
	}
	return m
}

func parseClasses(root strict.Table) []table.Class {
	var classes []table.Class
	for _, t := range root.Tables("class", maxClasses) {
		t.Only(classKeys()...)
		c := parseClass(t)
		for _, former := range classes {
			switch {
			case former.Name == c.Name:
				t.Fail("name", "the class %s is there twice", strict.Quote(c.Name))
			case former.Mask&^c.Mask == 0 && c.Value&former.Mask == former.Value:
				t.Fail("mark", "no mark is left for the class %s: the class %s before it takes them all",
					strict.Quote(c.Name), strict.Quote(former.Name))
			}
		}
		classes = append(classes, c)
	}
	return classes
}

func parseClass(t strict.Table) table.Class {
	c := table.Class{Name: t.Text("name")}
	if c.Name == "" || len(c.Name) > maxClassName || !only(c.Name, "._-") {
		t.Fail("name", "%s is not a name: 1 to %d of A-Z a-z 0-9 . _ -", strict.Quote(c.Name), maxClassName)
	}
	mark, ok := policy.ParseMark(t.Value("mark"))
	switch {
	case !t.Has("mark"):
		t.Fail("mark", "the class %s has none: add one such as \"0x10/0xf0\"", strict.Quote(c.Name))
	case !ok:
		t.Fail("mark", "%s is not a mark such as \"0x10/0xf0\": value and mask, each decimal or hexadecimal, of 32 bits",
			strict.Show(t.Value("mark")))
	case mark.Mask == 0:
		t.Fail("mark", "a mask without bits fits every mark")
	case mark.Value&^mark.Mask != 0:
		t.Fail("mark", "the value %#x has bits outside the mask %#x, so no mark fits", mark.Value, mark.Mask)
	}
	c.Value, c.Mask = mark.Value, mark.Mask
	return c
}

// parseHide checks each entry by what reads them later.
func parseHide(t strict.Table, marks Marks) []string {
	list := t.List("hide")
	if len(list) > table.MaxHidden {
		t.Fail("hide", "more than %d entries", table.MaxHidden)
		return nil
	}
	var entries []string
	for _, v := range list {
		entry, ok := v.(string)
		if !ok {
			t.Fail("hide", "%s is not a string with a network or an expression", strict.Show(v))
			return nil
		}
		if err := marks.checkHide([]string{entry}); err != nil {
			t.Fail("hide", "%v", err)
			return nil
		}
		entries = append(entries, entry)
	}
	return entries
}

// checkHide says why these entries cannot be hidden where marks mean this.
func (m Marks) checkHide(entries []string) error {
	f, err := table.HideFilter(entries)
	if err != nil {
		return err
	}
	err = table.NewMeaning(m.UIDMask, nil, m.Classes).Check(f)
	var wrong *table.FilterError
	if errors.As(err, &wrong) {
		// An entry is no member of a filter.
		return fmt.Errorf("%s: column %d: %s", strict.Quote(strings.Join(entries, ", ")), wrong.Column, wrong.Reason)
	}
	return err
}

func printMarks(b *strings.Builder, c *Config) {
	fmt.Fprintf(b, "hide = %s\n", list(c.Hide))
	fmt.Fprintf(b, "uid_mask = \"%#x\"\n", c.Marks.UIDMask)
	printText(b, "users_file", c.Marks.UsersFile)
	for _, class := range c.Marks.Classes {
		fmt.Fprintf(b, "\n[[class]]\nname = %s\nmark = \"%#x/%#x\"\n", quote(class.Name), class.Value, class.Mask)
	}
}
