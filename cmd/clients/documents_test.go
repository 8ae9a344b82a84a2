// SPDX-License-Identifier: GPL-2.0-or-later

package clients

import (
	"strconv"
	"strings"
	"testing"

	"nuconntrack/privd/nstest"
)

const (
	prolog = `<?xml version="1.0"?>`
	ask    = "<methodCall><methodName>system.methodHelp</methodName><params><param><value>"
	asked  = "</value></param></params></methodCall>"
	names  = "<methodCall><methodName>system.listMethods</methodName>"
	named  = "</methodCall>"
)

// document is what is sent, and what comes of it: a fault's code or "", and words.
type document struct{ text, fault, says string }

// goodDocuments are all that must be read. Where a fault comes it is of the method, which
// shows what was read.
func goodDocuments(session string) map[string]document {
	const help, list = "system.listMethods(): ", "<string>login</string>"
	set := func(value string) document {
		return document{call("set_autorefresh", session, value), "", "<boolean>1"}
	}
	return map[string]document{
		"UTF-8":                   {`<?xml version="1.0" encoding="utf-8"?>` + ask + "é" + asked, "-32602", "é"},
		"US-ASCII, in fact UTF-8": {`<?xml version="1.0" encoding="US-ASCII"?>` + ask + "é" + asked, "-32602", "é"},
		"ISO-8859-1":              {`<?xml version="1.0" encoding="ISO-8859-1"?>` + ask + "\xe9" + asked, "-32602", "é"},
		"CDATA":                   {prolog + ask + "<string><![CDATA[system.listMethods]]></string>" + asked, "", help},
		"CDATA, split":            {prolog + ask + "<string>sys<![CDATA[tem.li]]>st<![CDATA[Meth]]><![CDATA[ods]]></string>" + asked, "", help},
		"comments":                {prolog + "<!-- a -->" + ask + "<string>system.list<!-- b -->Methods</string>" + asked + "<!-- c -->", "", help},
		"untyped string":          {prolog + ask + "system.listMethods" + asked, "", help},
		"<params/>":               {prolog + names + "<params/>" + named, "", list},
		"empty <params>":          {prolog + names + "<params> </params>" + named, "", list},
		"no <params>":             {prolog + names + named, "", list},
		"<value/>":                {prolog + strings.TrimSuffix(ask, "<value>") + "<value/>" + strings.TrimPrefix(asked, "</value>"), "-32602", `no method ""`},
		"CRLF":                    {strings.ReplaceAll(prolog+ask+"system.listMethods"+asked, "><", ">\r\n<"), "", help},
		"leading newline":         {"\n" + prolog + names + named, "", list},
		"no prolog":               {names + named, "", list},
		"folded base64":           {prolog + ask + "<base64>c3lzdGVt\r\n  Lmxpc3Q=\r\n</base64>" + asked, "-32602", "base64"},
		"i4":                      set("<i4>1</i4>"),
		"int":                     set(" <int> +1 </int> "),
		"i8":                      set("<i8>1</i8>"),
		"ex:i8":                   set("<ex:i8>1</ex:i8>"),
		"double":                  set("<double>1.0</double>"),
		"boolean":                 set("<boolean>1</boolean>"),
		"string of digits":        set("1"),
		"nil":                     {call("view", session, "<nil/>"), "", "<name>table</name>"},
		"ex:nil":                  {call("view", session, "<ex:nil/>"), "", "<name>table</name>"},
		"empty array for struct":  {call("view", session, "<array><data/></array>"), "", "<name>table</name>"},
		"dateTime.iso8601":        {prolog + ask + "<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>" + asked, "-32602", "dateTime"},
		"i4 beyond 2^31":          {call("kill", session, "<array><data><value><i4>4294967295</i4></value></data></array>"), "4", "no such connection"},
		"negative int":            {call("kill", session, "<array><data><value><int>-1</int></value></data></array>"), "-32602", "string"},
		"20,000 values":           {call("kill", session, "<array><data>"+strings.Repeat("<value>1</value>", 19998)+"</data></array>"), "4", ""},
		"depth 16":                {call("kill", session, nested(16)), "-32602", "array"},
		"spaces up to max_body":   {call("refresh", session) + strings.Repeat(" ", 4<<20-len(call("refresh", session))), "", ""},
		"8 KiB of a guest":        {names + named + strings.Repeat(" ", 8<<10-len(names+named)), "", list},
	}
}

func nested(depth int) string {
	return strings.Repeat("<array><data><value>", depth-1) + "<array><data/></array>" + strings.Repeat("</value></data></array>", depth-1)
}

// badDocuments are all that must be refused.
func badDocuments(session string) map[string]document {
	const notXML, notCall = "-32700", "-32600"
	bomb := `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
	return map[string]document{
		"DOCTYPE":                    {prolog + `<!DOCTYPE methodCall SYSTEM "http://192.0.2.1/x.dtd">` + names + named, notXML, "DOCTYPE"},
		"entities of its own":        {prolog + bomb + ask + "&b;" + asked, notXML, "DOCTYPE"},
		"external entity":            {prolog + `<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + ask + "&x;" + asked, notXML, "DOCTYPE"},
		"processing instruction":     {prolog + `<?xml-stylesheet href="x"?>` + names + named, notXML, "processing"},
		"unknown entity":             {prolog + ask + "&eacute;" + asked, notXML, "eacute"},
		"control character":          {prolog + ask + "\x01" + asked, notXML, "U+0001"},
		"control as reference":       {prolog + ask + "&#1;" + asked, notXML, "&amp;#1;"},
		"NUL":                        {prolog + ask + "\x00" + asked, notXML, "U+0000"},
		"not UTF-8":                  {prolog + ask + "\xe9" + asked, notXML, "UTF-8"},
		"windows-1252":               {`<?xml version="1.0" encoding="windows-1252"?>` + names + named, notXML, "windows-1252"},
		"UTF-16":                     {"\xff\xfe<\x00?\x00x\x00", notXML, "UTF-16"},
		"two roots":                  {names + named + names + named, notXML, "follows"},
		"trailing data":              {names + named + "x", notXML, "outside"},
		"cut":                        {names, notXML, "early"},
		"empty":                      {"", notXML, "no document"},
		"JSON":                       {`{"method":"login"}`, notXML, ""},
		"methodResponse":             {"<methodResponse><params/></methodResponse>", notCall, "methodResponse"},
		"SOAP":                       {`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>`, notCall, "Envelope"},
		"no method name":             {"<methodCall><params/></methodCall>", notCall, "methodName"},
		"depth 17":                   {call("kill", session, nested(17)), notCall, "16"},
		"duplicate members":          {call("view", session, "<struct>"+strings.Repeat("<member><name>id</name><value>1</value></member>", 2)+"</struct>"), notCall, "twice"},
		"20,001 values":              {call("kill", session, "<array><data>"+strings.Repeat("<value>1</value>", 19999)+"</data></array>"), notCall, "20000"},
		"i4 beyond 2^63":             {call("refresh", "<i4>9223372036854775808</i4>"), notCall, "string"},
		"long, of nobody":            {call("view", "nobody") + strings.Repeat(" ", 8<<10), "2", ""},
		"long, no session in it":     {names + named + strings.Repeat(" ", 8<<10+1-len(names+named)), "2", ""},
		"long, session not first":    {call("view", "nobody", session) + strings.Repeat(" ", 8<<10), "2", ""},
		"long, session out of sight": {"<methodCall><methodName>view</methodName>" + strings.Repeat(" ", 8<<10) + "<params><param><value>" + session + asked, "2", ""},
	}
}

// TestDocuments: each thing that must be read or refused, over HTTP from the real daemon,
// which serves on as before after each.
func TestDocuments(t *testing.T) {
	t.Parallel()
	nstest.Run(t, func(t *testing.T) {
		serve(t, "")
		session := login(t)
		for group, documents := range map[string]map[string]document{"read": goodDocuments(session), "refused": badDocuments(session)} {
			for name, d := range documents {
				t.Run(group+"/"+name, func(t *testing.T) {
					status, answer := exchange(t, d.text)
					if status != 200 || outcome(answer) != d.fault || !strings.Contains(answer, d.says) {
						t.Errorf("status %d, want fault %q and %q: %.500s", status, d.fault, d.says, answer)
					}
				})
			}
		}
		if _, answer := exchange(t, call("whoami", session)); outcome(answer) != "" || !strings.Contains(answer, user) {
			t.Errorf("afterwards: %s", answer)
		}
		w := dial(t, "")
		w.send(head("1.1", "Content-Length: "+strconv.Itoa(4<<20+1)+"\r\n\r\n"))
		if res, _ := w.receive(); res.StatusCode != 413 {
			t.Errorf("a length beyond max_body: %s", res.Status)
		}
		w = dial(t, "")
		long := call("refresh", session) + strings.Repeat(" ", 4<<20)
		w.send(head("1.1", "Transfer-Encoding: chunked\r\n\r\n") + strconv.FormatInt(int64(len(long)), 16) + "\r\n" + long)
		if res, answer := w.receive(); res.StatusCode != 200 || outcome(answer) != "-32600" {
			t.Errorf("a body beyond max_body in chunks: %s %s", res.Status, answer)
		}
	})
}
