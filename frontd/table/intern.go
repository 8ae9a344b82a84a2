// SPDX-License-Identifier: GPL-2.0-or-later

package table

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"

	"nuconntrack/ipc"
)

const (
	// maxNames is how many different helpers, security contexts and sets of labels a
	// snapshot holds. A connection whose name would be one more shows none.
	maxNames = math.MaxUint16 + 1
	// maxName is the length of a name in bytes; a longer one is cut.
	maxName = ipc.TextSize
	// maxLabels is the size of a set of labels in bytes (XT_CONNLABEL_MAXBIT / 8).
	maxLabels = 16
	labelWord = 8
)

// interner keeps each text once. The zero value is ready.
type interner struct {
	names []string
	at    map[string]uint16
}

// intern gives the index of the name, with what cannot be printed replaced: names go to
// terminals and pages. It is false when there is no more room.
func (in *interner) intern(raw []byte) (uint16, bool) {
	raw = raw[:min(len(raw), maxName)]
	if i, ok := in.at[string(raw)]; ok {
		return i, true
	}
	name := ipc.CleanText(string(raw))
	if i, ok := in.at[name]; ok {
		return i, true
	}
	if len(in.names) == maxNames {
		return 0, false
	}
	if in.at == nil {
		in.at = make(map[string]uint16)
	}
	i := uint16(len(in.names))
	in.names = append(in.names, name)
	in.at[name] = i
	return i, true
}

// decodeName reads a text that the kernel ends with a zero byte.
func (d *decoder) decodeName(b []byte, typ uint16, index *uint16, bit uint32, e *record) bool {
	val, found, ok := findAttr(b, typ)
	if !found {
		return ok
	}
	if end := bytes.IndexByte(val, 0); end >= 0 {
		val = val[:end]
	}
	i, ok := d.names.intern(val)
	if len(val) > 0 && ok {
		*index = i
		e.has |= bit
	}
	return true
}

// decodeLabels reads a bitmap of the kernel's longs in the machine's byte order, and
// writes it as one hexadecimal number: label 0 is its lowest bit.
func (d *decoder) decodeLabels(b []byte, e *record) bool {
	if len(b) == 0 || len(b) > maxLabels || len(b)%labelWord != 0 {
		return false
	}
	var number [maxLabels]byte
	for i := 0; i < len(b); i += labelWord {
		binary.BigEndian.PutUint64(number[maxLabels-labelWord-i:], binary.NativeEndian.Uint64(b[i:]))
	}
	var text [2 + 2*maxLabels]byte
	hex.Encode(text[2:], number[:])
	digits := bytes.TrimLeft(text[2:], "0")
	if len(digits) == 0 {
		return true
	}
	start := len(text) - len(digits) - 2
	copy(text[start:], "0x")
	i, ok := d.names.intern(text[start:])
	if ok {
		e.labels = i
		e.has |= hasLabels
	}
	return true
}
