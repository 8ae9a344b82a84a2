// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"errors"
	"fmt"
	"io"
)

// pieceSize is how much a Writer collects before it hands it on, in bytes. What it holds is never
// more than this and one tag.
const pieceSize = 32 << 10

const (
	prolog10   = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	beforeOne  = "<params><param>"
	afterOne   = "</param></params></methodResponse>\n"
	beforeText = `<fault><value><struct><member><name>faultCode</name><value><int>`
	amidText   = `</int></value></member><member><name>faultString</name><value><string>`
	afterText  = `</string></value></member></struct></value></fault></methodResponse>` + "\n"
)

// ErrStarted is what a Writer reports when a fault comes too late: a part of an
// answer has left already.
var ErrStarted = errors.New("write fault: a part of the answer has been sent")

// place is where in a document the next thing goes.
type place uint8

const (
	placeStart    place = iota // nothing is written
	placeResponse              // the one value goes here
	placeFull                  // the one value is written
	placeArray                 // any number of values
	placeStruct                // members
	placeMember                // the value of a member
	placeDone                  // the document is complete
)

// Writer writes one document. Its methods report nothing: the first error, be it of
// the io.Writer or a use that would not give an XML-RPC document, sticks, makes all that
// follows do nothing, and is returned by Flush and Err. A Writer serves one goroutine.
type Writer struct {
	w       io.Writer
	dialect Dialect
	buf     []byte
	sent    bool
	err     error
	at      place
	outer   []place // places around at
}

// NewWriter returns a Writer that writes to w in dialect d.
func NewWriter(w io.Writer, d Dialect) *Writer { return &Writer{w: w, dialect: d} }

// Reset makes the Writer as new, keeping its buffer, so that it can be pooled.
func (w *Writer) Reset(out io.Writer, d Dialect) {
	*w = Writer{w: out, dialect: d, buf: w.buf[:0], outer: w.outer[:0]}
}

// Err returns the error that sticks.
func (w *Writer) Err() error { return w.err }

// Flush hands on what is buffered and returns the error that sticks. It does not need a
// document to be complete.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.buf) == 0 {
		return w.err
	}
	w.sent = true
	n, err := w.w.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	w.buf = w.buf[:0]
	if err != nil {
		w.err = fmt.Errorf("write answer: %w", err)
	}
	return w.err
}

// Response begins an answer. One value must follow, then EndResponse.
func (w *Writer) Response() {
	if w.expect(placeStart, "Response") {
		w.put(prolog10)
		w.put(w.dialect.root())
		w.put(beforeOne)
		w.at = placeResponse
	}
}

// EndResponse completes the answer. Flush sends it.
func (w *Writer) EndResponse() {
	if w.expect(placeFull, "EndResponse") {
		w.put(afterOne)
		w.at = placeDone
	}
}

// Fault writes a whole document that says what went wrong. An answer that was begun is dropped,
// unless a part of it has left: then the error is ErrStarted and the caller should cut
// the connection, so that no client takes half an answer for a whole one.
func (w *Writer) Fault(code int32, text string) {
	if w.err != nil {
		return
	}
	if w.sent {
		w.err = ErrStarted
		return
	}
	w.buf, w.outer = w.buf[:0], w.outer[:0]
	w.put(prolog10)
	w.put("<methodResponse>")
	w.put(beforeText)
	w.decimal(int64(code))
	w.put(amidText)
	w.escape(text)
	w.put(afterText)
	w.at = placeDone
}

// BeginArray begins an array. Any number of values follow, then EndArray.
func (w *Writer) BeginArray() { w.begin("<value><array><data>", placeArray) }

// EndArray ends the innermost array.
func (w *Writer) EndArray() {
	if w.expect(placeArray, "EndArray") {
		w.end("</data></array></value>")
	}
}

// BeginStruct begins a struct. For each member Member and a value follow, then EndStruct.
func (w *Writer) BeginStruct() { w.begin("<value><struct>", placeStruct) }

// Member names the value that is written next. That no name comes twice is up to the caller.
func (w *Writer) Member(name string) {
	if w.expect(placeStruct, "Member") {
		w.put("<member><name>")
		w.escape(name)
		w.put("</name>")
		w.at = placeMember
	}
}

// EndStruct ends the innermost struct.
func (w *Writer) EndStruct() {
	if w.expect(placeStruct, "EndStruct") {
		w.end("</struct></value>")
	}
}

func (w *Writer) expect(at place, what string) bool {
	if w.err == nil && w.at != at {
		w.err = fmt.Errorf("write answer: %s does not belong here", what)
	}
	return w.err == nil
}

// ready says whether a value may be written now.
func (w *Writer) ready() bool {
	if w.err != nil {
		return false
	}
	switch w.at {
	case placeResponse, placeArray, placeMember:
		return true
	}
	w.err = errors.New("write answer: a value does not belong here")
	return false
}

func (w *Writer) begin(tags string, inside place) {
	if w.ready() {
		w.put(tags)
		w.outer = append(w.outer, w.at)
		w.at = inside
	}
}

func (w *Writer) end(tags string) {
	last := len(w.outer) - 1
	w.at, w.outer = w.outer[last], w.outer[:last]
	w.put(tags)
	w.wrote()
}

// wrote comes after each value.
func (w *Writer) wrote() {
	switch w.at {
	case placeResponse:
		w.at = placeFull
	case placeMember:
		w.put("</member>")
		w.at = placeStruct
	}
}

// put appends text of ours, which is short.
func (w *Writer) put(s string) {
	w.buf = append(w.buf, s...)
	if len(w.buf) >= pieceSize {
		w.Flush() //nolint:errcheck // it sticks
	}
}
