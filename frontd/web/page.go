// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"nuconntrack/frontd/reason"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/web/text"
)

//go:embed templates
var templateFiles embed.FS

func parseTemplates() (*template.Template, error) {
	return template.New("").Option("missingkey=error").ParseFS(templateFiles, "templates/*.html")
}

// page is what every template gets.
type page struct {
	*text.Language
	Title     string
	Talkers   string // the address of that page; "": the user may not see it
	User      string // "" where nobody is logged in
	Role      string
	Token     string // of forms; "" without a session
	Back      string // the address of the state that this page belongs to
	Languages []languageLink
	CSS       string
	Script    string // "": the page has none
	Icon      string
	Data      any
}

// languageLink leads to the same page in another language.
type languageLink struct {
	Code, Name, URL string
	Current         bool
}

// T and N give texts to templates: see text.Language.
func (p *page) T(key string, args ...any) string        { return p.Text(key, args...) }
func (p *page) N(key string, n int, args ...any) string { return p.Count(key, n, args...) }

// Int writes a number as the language does.
func (p *page) Int(n int) string { return p.Number(uint64(max(n, 0))) }

// Home is the table with the state that this page belongs to.
func (p *page) Home() string {
	_, values := tableOf(p.Back)
	q := parseQuery(values)
	return q.at(pathTable)
}

// paramBack is the address of the state to come back to, in forms and in addresses.
const paramBack = "back"

// show answers with a page.
func (s *Server) show(r *request, status int, name, title, backAddress string, data any) error {
	p := &page{
		Language: r.lang, Title: title, Back: backAddress, Data: data,
		CSS: s.assetPath("page.css"), Icon: s.assetPath("icon.svg"), Languages: s.links(r),
	}
	if r.call != nil {
		who := r.call.Whoami(nil)
		p.User, p.Role = clean(who.User), clean(who.Role)
		if r.may("groups") {
			_, values := tableOf(backAddress)
			q := parseQuery(values)
			q.Start, q.Snapshot = 0, ""
			p.Talkers = q.at(pathTalkers)
		}
		p.Token = s.signer.token(forSession, r.id)
	}
	if name == "table" {
		p.Script = s.assetPath("page.js")
	}
	var out bytes.Buffer
	if err := s.templates.ExecuteTemplate(&out, name, p); err != nil {
		return fmt.Errorf("render page %s: %w", name, err)
	}
	s.cfg.AnswerBegins(r.w)
	h := r.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", r.lang.Code)
	h.Set("Vary", "Accept-Language, Cookie")
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	r.w.WriteHeader(status)
	if r.r.Method != http.MethodHead {
		_, _ = r.w.Write(out.Bytes()) // a browser that went away
	}
	return nil
}

// links lead to this page in all languages. What was posted cannot be asked for again by a link:
// there they lead to where it came from.
func (s *Server) links(r *request) []languageLink {
	path, values := r.r.URL.Path, r.r.URL.Query()
	if r.r.Method == http.MethodPost {
		path, values = back(r.form.Get(paramBack))
	}
	if _, ok := s.routes[path]; !ok {
		path, values = pathTable, url.Values{}
	}
	var all []languageLink
	for _, l := range s.languages {
		values.Set(paramLanguage, l.Code)
		if path == pathConnection {
			backPath, kept := back(values.Get(paramBack))
			kept.Set(paramLanguage, l.Code)
			values.Set(paramBack, backPath+"?"+kept.Encode())
		}
		all = append(all, languageLink{l.Code, l.Name, path + "?" + values.Encode(), l == r.lang})
	}
	return all
}

// redirect sends a browser to another address of ours, which it asks for by GET.
func (r *request) redirect(to string) error {
	r.w.Header().Set("Location", to)
	r.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// failure is what the page of an error shows.
type failure struct {
	Text   string
	Detail string // what the Text does not say; "" for nothing
	Home   string
}

// showError answers with what went wrong.
func (s *Server) showError(r *request, err error) {
	status, f := s.explain(r, err)
	if status == http.StatusMethodNotAllowed {
		if e, ok := err.(*refusal); ok {
			r.w.Header().Set("Allow", e.allow)
		}
	}
	f.Home = pathTable
	address := r.r.URL.RequestURI()
	if r.r.Method == http.MethodPost {
		address = r.form.Get(paramBack)
	}
	if address = backTo(address); r.r.Method == http.MethodPost || r.r.URL.Path == pathConnection {
		f.Home = join(tableOf(address))
	}
	if err := s.show(r, status, "error", r.lang.Text("error.title"), address, f); err != nil {
		s.cfg.Log.Error("internal error", "doing", "show an error", "error", err)
		http.Error(r.w, "internal error", http.StatusInternalServerError)
	}
}

// explain finds the status and the words for an error.
func (s *Server) explain(r *request, err error) (status int, f failure) {
	if e, ok := err.(*refusal); ok {
		return e.status, failure{Text: r.lang.Text(e.key, e.args...)}
	}
	fault, ok := service.AsFault(err)
	if !ok {
		s.cfg.Log.Error("internal error", "doing", "serve the page", "error", err)
		fault = &service.Fault{Code: service.CodeInternal}
	}
	if fault.Retry > 0 {
		r.w.Header().Set("Retry-After", strconv.Itoa(fault.Retry))
	}
	return statusOf(fault.Code), r.faultText(fault)
}

// faultText says what a fault means, and which rule, parameter or role it is about.
func (r *request) faultText(f *service.Fault) failure {
	if f.Code == service.CodeTooMany && f.Retry > 0 {
		return failure{Text: r.lang.Count("fault.wait", f.Retry)}
	}
	if f.Reason.Kind == reason.Unanswered {
		return failure{Text: r.lang.Text("fault.unanswered")} // which the code says the contrary of
	}
	key := "fault." + strconv.Itoa(f.Code)
	if !r.lang.Has(key) {
		key = "fault.other"
	}
	out := failure{Text: r.lang.Text(key)}
	if f.Rule != "" {
		out.Text += " " + r.lang.Text("fault.rule", clean(f.Rule))
		return out
	}
	out.Detail = r.say(f.Reason)
	return out
}

// say says a reason, which may name what came from the network or from a user; "" for none.
func (r *request) say(why reason.Reason) string {
	if why.Kind == reason.None {
		return ""
	}
	return cleanBut(r.lang.Why(why), text.Spaces)
}

func statusOf(code int) int {
	switch code {
	case service.CodeAuthentication, service.CodePermission, service.CodePolicy, service.CodeSession:
		return http.StatusForbidden
	case service.CodeNoConnection:
		return http.StatusNotFound
	case service.CodeAmbiguous, service.CodeReplaced, service.CodeKernel, service.CodeFixed, service.CodeSnapshot:
		return http.StatusConflict
	case service.CodeHelper:
		return http.StatusServiceUnavailable
	case service.CodeTooMany:
		return http.StatusTooManyRequests
	case service.CodeParams:
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// maxShown is how much of a text from outside is shown, bytes.
const maxShown = 4096

// clean makes a text from the network or of a user harmless to read: what does not show as
// itself, or turns around what is beside it, becomes a question mark. Escaping is up to the templates.
func clean(s string) string { return cleanBut(s, "") }

// cleanBut leaves some characters as they are.
func cleanBut(s, keep string) string {
	if len(s) > maxShown {
		s = s[:maxShown] + "…"
	}
	out := make([]rune, 0, len(s))
	for _, c := range s {
		if c == utf8.RuneError || !unicode.IsPrint(c) && !strings.ContainsRune(keep, c) {
			c = '?'
		}
		out = append(out, c)
	}
	return string(out)
}
