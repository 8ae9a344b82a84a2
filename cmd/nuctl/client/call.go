// SPDX-License-Identifier: GPL-2.0-or-later

package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	kolo "github.com/kolo/xmlrpc"

	"nuconntrack/frontd/xmlrpc"
)

// Config is what New needs.
type Config struct {
	Server Address
	// Timeout bounds each call; 0 is DefaultTimeout.
	Timeout time.Duration
	// Agent is sent as User-Agent; empty sends "nuctl".
	Agent string
	// TLS says whom to trust with https, and who we are; nil is this machine's authorities
	// and no certificate. See LoadTLS.
	TLS *tls.Config
	// HTTPAuth says when user and password go to a proxy before the server too.
	HTTPAuth HTTPAuth
}

// HTTPAuth says when the user and password of a login are sent as HTTP's Basic (RFC 7617) too.
type HTTPAuth int

const (
	// HTTPAsked sends them once something there has asked for them by status 401.
	HTTPAsked HTTPAuth = iota
	// HTTPAlways sends them from the first call on.
	HTTPAlways
	// HTTPNever does not send them.
	HTTPNever
)

// Client makes calls to one server. Safe for concurrent use.
type Client struct {
	server  Address
	timeout time.Duration
	agent   string
	http    *http.Client
	auth    HTTPAuth
	basic   atomic.Pointer[credentials] // nil: none are sent
}

// credentials are what is sent as HTTP's Basic.
type credentials struct{ user, password string }

// New makes a client. It connects with the first call.
func New(c Config) *Client {
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Agent == "" {
		c.Agent = "nuctl"
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport := &http.Transport{
		// No proxy: it would read passwords and sessions of plain HTTP.
		Proxy: nil,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			network, addr = c.Server.network(network, addr)
			return dialer.DialContext(ctx, network, addr)
		},
		TLSClientConfig:        c.TLS,
		TLSHandshakeTimeout:    dialTimeout,
		MaxResponseHeaderBytes: maxHeader,
		// What is compressed could be a thousand times its size.
		DisableCompression: true,
		MaxIdleConns:       2,
		IdleConnTimeout:    keepAlive * 2,
	}
	return &Client{
		server: c.Server, timeout: c.Timeout, agent: c.Agent, auth: c.HTTPAuth,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Close drops idle connections. The client stays usable.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Call calls a method and decodes its answer into what result points to, see fill; nil
// ignores it. The error is an *Error, or that of ctx if it has ended.
func (c *Client) Call(ctx context.Context, result any, method string, args ...any) error {
	request, err := kolo.EncodeMethodCall(method, args...)
	if err != nil {
		return c.fail(method, Unsent, fmt.Errorf("encode call: %w", err))
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answer, err := c.post(limited, method, request)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	return c.decode(method, answer, result)
}

func (c *Client) post(ctx context.Context, method string, request []byte) (*xmlrpc.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.server.url, bytes.NewReader(request))
	if err != nil {
		return nil, c.fail(method, Unsent, err)
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	req.Header.Set("User-Agent", c.agent)
	if basic := c.basic.Load(); basic != nil {
		req.SetBasicAuth(basic.user, basic.password)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(ctx, method, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &Error{Kind: Status, Method: method, Server: c.server.hostPort(), Code: resp.StatusCode, Basic: asksBasic(resp)}
	}
	if err := checkHeader(resp.Header); err != nil {
		return nil, c.fail(method, BadAnswer, err)
	}
	if resp.ContentLength > MaxAnswer {
		return nil, c.fail(method, BadAnswer, fmt.Errorf("answer of %d bytes, more than %d", resp.ContentLength, int64(MaxAnswer)))
	}
	answer, err := xmlrpc.ReadResponse(resp.Body, xmlrpc.Limits{Bytes: MaxAnswer, Depth: maxDepth, Values: maxValues})
	var refused *xmlrpc.Error
	switch {
	case errors.As(err, &refused):
		return nil, c.fail(method, BadAnswer, errors.New(refused.Text))
	case err != nil:
		return nil, c.broken(ctx, method, err)
	}
	return answer, nil
}

// asksBasic says whether an answer asks for HTTP's Basic. A scheme stands at the beginning of
// its header or of an element of it (RFC 9110, section 11.6.1).
func asksBasic(resp *http.Response) bool {
	if resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	for _, h := range resp.Header.Values("WWW-Authenticate") {
		for part := range strings.SplitSeq(h, ",") {
			scheme, _, _ := strings.Cut(strings.TrimSpace(part), " ")
			if strings.EqualFold(scheme, "basic") {
				return true
			}
		}
	}
	return false
}

// checkHeader says whether the body can be XML that we read.
func checkHeader(h http.Header) error {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind != "text/xml" && kind != "application/xml" {
		return fmt.Errorf("answer is of type %q, not XML", h.Get("Content-Type"))
	}
	if set := params["charset"]; set != "" && !strings.EqualFold(set, "utf-8") && !strings.EqualFold(set, "us-ascii") {
		return fmt.Errorf("answer is in charset %q, not UTF-8", set)
	}
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return fmt.Errorf("answer is encoded as %q, which was not asked for", coding)
	}
	return nil
}

// decode fills result, or makes an error of a fault.
func (c *Client) decode(method string, answer *xmlrpc.Response, result any) error {
	if f := answer.Fault; f != nil {
		return &Error{Kind: Faulted, Method: method, Server: c.server.hostPort(), Code: int(f.Code), Text: f.Text}
	}
	if result == nil {
		return nil
	}
	if err := fill(result, answer.Value); err != nil {
		return c.fail(method, BadAnswer, fmt.Errorf("decode answer: %w", err))
	}
	return nil
}

func (c *Client) fail(method string, kind Kind, err error) error {
	return &Error{Kind: kind, Method: method, Server: c.server.hostPort(), Err: err}
}

// broken is fail for what went wrong while sending or receiving.
func (c *Client) broken(ctx context.Context, method string, err error) error {
	kind := Unreachable
	var timeout net.Error
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		kind = Timeout
		err = fmt.Errorf("no answer within %v: %w", c.timeout, err)
	}
	return c.fail(method, kind, err)
}
