// SPDX-License-Identifier: GPL-2.0-or-later

package rpc

import (
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
)

const (
	// smallAnswer is the length up to which an answer is sent with its length, which some old
	// clients want; a longer one is sent in chunks as it is produced.
	smallAnswer = 64 << 10
	// zipFrom is the length from which on an answer is compressed for those who ask for it,
	// bytes. Shorter ones fit into a few packets anyway.
	zipFrom = 4 << 10
	// maxZips bounds the answers that are compressed at the same time, each of which takes
	// about 1 MiB of memory. All others are sent as they are.
	maxZips = 16
)

// answerBody sends an answer, compressed if the client asked for that and it is long.
//
// Compressing what an attacker has a part in can tell him the rest by its length (BREACH).
// That takes an attacker who has his text put beside a secret of somebody else, and who sees
// the length on the wire. No answer holds another's secret: it is the table, which all
// who see the answer may see, or a fault's text. The one secret that is ever sent, the
// session id that login returns, stands in an answer that has nothing of the request in it
// and is shorter than zipFrom.
type answerBody struct {
	out   sender
	pool  *zips // nil: the client did not ask
	zip   *gzip.Writer
	begun bool
}

func newAnswerBody(w http.ResponseWriter, pool *zips) *answerBody {
	h := w.Header()
	h.Set("Content-Type", "text/xml; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	return &answerBody{out: sender{w: w}, pool: pool}
}

// Write decides by its first piece, which is the whole answer unless that is much longer
// than zipFrom: see xmlrpc.Writer.
func (a *answerBody) Write(b []byte) (int, error) {
	if !a.begun {
		a.begun = true
		if a.pool != nil && len(b) >= zipFrom {
			a.zip = a.pool.take(&a.out)
		}
		if a.zip != nil {
			a.out.w.Header().Set("Content-Encoding", "gzip")
		}
	}
	if a.zip != nil {
		return a.zip.Write(b)
	}
	return a.out.Write(b)
}

// close sends what is held back.
func (a *answerBody) close() error {
	if a.zip != nil {
		if err := a.zip.Close(); err != nil {
			return err
		}
	}
	return a.out.close()
}

// release ends the use of the body, whether it was closed or not.
func (a *answerBody) release() {
	if a.zip != nil {
		a.pool.put(a.zip)
		a.zip = nil
	}
}

// sender holds back what goes over the wire until it is clear how long it is.
type sender struct {
	w    http.ResponseWriter
	held []byte
	sent bool
}

func (s *sender) Write(b []byte) (int, error) {
	if !s.sent && len(s.held)+len(b) <= smallAnswer {
		s.held = append(s.held, b...)
		return len(b), nil
	}
	if !s.sent {
		s.sent = true
		if _, err := s.w.Write(s.held); err != nil {
			return 0, err
		}
	}
	return s.w.Write(b)
}

func (s *sender) close() error {
	if s.sent {
		return nil
	}
	s.w.Header().Set("Content-Length", strconv.Itoa(len(s.held)))
	_, err := s.w.Write(s.held)
	return err
}

// zips are compressors to be used again, at most maxZips at a time.
type zips struct {
	busy atomic.Int32
	idle sync.Pool
}

// take returns a compressor that writes to w, nil if there are enough at work.
func (z *zips) take(w io.Writer) *gzip.Writer {
	if z.busy.Add(1) > maxZips {
		z.busy.Add(-1)
		return nil
	}
	if zip, ok := z.idle.Get().(*gzip.Writer); ok {
		zip.Reset(w)
		return zip
	}
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		panic(err) // there is no such level
	}
	return zip
}

func (z *zips) put(zip *gzip.Writer) {
	zip.Reset(io.Discard) // lets the answer go
	z.idle.Put(zip)
	z.busy.Add(-1)
}
