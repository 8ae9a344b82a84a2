// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"net/http"
	"strconv"
)

// smallAnswer is the length up to which an answer is sent with its length, which some old
// clients want; a longer one is sent in chunks as it is produced.
const smallAnswer = 64 << 10

// answerBody holds an answer back until it is clear how long it is.
type answerBody struct {
	w    http.ResponseWriter
	held []byte
	sent bool
}

func newAnswerBody(w http.ResponseWriter) *answerBody {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	return &answerBody{w: w}
}

func (a *answerBody) Write(b []byte) (int, error) {
	if !a.sent && len(a.held)+len(b) <= smallAnswer {
		a.held = append(a.held, b...)
		return len(b), nil
	}
	if !a.sent {
		a.sent = true
		if _, err := a.w.Write(a.held); err != nil {
			return 0, err
		}
	}
	return a.w.Write(b)
}

// close sends what was held back.
func (a *answerBody) close() error {
	if a.sent {
		return nil
	}
	a.w.Header().Set("Content-Length", strconv.Itoa(len(a.held)))
	_, err := a.w.Write(a.held)
	return err
}
