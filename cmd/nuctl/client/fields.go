// SPDX-License-Identifier: GPL-2.0-or-later

package client

import "context"

// Field is a field of a connection, as the server describes it.
type Field struct {
	Name   string `xmlrpc:"name"`
	Type   string `xmlrpc:"type"`
	Filter bool   `xmlrpc:"filter"`
	Sort   bool   `xmlrpc:"sort"`
	Help   string `xmlrpc:"help"`
}

// Fields asks which fields the server has.
func (s *Session) Fields(ctx context.Context) ([]Field, error) {
	var fields []Field
	err := s.call(ctx, &fields, "fields")
	return fields, err
}
