// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"fmt"
	"html"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

// fields gives all hidden fields of a page's last form, as a browser sends them.
func (r reply) fields() url.Values {
	form := url.Values{}
	body := r.body[strings.LastIndex(r.body, "<form"):]
	for _, f := range regexp.MustCompile(`type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		form.Add(f[1], html.UnescapeString(f[2]))
	}
	return form
}

// TestKillOne: nothing is killed before the second step, and then just that one.
func TestKillOne(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	b := d.login("operator")
	question := b.post(pathKill, b.with("one", ident.EncodeKey(https.Target), "back", "/?proto=tcp&lang=fr"))
	question.want(t, 200, "1 connexion va être coupée", "tcp 192.0.2.1:40001 → 198.51.100.1:443", `href="/?lang=fr&amp;proto=tcp"`)
	d.wantLeft(t, 1, 2, 3)
	b.post(pathKillNow, question.fields()).want(t, 200, "coupée", "tcp 192.0.2.1:40001", `href="/?lang=fr&amp;proto=tcp"`)
	d.wantLeft(t, 2, 3)
	asked := d.helper.Asked()
	if len(asked) != 1 || asked[0].Actor.User != "ann" || asked[0].Actor.Client != "192.0.2.200" || asked[0].Actor.RequestID == 0 {
		t.Errorf("%+v", asked)
	}
	// Once more by the back button: it is gone, and that is no harm.
	b.post(pathKillNow, question.fields()).want(t, 200, "avait déjà disparu")
}

// TestKillMarked: every outcome is told, in words.
func TestKillMarked(t *testing.T) {
	d := start(t)
	https, ssh, dns := d.fill()
	d.helper.Remove(ssh.Target)
	ssh.OutcomeOfKill, ssh.RuleOfRefusal = ipc.Protected, "management"
	gone := helpertest.Port(6, 4, "192.0.2.4:40004", "198.51.100.4:80")
	d.helper.Add(ssh, gone)
	b := d.login("operator")
	b.get("/")
	d.helper.Remove(gone.Target)
	var pairs []string
	for _, c := range []helpertest.Connection{https, ssh, dns, gone, https} {
		pairs = append(pairs, "key", ident.EncodeKey(c.Target))
	}
	question := b.post(pathKill, b.with(append(pairs, "marked", "1")...)).want(t, 200, "4 connections are to be killed", "udp [2001:db8::1]:40003")
	b.post(pathKillNow, question.fields()).want(t, 200, "killed 2", "was gone already 1", "protected by the helper’s policy 1", "rule management", "!protects the connection")
	d.wantLeft(t, 2)
}

func TestKillAll(t *testing.T) {
	d := start(t)
	d.fill()
	b := d.login("operator")
	page := b.get("/?proto=tcp")
	later := helpertest.Port(6, 9, "192.0.2.9:40009", "198.51.100.9:80")
	d.helper.Add(later)
	form := url.Values{"token": {page.hidden("token")}, "all": {"1"}, "snapshot": {page.hidden("snapshot")}, "back": {"/?proto=tcp"}}
	question := b.post(pathKill, form).want(t, 200, "2 connections are to be killed", "proto: tcp", "!192.0.2.9", "!udp")
	b.post(pathKillNow, question.fields()).want(t, 200, "killed 2")
	d.wantLeft(t, 3, 9)
	// The table is kept no more after this: nothing else is killed in its place.
	form.Set("snapshot", "gone-1")
	b.post(pathKill, form).want(t, 409, "no longer kept")
	b.post(pathKillNow, form).want(t, 409, "no longer kept")
	form.Del("snapshot")
	b.post(pathKill, form).want(t, 409)
	b.post(pathKillNow, form).want(t, 409)
	d.wantLeft(t, 3, 9)
}

// TestKillAllKeepsToTheQuestion: what was not asked about is not killed, whatever has changed the
// filter or what the user may see since.
func TestKillAllKeepsToTheQuestion(t *testing.T) {
	d := start(t)
	d.fill()
	b := d.login("operator")
	page := b.get("/?proto=udp")
	form := url.Values{"token": {page.hidden("token")}, "all": {"1"}, "snapshot": {page.hidden("snapshot")}, "back": {"/?proto=udp"}}
	fields := b.post(pathKill, form).want(t, 200, "1 connection is to be killed").fields()
	for _, wrong := range []string{"", "2", "01", "-1"} {
		fields.Set("count", wrong)
		b.post(pathKillNow, fields).want(t, 409, "Nothing was killed")
	}
	fields.Set("count", "1")
	fields.Set("back", "/")
	b.post(pathKillNow, fields).want(t, 409, "Nothing was killed")
	d.wantLeft(t, 1, 2, 3)
	fields.Set("back", "/?proto=udp")
	b.post(pathKillNow, fields).want(t, 200, "killed 1")
	d.wantLeft(t, 1, 2)
}

// TestErrorsLeadBack to the state that they came from.
func TestErrorsLeadBack(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	b := d.login("operator")
	b.get(pathConnection+"?key=kx&back="+url.QueryEscape("/?proto=tcp")).want(t, 400, `href="/?proto=tcp">Back`)
	away := pathConnection + "?key=kx&back=" + url.QueryEscape("/?proto=udp")
	b.post(pathKill, b.with("one", "kx", "back", away)).want(t, 400, `href="/?proto=udp">Back`)
	b.post(pathKill, b.with("one", "kx", "back", pathConnection+"?back="+url.QueryEscape(away))).want(t, 400, `href="/">Back`)
	b.get(pathConnection+"?key="+ident.EncodeKey(https.Target)+"&back="+url.QueryEscape(pathTalkers+"?proto=tcp")).want(t, 200,
		`class="brand" href="/?proto=tcp"`, `href="/web/talkers?proto=tcp">Back`)
}

// TestLongAddresses do not come a thousand times over in one page.
func TestLongAddresses(t *testing.T) {
	d := start(t)
	for i := range maxSize {
		d.helper.Add(helpertest.Port(6, uint32(i+1), fmt.Sprintf("192.0.2.1:%d", 1024+i), "198.51.100.1:443"))
	}
	b := d.login("viewer")
	long := "src=192.0.2.1&size=1000&expr=" + url.QueryEscape("port > 1"+strings.Repeat(" ", 1000)+strings.Repeat("and (port > 1) ", 60))
	short := len(b.get("/?src=192.0.2.1&size=1000").want(t, 200).body)
	page := b.get("/?"+long).want(t, 200, "1,000 connections match")
	if len(page.body) > short+100_000 {
		t.Errorf("%d bytes, not %d, for an address of %d", len(page.body), short, len(long))
	}
}

// TestKillAllKeepsToTheFilter: one that cannot be read does not become everything.
func TestKillAllKeepsToTheFilter(t *testing.T) {
	d := start(t)
	d.fill()
	b := d.login("operator")
	page := b.get("/")
	for _, address := range []string{"/?expr=nonsense", "/?proto=nothing", "/?src=1.2.3", "/?sort=nothing", "/?expr=" + strings.Repeat("x", 5000)} {
		form := url.Values{"token": {page.hidden("token")}, "all": {"1"}, "snapshot": {page.hidden("snapshot")}, "back": {address}}
		b.post(pathKill, form).want(t, 400)
		b.post(pathKillNow, form).want(t, 400)
	}
	d.wantLeft(t, 1, 2, 3)
	form := url.Values{"token": {page.hidden("token")}, "all": {"1"}, "snapshot": {page.hidden("snapshot")}, "back": {"/"}}
	b.post(pathKill, form).want(t, 200, "These are all that you may see")
}

func TestKillRefusesNonsense(t *testing.T) {
	d := start(t)
	d.fill()
	b := d.login("operator")
	b.post(pathKill, b.with("marked", "1")).want(t, 400, "No connection is marked.")
	b.post(pathKillNow, b.with()).want(t, 200, "!killed 1")
	for _, key := range []string{"k", "1", "-1", "<script>", "k" + strings.Repeat("a", 5000), "k!"} {
		b.post(pathKill, b.with("key", key)).want(t, 400, "!<script>")
		b.post(pathKillNow, b.with("key", key)).want(t, 400, "!<script>")
	}
	many := b.with()
	for i := range maxSize + 1 {
		many.Add("key", ident.EncodeKey(helpertest.Port(6, uint32(i), "192.0.2.1:1", "192.0.2.2:2").Target))
	}
	b.post(pathKillNow, many).want(t, 400, fmt.Sprint(maxSize))
	if n := len(d.helper.Asked()); n != 0 {
		t.Errorf("the helper was asked %d times", n)
	}
}

// TestOwnConnection: who kills the connection that carries the page is asked once more.
func TestOwnConnection(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	own := helpertest.Port(6, 7, "192.0.2.200:5000", "192.0.2.254:8580")
	d.helper.Add(own)
	b := d.login("operator")
	question := b.post(pathKill, b.with("key", ident.EncodeKey(own.Target), "key", ident.EncodeKey(https.Target)))
	again := b.post(pathKillNow, question.fields()).want(t, 200, "killed 1", "spared: this page came over it 1", "Kill this one too")
	d.wantLeft(t, 2, 3, 7)
	form := again.fields()
	if keys := form["key"]; len(keys) != 1 || keys[0] != ident.EncodeKey(own.Target) || form.Get("force") != "1" {
		t.Errorf("the second question is about %v", form)
	}
	b.post(pathKillNow, form).want(t, 200, "killed 1")
	d.wantLeft(t, 2, 3)
}

func TestChangeMark(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	key := ident.EncodeKey(https.Target)
	b := d.login("operator")
	b.get(pathConnection+"?key="+key).want(t, 200, `name="field" value="mark"`, `value="0x10"`)
	question := b.post(pathChange, b.with("key", key, "field", "mark", "value", "0x3/0xf", "back", "/?proto=tcp"))
	question.want(t, 200, "0x10 → 0x3 in the bits 0xf", "!cannot be undone")
	if n := len(d.helper.Asked()); n != 0 {
		t.Fatalf("the helper was asked %d times before the second step", n)
	}
	b.post(pathChangeNow, question.fields()).want(t, 200, "0x3 in the bits 0xf", "read back from the kernel")
	for _, c := range d.helper.Table() {
		if c.Target == https.Target && c.Mark != 0x13 {
			t.Errorf("mark %#x", c.Mark)
		}
	}
}

func TestChangeTimeout(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	key := ident.EncodeKey(https.Target)
	b := d.login("operator")
	question := b.post(pathChange, b.with("key", key, "field", "timeout", "value", "90")).want(t, 200, "10\u00a0min → 1\u00a0min 30\u00a0s", "nobody can take it back")
	b.post(pathChangeNow, question.fields()).want(t, 200)
	b.post(pathChangeNow, question.fields()).want(t, 409, "fixed already")
}

func TestChangeRefusesNonsense(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	key := ident.EncodeKey(https.Target)
	b := d.login("operator")
	for _, wish := range [][2]string{
		{"mark", ""}, {"mark", "-1"}, {"mark", "0x1ffffffff"}, {"mark", "3/0x1"}, {"mark", "1/"}, {"timeout", "0"}, {"timeout", "2147484"},
		{"timeout", "1.5"}, {"timeout", "0x10"}, {"id", "1"}, {"", ""}, {"<script>", "1"}, {"mark", "<script>"}, {"class", "none"},
	} {
		for _, path := range []string{pathChange, pathChangeNow} {
			b.post(path, b.with("key", key, "field", wish[0], "value", wish[1])).want(t, 400, "!<script>")
		}
	}
	b.post(pathChange, b.with("key", "k1", "field", "mark", "value", "1")).want(t, 400)
	b.post(pathChange, b.with("key", ident.EncodeKey(helpertest.Port(6, 77, "192.0.2.7:7", "192.0.2.8:8").Target), "field", "mark", "value", "1")).want(t, 404)
	if n := len(d.helper.Asked()); n != 0 {
		t.Errorf("the helper was asked %d times", n)
	}
}

// TestConnection shows all that is known, and NAT in words.
func TestConnection(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	nat := helpertest.Port(6, 8, "10.0.0.5:40000", "203.0.113.1:443")
	nat.Target.Reply.Src, nat.Target.Reply.SrcPort = netip.MustParseAddr("10.1.0.9"), 8443
	nat.Target.Reply.Dst = netip.MustParseAddr("203.0.113.77")
	nat.Target.Orig.Zone, nat.Target.Reply.Zone = 7, 7
	d.helper.Add(nat)
	b := d.login("viewer")
	b.get(pathConnection+"?key="+ident.EncodeKey(https.Target)).want(t, 200, "No address is translated", "ESTABLISHED", "98.8\u00a0MB",
		"Assured", "Timeout", "10\u00a0min", "!Kill", "!Change …")
	b.get(pathConnection+"?key="+ident.EncodeKey(nat.Target)+"&back="+url.QueryEscape("/?proto=tcp")).want(t, 200,
		"what comes from 10.0.0.5:40000 looks to the other end as if it came from 203.0.113.77:40000",
		"what is sent to 203.0.113.1:443 is delivered to 10.1.0.9:8443", "<td>7</td>", `href="/?proto=tcp"`)
	for _, key := range []string{"", "1", "kx", "<script>", strings.Repeat("k", 9999)} {
		b.get(pathConnection+"?key="+url.QueryEscape(key)).want(t, 400, "!<script>")
	}
	d.helper.Remove(https.Target)
	other := start(t)
	other.login("viewer").get(pathConnection+"?key="+ident.EncodeKey(https.Target)).want(t, 404, "There is no such connection")
}

// TestReadOnly: what the configuration refuses to everybody is not offered to anybody.
func TestReadOnly(t *testing.T) {
	d := start(t, func(_ *Config, s *service.Config) { s.ReadOnly = true })
	https, _, _ := d.fill()
	b := d.login("admin")
	b.get("/").want(t, 200, "!Kill")
	b.post(pathKillNow, b.with("key", ident.EncodeKey(https.Target))).want(t, 403)
	d.wantLeft(t, 1, 2, 3)
}
