// SPDX-License-Identifier: GPL-2.0-or-later

package xmlrpc

import (
	"strings"
	"testing"
)

func TestPeekSession(t *testing.T) {
	const head = "<methodCall><methodName>view</methodName><params><param>"
	const calls = "<methodCall><methodName>" + multicall + "</methodName><params><param><value><array><data><value><struct>"
	const oneParam = "<member><name>params</name><value><array><data><value>s</value>"
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
		{"calls of multicall", calls + "<member><name>methodName</name><value>view</value></member>" + oneParam, multicall, "s", true},
		{"its parameters first", calls + oneParam, multicall, "s", true},
		{"its parameters typed, with gaps", strings.ReplaceAll(calls+strings.Replace(oneParam, "s</value>", "<string>s</string></value>", 1), "><", "> <!-- -->\n<"), multicall, "s", true},
		{"calls, cut before the parameter ends", calls + strings.TrimSuffix(oneParam, ">"), multicall, "", false},
		{"calls of another method", strings.Replace(calls, multicall, "view", 1) + oneParam, "view", "", false},
		{"call without parameters", calls + "<member><name>methodName</name><value>view</value></member></struct></value>", multicall, "", false},
		{"call with empty parameters", calls + "<member><name>params</name><value><array><data/></array></value></member>", multicall, "", false},
		{"call with a struct before", calls + "<member><name>x</name><value><struct/></value></member>" + oneParam, multicall, "", false},
		{"call with a string as parameters", calls + "<member><name>params</name><value>s</value></member>", multicall, "", false},
		{"call whose first parameter is an int", calls + strings.Replace(oneParam, "s</value>", "<int>5</int></value>", 1), multicall, "", false},
		{"call that is a string", strings.TrimSuffix(calls, "<struct>") + "s</value>", multicall, "", false},
		{"no calls", strings.TrimSuffix(calls, "<value><struct>") + "</data></array></value>", multicall, "", false},
		{"calls that are a string", "<methodCall><methodName>" + multicall + "</methodName><params><param><value>s</value>", multicall, "", false},
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
	want, isString := firstOf(call)
	if method != call.Method || ok != isString || ok && first != want {
		t.Errorf("peek found %q, %q, %v in\n%s", method, first, ok, showCall(call))
	}
}

// firstOf is what PeekSession should find in a call.
func firstOf(call *Call) (text string, ok bool) {
	params := call.Params
	if call.Method == multicall {
		if len(params) == 0 || len(params[0].Items) == 0 {
			return "", false
		}
		members := params[0].Items[0].Members
		for len(members) > 0 && members[0].Name != "params" && members[0].Value.Kind == KindString {
			members = members[1:]
		}
		if len(members) == 0 || members[0].Name != "params" {
			return "", false
		}
		params = members[0].Value.Items
	}
	if len(params) == 0 || params[0].Kind != KindString {
		return "", false
	}
	return params[0].Text, true
}
