// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"

	"nuconntrack/cmd/nuctl/connection"
)

// jsonWriter writes one object a line; as an array, with brackets and commas around
// them. Numbers are numbers, exact, whatever the wire made of them.
type jsonWriter struct {
	out   io.Writer
	array bool
	begun bool
}

// Page writes the rows.
func (w *jsonWriter) Page(rows []connection.Row) error {
	var b bytes.Buffer
	for _, row := range rows {
		switch {
		case !w.array:
		case w.begun:
			b.WriteString(",\n")
		default:
			b.WriteString("[\n")
		}
		w.begun = true
		object(&b, row)
		if !w.array {
			b.WriteByte('\n')
		}
	}
	_, err := w.out.Write(b.Bytes())
	return err
}

// End closes the array.
func (w *jsonWriter) End() error {
	if !w.array {
		return nil
	}
	text := "[]\n"
	if w.begun {
		text = "\n]\n"
	}
	_, err := io.WriteString(w.out, text)
	return err
}

// object writes a row, known fields first and in their order, the others by name.
func object(b *bytes.Buffer, row connection.Row) {
	names := make([]string, 0, len(row))
	for _, f := range connection.Fields() {
		if _, ok := row[f.Name]; ok {
			names = append(names, f.Name)
		}
	}
	known := len(names)
	for name := range row {
		if !slices.Contains(names[:known], name) {
			names = append(names, name)
		}
	}
	slices.Sort(names[known:])
	b.WriteByte('{')
	written := false
	for _, name := range names {
		value, ok := jsonValue(row, name)
		if !ok {
			continue
		}
		if written {
			b.WriteByte(',')
		}
		written = true
		b.WriteString(jsonText(name))
		b.WriteByte(':')
		b.WriteString(value)
	}
	b.WriteByte('}')
}

func jsonValue(row connection.Row, name string) (string, bool) {
	if connection.TypeOf(name) == connection.Number {
		if n, ok := row.Number(name); ok {
			return strconv.FormatUint(n, 10), true
		}
	}
	switch v := row[name].(type) {
	case nil:
		return "", false
	case string:
		return jsonText(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", false
		}
		return strconv.FormatFloat(v, 'g', -1, 64), true
	default:
		// No field is of such a type; what it is worth shows as text.
		return jsonText(Clean(fmt.Sprint(v))), true
	}
}

// jsonText is a JSON string of the same text in which everything that Clean would escape
// is escaped too: encoding/json lets DEL, C1 controls and direction marks pass.
func jsonText(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		return `""` // a string always encodes
	}
	var b bytes.Buffer
	for _, r := range string(encoded) {
		switch {
		case harmless(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
