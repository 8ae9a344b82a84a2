// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"fmt"
	"reflect"
	"strings"

	"nuconntrack/frontd/xmlrpc"
)

// fill puts an answer's value into what result points to. It knows the types that results
// are made of: strings, ints, bools, slices, structs with the tag xmlrpc, and, where any type
// may come, any and map[string]any with string, int64, bool, float64, []any and map[string]any
// inside. Members that a struct has no place for are left out, places that no member is for
// stay as they are.
func fill(result any, v xmlrpc.Value) error {
	switch into := result.(type) {
	case *any:
		*into = plain(v)
		return nil
	case *[]map[string]any: // the rows of a page, by far the most of all
		return fillRows(into, v)
	}
	return fillValue(reflect.ValueOf(result).Elem(), v)
}

func mismatch(v xmlrpc.Value, want string) error {
	return fmt.Errorf("a value of type %v in the place of %s", v.Kind, want)
}

func fillRows(rows *[]map[string]any, v xmlrpc.Value) error {
	if v.Kind != xmlrpc.KindArray {
		return mismatch(v, "rows")
	}
	*rows = make([]map[string]any, len(v.Items))
	for i := range v.Items {
		if v.Items[i].Kind != xmlrpc.KindStruct {
			return mismatch(v.Items[i], "a row")
		}
		(*rows)[i] = members(v.Items[i].Members)
	}
	return nil
}

func fillValue(into reflect.Value, v xmlrpc.Value) error {
	switch into.Kind() {
	case reflect.String:
		if v.Kind != xmlrpc.KindString {
			return mismatch(v, "a string")
		}
		// Not the whole body that it is a part of.
		into.SetString(strings.Clone(v.Text))
	case reflect.Int:
		if v.Kind != xmlrpc.KindInt {
			return mismatch(v, "a number")
		}
		into.SetInt(v.Int)
	case reflect.Bool:
		if v.Kind != xmlrpc.KindBool {
			return mismatch(v, "a flag")
		}
		into.SetBool(v.Int != 0)
	case reflect.Map:
		if v.Kind != xmlrpc.KindStruct {
			return mismatch(v, "a struct")
		}
		into.Set(reflect.ValueOf(members(v.Members)))
	case reflect.Slice:
		return fillSlice(into, v)
	case reflect.Struct:
		return fillStruct(into, v)
	default:
		return fmt.Errorf("nothing decodes into a %v", into.Type())
	}
	return nil
}

func fillSlice(into reflect.Value, v xmlrpc.Value) error {
	if v.Kind != xmlrpc.KindArray {
		return mismatch(v, "an array")
	}
	all := reflect.MakeSlice(into.Type(), len(v.Items), len(v.Items))
	for i := range v.Items {
		if err := fillValue(all.Index(i), v.Items[i]); err != nil {
			return err
		}
	}
	into.Set(all)
	return nil
}

func fillStruct(into reflect.Value, v xmlrpc.Value) error {
	if v.Kind != xmlrpc.KindStruct {
		return mismatch(v, "a struct")
	}
	for i := range into.NumField() {
		name := into.Type().Field(i).Tag.Get("xmlrpc")
		for j := range v.Members {
			if v.Members[j].Name != name {
				continue
			}
			if err := fill(into.Field(i).Addr().Interface(), v.Members[j].Value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// plain is a value as Go has it. Times and base64 are strings.
func plain(v xmlrpc.Value) any {
	switch v.Kind {
	case xmlrpc.KindNil:
		return nil
	case xmlrpc.KindInt:
		return v.Int
	case xmlrpc.KindDouble:
		return v.Double
	case xmlrpc.KindBool:
		return v.Int != 0
	case xmlrpc.KindArray:
		all := make([]any, len(v.Items))
		for i := range v.Items {
			all[i] = plain(v.Items[i])
		}
		return all
	case xmlrpc.KindStruct:
		return members(v.Members)
	}
	return v.Text
}

func members(all []xmlrpc.Member) map[string]any {
	row := make(map[string]any, len(all))
	for i := range all {
		row[all[i].Name] = plain(all[i].Value)
	}
	return row
}
