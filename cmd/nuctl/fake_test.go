// SPDX-License-Identifier: GPL-2.0-or-later

package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fakeServer answers XML-RPC calls as a front daemon does, as far as nuctl can tell.
type fakeServer struct {
	http *httptest.Server
	quit chan struct{}

	mu      sync.Mutex
	changed *sync.Cond
	log     []string
	login   bool // a password is wanted
	rows    []map[string]any
	warning string
	maxPage int
	status  int
	kind    string
	hang    string
	cut     int // the connection is cut in the middle of the n-th view from now
	grow    int // pages behind the first say that so many more match
	faults  map[string]fault
	// untold is on how many kill_matching does not report, and how many a later page of a view lacks.
	untold int
	// outcomes are of the next kills, each with its detail behind a space.
	outcomes []string
	stats    map[string]any
	taken    string
	ahead    *time.Duration // tables are as old as their answers, by a clock so much ahead of ours
}

// patience is how long a test waits for what must happen.
const patience = time.Minute

type fault struct {
	code int
	text string
}

func newFakeServer() *fakeServer {
	s := &fakeServer{quit: make(chan struct{}), rows: fewRows(), maxPage: 5000, faults: map[string]fault{}, stats: fineStats(), taken: "2026-01-02T03:04:05.678Z"}
	s.changed = sync.NewCond(&s.mu)
	s.http = httptest.NewServer(s)
	return s
}

func (s *fakeServer) close() {
	close(s.quit)
	s.http.Close()
}

// set changes how the server answers: login; rows few|none|hostile|N; max-page N; warn
// TEXT; status N; type TEXT; hang METHOD; fault METHOD CODE TEXT; outcome TEXT; untold N; forget (the
// calls so far).
func (s *fakeServer) set(args []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	switch strings.Join(append(args[:1:1], strconv.Itoa(len(args)-1)), " ") {
	case "login 0":
		s.login = true
	case "rows 1":
		s.rows, err = rowsNamed(args[1])
	case "max-page 1":
		s.maxPage, err = strconv.Atoi(args[1])
	case "warn 1":
		s.warning, err = unescape(args[1])
	case "status 1":
		s.status, err = strconv.Atoi(args[1])
	case "cut 1":
		s.cut, err = strconv.Atoi(args[1])
	case "grow 1":
		s.grow, err = strconv.Atoi(args[1])
	case "untold 1":
		s.untold, err = strconv.Atoi(args[1])
	case "stat 2":
		s.stats[args[1]] = args[2]
		if on, flag := strconv.ParseBool(args[2]); flag == nil {
			s.stats[args[1]] = on
		}
	case "taken 1":
		s.taken, s.ahead = args[1], nil
		if after, offset := time.ParseDuration(args[1]); offset == nil {
			s.ahead = &after
		}
	case "forget 0":
		s.log = nil
	case "type 1":
		s.kind = args[1]
	case "hang 1":
		s.hang = args[1]
	case "outcome 1":
		var outcome string
		outcome, err = unescape(args[1])
		s.outcomes = append(s.outcomes, outcome)
	case "fault 3":
		f := fault{}
		f.code, err = strconv.Atoi(args[2])
		if err == nil {
			f.text, err = unescape(args[3])
		}
		if s.faults[args[1]] = f; f.code == 0 {
			delete(s.faults, args[1])
		}
	default:
		err = fmt.Errorf("fake: unknown setting %q", args)
	}
	return err
}

// unescape reads escapes such as \n and \u202e as Go does.
func unescape(text string) (string, error) {
	return strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
}

func (s *fakeServer) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// count says how many calls of a method there were. s.mu must be held.
func (s *fakeServer) count(method string) (calls int) {
	for _, call := range s.log {
		if strings.HasPrefix(call, method+" ") {
			calls++
		}
	}
	return calls
}

func (s *fakeServer) counted(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count(method)
}

// await waits for so many calls of a method in all.
func (s *fakeServer) await(method string, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	late := false
	defer time.AfterFunc(patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.changed.Broadcast()
	}).Stop()
	for s.count(method) < n {
		if late {
			return fmt.Errorf("waited in vain for call %d of %s: %q", n, method, s.log)
		}
		s.changed.Wait()
	}
	return nil
}

// takenNow is when a table was read that is asked for now.
func (s *fakeServer) takenNow() string {
	if s.ahead != nil {
		return time.Now().Add(*s.ahead).UTC().Format(time.RFC3339Nano)
	}
	return s.taken
}

func (s *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call struct {
		Method string  `xml:"methodName"`
		Params []value `xml:"params>param>value"`
	}
	if err := xml.NewDecoder(r.Body).Decode(&call); err != nil || r.URL.Path != "/RPC2" {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	args := make([]any, len(call.Params))
	for i, p := range call.Params {
		args[i] = p.plain()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, call.Method+" "+fmt.Sprintf("%q", args))
	s.changed.Broadcast()
	if s.hang == call.Method {
		s.mu.Unlock()
		select {
		case <-r.Context().Done():
		case <-s.quit:
		}
		s.mu.Lock()
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	if s.kind != "" {
		w.Header().Set("Content-Type", s.kind)
	}
	if s.status != 0 {
		w.Header().Set("Location", "http://192.0.2.1/elsewhere")
		w.WriteHeader(s.status)
		return
	}
	if call.Method == "view" && s.cut > 0 {
		if s.cut--; s.cut == 0 {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "<methodResponse>")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	result, err := s.answer(call.Method, args)
	var f *faultError
	if errors.As(err, &f) {
		result = map[string]any{"faultCode": f.code, "faultString": f.text}
		fmt.Fprintf(w, "<methodResponse><fault>%s</fault></methodResponse>", encode(result))
		return
	}
	fmt.Fprintf(w, `<?xml version="1.0"?><methodResponse><params><param>%s</param></params></methodResponse>`, encode(result))
}

type faultError struct{ fault }

func (e *faultError) Error() string { return e.text }

func (s *fakeServer) answer(method string, args []any) (any, error) {
	if f, ok := s.faults[method]; ok {
		return nil, &faultError{f}
	}
	if method == "login" {
		if s.login && !slices.Equal(args, []any{"admin", "secret"}) {
			return nil, &faultError{fault{1, "authentication failed"}}
		}
		return "Session1", nil
	}
	if len(args) == 0 || args[0] != "Session1" {
		return nil, &faultError{fault{2, "session unknown or expired"}}
	}
	switch method {
	case "view":
		return s.view(args)
	case "groups":
		return s.groups(args)
	case "kill_report":
		return s.killReport(args)
	case "kill_matching":
		return s.killMatching(args)
	case "stats":
		return s.stats, nil
	case "kill", "change", "logout", "refresh":
		return true, nil
	case "whoami":
		return map[string]any{"user": "admin", "role": "boss", "methods": []any{"change", "kill", "kill_matching", "kill_report", "stats", "view"}}, nil
	}
	return nil, &faultError{fault{-32601, "no such method"}}
}

func (s *fakeServer) view(args []any) (any, error) {
	if len(args) != 7 {
		return nil, &faultError{fault{-32602, "wrong number of parameters"}}
	}
	start, length := args[4].(int), min(args[5].(int), s.maxPage)
	options := args[6].(map[string]any)
	if name, ok := options["snapshot"]; ok && name != "snap1" {
		return nil, &faultError{fault{12, "that snapshot is no longer held"}}
	}
	rows, err := s.matching(args[1])
	if err != nil {
		return nil, err
	}
	rows = having(rows, args[1])
	from := min(start, len(rows))
	page := rows[from:min(from+length, len(rows))]
	if start > 0 {
		page = page[min(s.untold, len(page)):]
	}
	table := []any{}
	for _, row := range page {
		if names, ok := options["fields"].([]any); ok {
			row = maps.Clone(row)
			maps.DeleteFunc(row, func(name string, _ any) bool { return !slices.Contains(names, any(name)) })
		} else {
			row = whole(row)
		}
		table = append(table, row)
	}
	warnings := []any{}
	if s.warning != "" {
		warnings = append(warnings, s.warning)
	}
	return map[string]any{
		"table": table, "total": len(rows) + s.grow*min(start, 1), "start": start, "length": len(page), "count": len(s.rows),
		"snapshot": "snap1", "taken": s.takenNow(), "warnings": warnings,
	}, nil
}

// matching knows the filters by which nuctl finds what is named; others match everything.
func (s *fakeServer) matching(filters any) ([]map[string]any, error) {
	members, ok := filters.(map[string]any)
	if !ok {
		return nil, &faultError{fault{-32602, "filters: want a struct"}}
	}
	if members["expr"] == "nothing" {
		return nil, nil
	}
	return slices.DeleteFunc(slices.Clone(s.rows), func(row map[string]any) bool {
		for _, name := range []string{"id", "key"} {
			switch want := members[name].(type) {
			case string:
				if row[name] != want {
					return true
				}
			case []any:
				if !slices.Contains(want, row[name]) {
					return true
				}
			}
		}
		return false
	}), nil
}

// killReport answers with the outcomes that were set, in turn, else with killed.
func (s *fakeServer) killReport(args []any) (any, error) {
	named := map[any]map[string]any{}
	for _, row := range s.rows {
		named[row["id"]], named[row["key"]] = row, row
	}
	reports := []any{}
	for _, target := range args[1].([]any) {
		id, key := target, ""
		if row, ok := named[target]; ok {
			id, key = row["id"], fmt.Sprint(row["key"])
		}
		reports = append(reports, s.report(id, key))
	}
	return reports, nil
}

func (s *fakeServer) killMatching(args []any) (any, error) {
	if args[2] != "snap1" {
		return nil, &faultError{fault{12, "that snapshot is no longer held"}}
	}
	rows, err := s.matching(args[1])
	if err != nil {
		return nil, err
	}
	reports := []any{}
	for _, row := range rows[min(s.untold, len(rows)):] {
		reports = append(reports, s.report(row["id"], fmt.Sprint(row["key"])))
	}
	return reports, nil
}

func (s *fakeServer) report(id any, key string) any {
	outcome, detail := "killed", ""
	if len(s.outcomes) > 0 {
		outcome, detail, _ = strings.Cut(s.outcomes[0], " ")
		s.outcomes = s.outcomes[1:]
	}
	return map[string]any{"id": id, "key": key, "outcome": outcome, "detail": detail}
}
