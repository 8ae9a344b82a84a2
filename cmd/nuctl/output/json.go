// SPDX-License-Identifier: GPL-2.0-or-later

package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"nuconntrack/cmd/nuctl/connection"
)

// jsonWriter writes one object a line; as an array, with brackets and commas around
// them. Numbers are numbers, exact, whatever the wire made of them.
type jsonWriter struct {
	out    io.Writer
	fields []connection.Field // those that are known, in their order
	array  bool
	begun  bool
}

func newJSON(c Config, array bool) *jsonWriter {
	return &jsonWriter{out: c.Out, fields: fieldsOf(c), array: array}
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
		w.object(&b, row)
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
func (w *jsonWriter) object(b *bytes.Buffer, row connection.Row) {
	b.WriteByte('{')
	known := 0
	for _, f := range w.fields {
		value, ok := row[f.Name]
		if !ok {
			continue
		}
		known++
		if n, ok := row.Number(f.Name); ok && f.Type == connection.Number {
			value = n
		}
		jsonMember(b, f.Name, value)
	}
	if known < len(row) {
		w.others(b, row)
	}
	b.WriteByte('}')
}

func (w *jsonWriter) others(b *bytes.Buffer, row connection.Row) {
	others := maps.Clone(row)
	for _, f := range w.fields {
		delete(others, f.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		jsonMember(b, name, others[name])
	}
}

// jsonMember writes a member behind those that are there already. What is nothing is left out.
func jsonMember(b *bytes.Buffer, name string, value any) {
	if f, ok := value.(float64); value == nil || ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return
	}
	if last := b.Bytes()[b.Len()-1]; last != '{' {
		b.WriteByte(',')
	}
	jsonText(b, name)
	b.WriteByte(':')
	switch v := value.(type) {
	case string:
		jsonText(b, v)
	case uint64:
		b.Write(strconv.AppendUint(b.AvailableBuffer(), v, 10))
	case int64:
		b.Write(strconv.AppendInt(b.AvailableBuffer(), v, 10))
	case bool:
		b.Write(strconv.AppendBool(b.AvailableBuffer(), v))
	case float64:
		b.Write(strconv.AppendFloat(b.AvailableBuffer(), v, 'g', -1, 64))
	default:
		// No field is of such a type; what it is worth shows as text.
		jsonText(b, Clean(fmt.Sprint(v)))
	}
}

// jsonText writes a JSON string of the same text in which everything that Clean would escape
// is escaped too: encoding/json lets DEL, C1 controls and direction marks pass.
func jsonText(b *bytes.Buffer, text string) {
	if plain(text) && !strings.ContainsAny(text, `"\<>&`) {
		b.WriteByte('"')
		b.WriteString(text)
		b.WriteByte('"')
		return
	}
	encoded, err := json.Marshal(text)
	if err != nil {
		b.WriteString(`""`) // a string always encodes
		return
	}
	for _, r := range string(encoded) {
		switch {
		case harmless(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
}
