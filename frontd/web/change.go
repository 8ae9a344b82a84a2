// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"net/http"

	"nuconntrack/frontd/service"
	"nuconntrack/ipc"
)

// Fields of the forms that change.
const (
	paramField = "field"
	paramValue = "value"
)

// fieldClass is set by way of the mark.
const fieldClass = "class"

// changeData is the question before a change, and what there is after it.
type changeData struct {
	Key, Label string
	Field      string // name of the field in the user's language
	Old, New   string
	Timeout    bool // which cannot be undone
	Fields     []pair
	Back       string // of the table
	Connection string // the address of the connection
}

// wish reads a form that changes something.
func (r *request) wish() (ref service.Ref, change ipc.Change, err error) {
	key := r.form.Get(paramKey)
	if labelOfKey(key) == "" {
		return ref, change, refused(http.StatusBadRequest, "error.key")
	}
	if ref, err = service.RefText(key); err != nil {
		return ref, change, err
	}
	if r.form.Get(paramField) == fieldClass {
		change, err = r.call.ChangeOfClass(r.form.Get(paramValue))
	} else {
		change, err = service.ParseChange(r.form.Get(paramField), r.form.Get(paramValue))
	}
	return ref, change, err
}

// confirmChange asks whether it is really meant.
func (s *Server) confirmChange(r *request) error {
	_, change, err := r.wish()
	if err != nil {
		return err
	}
	d := r.changeData(change)
	v, row, err := r.find(d.Key)
	if err != nil {
		return err
	}
	d.Old = r.field(v.Table, row, r.form.Get(paramField))
	if d.Old == "" {
		d.Old = nothing
	}
	d.Fields = []pair{
		{paramBack, d.Back}, {paramKey, d.Key},
		{paramField, r.form.Get(paramField)}, {paramValue, r.form.Get(paramValue)},
	}
	return s.show(r, http.StatusOK, "change", r.lang.Text("change.title"), d.Back, d)
}

func (r *request) changeData(change ipc.Change) changeData {
	d := changeData{
		Key: r.form.Get(paramKey), Back: backTo(r.form.Get(paramBack)), Timeout: change.Field == ipc.FieldTimeout,
		Field: columnName(r.lang, r.form.Get(paramField)),
	}
	d.Label, d.Connection = labelOfKey(d.Key), connectionAt(d.Key, d.Back)
	if d.New = newValue(r, change); r.form.Get(paramField) == fieldClass {
		d.New = clean(r.form.Get(paramValue))
	}
	return d
}

// newValue says what a change makes of a field.
func newValue(r *request, change ipc.Change) string {
	if change.Field == ipc.FieldTimeout {
		return r.lang.Seconds(uint64(change.Value))
	}
	if change.Mask == ^uint32(0) {
		return bits(change.Value)
	}
	return r.lang.Text("change.masked", bits(change.Value), bits(change.Mask))
}

// change does it.
func (s *Server) change(r *request) error {
	ref, change, err := r.wish()
	if err != nil {
		return err
	}
	err = r.call.Change(r.r.Context(), ref, change)
	r.call.Refresh() // so that what was is not shown once more
	if err != nil {
		return err
	}
	return s.show(r, http.StatusOK, "changed", r.lang.Text("changed.title"), backTo(r.form.Get(paramBack)), r.changeData(change))
}
