// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// value is a parameter as kolo/xmlrpc writes it.
type value struct {
	Text    *string `xml:"string"`
	Int     *int    `xml:"int"`
	Boolean *bool   `xml:"boolean"`
	Struct  *struct {
		Members []struct {
			Name  string `xml:"name"`
			Value value  `xml:"value"`
		} `xml:"member"`
	} `xml:"struct"`
	Array *struct {
		Values []value `xml:"data>value"`
	} `xml:"array"`
}

func (v value) plain() any {
	switch {
	case v.Text != nil:
		return *v.Text
	case v.Int != nil:
		return *v.Int
	case v.Boolean != nil:
		return *v.Boolean
	case v.Struct != nil:
		m := map[string]any{}
		for _, member := range v.Struct.Members {
			m[member.Name] = member.Value.plain()
		}
		return m
	case v.Array != nil:
		list := []any{}
		for _, element := range v.Array.Values {
			list = append(list, element.plain())
		}
		return list
	}
	return nil
}

func encode(v any) string {
	var b strings.Builder
	switch v := v.(type) {
	case string:
		var text bytes.Buffer
		_ = xml.EscapeText(&text, []byte(v))
		fmt.Fprintf(&b, "<string>%s</string>", text.String())
	case int:
		fmt.Fprintf(&b, "<int>%d</int>", v)
	case bool:
		fmt.Fprintf(&b, "<boolean>%d</boolean>", map[bool]int{true: 1}[v])
	case []any:
		b.WriteString("<array><data>")
		for _, element := range v {
			b.WriteString(encode(element))
		}
		b.WriteString("</data></array>")
	case map[string]any:
		b.WriteString("<struct>")
		for _, name := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(&b, "<member><name>%s</name>%s</member>", name, encode(v[name]))
		}
		b.WriteString("</struct>")
	}
	return "<value>" + b.String() + "</value>"
}
