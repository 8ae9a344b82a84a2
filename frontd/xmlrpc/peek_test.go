// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"strings"
	"testing"
)

func TestPeekSession(t *testing.T) {
	const head = "<methodCall><methodName>view</methodName><params><param>"
	for _, tc := range []struct {
		name, prefix, method, first string
		ok                          bool
	}{
		{"typed", head + "<value><string>s</string></value>", "view", "s", true},
		{"untyped", head + "<value>s</value>", "view", "s", true},
		{"empty", head + "<value/>", "view", "", true},
		{"empty typed", head + "<value><string/></value>", "view", "", true},
		{"escaped", head + "<value>&#115;<!-- --><![CDATA[1]]></value>", "view", "s1", true},
		{"prolog, newline, mark", "\ufeff\n<?xml version='1.0'?>\n" + head + "\n<value>\n<string>s</string>\n</value>", "view", "s", true},
		{"cut behind it, inside a character", head + "<value>s</value></param><param><value>\xe2\x82", "view", "s", true},
		{"rubbish behind it", head + "<value>s</value>\x00<!DOCTYPE", "view", "s", true},
		{"not cut", document("<param><value>s</value></param>"), "m", "s", true},
		{"int", head + "<value><int>5</int></value>", "view", "", false},
		{"array of strings", head + "<value><array><data><value>s</value></data></array></value>", "view", "", false},
		{"nil", head + "<value><nil/></value>", "view", "", false},
		{"mixed", head + "<value>s<string>s</string></value>", "view", "", false},
		{"cut in the end tag", head + "<value>s</value", "view", "", false},
		{"cut before the end tag", head + "<value>s", "view", "", false},
		{"cut after the type", head + "<value><string>s</string>", "view", "", false},
		{"no parameters", document(""), "m", "", false},
		{"empty parameters", "<methodCall><methodName>m</methodName><params/></methodCall>", "m", "", false},
		{"no params", "<methodCall><methodName>m</methodName></methodCall>", "m", "", false},
		{"cut in the method", "<methodCall><methodName>vie", "", "", false},
		{"bad method", "<methodCall><methodName>a b</methodName>", "", "", false},
		{"control character", head + "<value>\x01</value>", "view", "", false},
		{"not utf-8", head + "<value>\xff</value>", "view", "", false},
		{"bad character before the method", "<methodCall><!-- \xff --><methodName>m</methodName>", "", "", false},
		{"another charset", "<?xml version='1.0' encoding='utf-7'?>" + head + "<value>s</value>", "", "", false},
		{"doctype", "<!DOCTYPE x>" + head + "<value>s</value>", "", "", false},
		{"response", "<methodResponse><params><param><value>s</value>", "", "", false},
		{"empty", "", "", "", false},
		{"rubbish", "\xff\xfe\x00", "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			method, first, ok := PeekSession([]byte(tc.prefix))
			if method != tc.method || first != tc.first || ok != tc.ok {
				t.Errorf("%q, %q, %v", method, first, ok)
			}
		})
	}
}

// TestPeekEveryCut shows that nothing but the whole first parameter is ever returned.
func TestPeekEveryCut(t *testing.T) {
	body := document("<param><value><string>session-1</string></value></param><param><value>x</value></param>")
	whole := strings.Index(body, "</value>") + len("</value>")
	for n := range len(body) + 1 {
		_, first, ok := PeekSession([]byte(body[:n]))
		if ok != (n >= whole) || ok && first != "session-1" {
			t.Errorf("cut after %d of %d: %q, %v", n, whole, first, ok)
		}
	}
}

// checkPeek holds PeekSession to what ReadCall found in the same body.
func checkPeek(t *testing.T, body []byte, call *Call) {
	t.Helper()
	method, first, ok := PeekSession(body)
	isString := len(call.Params) > 0 && call.Params[0].Kind == KindString
	if method != call.Method || ok != isString || ok && first != call.Params[0].Text {
		t.Errorf("peek found %q, %q, %v in\n%s", method, first, ok, showCall(call))
	}
}
