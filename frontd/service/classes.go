// SPDX-License-Identifier: GPL-2.0-or-later

package service

import (
	"context"
	"math"

	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ranking"
	"nuconntrack/ipc"
)

// ClassTotals are what the connections of a traffic class have together.
type ClassTotals struct {
	table.Class
	ranking.Totals
}

// Classes are all traffic classes in the order of the configuration.
type Classes struct {
	Classes      []ClassTotals
	Unclassified int // connections of no class
}

// ChangeOfClass is the change of the mark that puts a connection into a class: its bits
// are set to the class's value, the others stay. Where classes overlap, one before it may
// fit the mark all the same.
func (c *Call) ChangeOfClass(name string) (ipc.Change, error) {
	classes := c.set.Meaning.Classes()
	if len(classes) == 0 {
		return ipc.Change{}, wrongParam("class", reason.NoClasses.Of())
	}
	class, ok := c.set.Meaning.ClassNamed(name)
	if !ok {
		return ipc.Change{}, wrongParam("class", reason.NoClass.Of(cut(name)))
	}
	return ipc.Change{Field: ipc.FieldMark, Value: class.Value, Mask: class.Mask}, nil
}

// ClassNames are the names of the traffic classes in the order of the configuration.
func (c *Call) ClassNames() []string {
	var names []string
	for _, class := range c.set.Meaning.Classes() {
		names = append(names, class.Name)
	}
	return names
}

// Classes adds up the traffic classes, in the table that a view would show; nil, and
// nothing is read, where none is configured.
func (c *Call) Classes(ctx context.Context) (*Classes, error) {
	classes := c.set.Meaning.Classes()
	if len(classes) == 0 {
		return nil, nil
	}
	end, err := c.s.grouping.take(ctx, c.User())
	if err != nil {
		return nil, c.failed("stats", err)
	}
	defer end()
	snap, err := c.look(ctx, "")
	if err != nil {
		return nil, c.failed("stats", err)
	}
	found, err := ranking.Groups(snap, ranking.GroupQuery{By: "class", OrderBy: ranking.OrderValue, Length: math.MaxInt32, Visible: c.role.visible})
	if err != nil {
		return nil, c.failed("stats", err)
	}
	totals := make(map[string]ranking.Totals, len(found.Groups))
	for _, g := range found.Groups {
		totals[g.Value.Text] = g.Totals
	}
	all := &Classes{Unclassified: found.Without}
	for _, class := range classes {
		all.Classes = append(all.Classes, ClassTotals{class, totals[class.Name]})
	}
	return all, nil
}
