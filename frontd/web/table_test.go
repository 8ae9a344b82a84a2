// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table/ident"
)

func TestTable(t *testing.T) {
	d := start(t)
	d.fill()
	b := d.login("admin")
	b.get("/").want(t, 200, "3 connections match", "of 3 that you may see", "192.0.2.1", "40001", "443", "ESTABLISHED",
		"1.23\u00a0MB", "98.8\u00a0MB", "0x10", "10\u00a0min", "2001:db8::53", "udp")
	b.get("/?expr=proto+udp").want(t, 200, "1 connection matches", "!198.51.100.1", "2001:db8::53")
	b.get("/?src=192.0.2.0/24&port=443,80").want(t, 200, "1 connection matches", "198.51.100.1")
	b.get("/?state=!established&proto=tcp").want(t, 200, "0 connections match", "No connection matches.")
	b.get("/?size=1&sort=orig_port_dst").want(t, 200, "198.51.100.2", "!198.51.100.1<")
}

// TestSortingIsTold to those who see it and to those who do not.
func TestSortingIsTold(t *testing.T) {
	d := start(t)
	d.fill()
	b := d.login("admin")
	for address, want := range map[string]string{
		"/":                            `aria-sort="descending"><a href="/?sort=byte_rate"`,
		"/?sort=byte_rate":             `aria-sort="ascending"><a href="/"`,
		"/?sort=proto":                 `aria-sort="ascending"><a href="/?desc=1&amp;sort=proto"`,
		"/?sort=proto&desc=1&src=::/0": `aria-sort="descending"><a href="/?sort=proto&amp;src=%3A%3A%2F0"`,
	} {
		if res := b.get(address).want(t, 200, want); strings.Count(res.body, "aria-sort") != 1 {
			t.Errorf("%s: %d columns are sorted", address, strings.Count(res.body, "aria-sort"))
		}
	}
	// Every column that there is can be shown, and sorted by.
	offered := regexp.MustCompile(`name="cols" value="([^"]*)"`).FindAllStringSubmatch(b.get("/").body, -1)
	if len(offered) < 30 {
		t.Errorf("only %d columns are offered", len(offered))
	}
	for _, found := range offered {
		name := found[1]
		b.get("/?cols="+name+"&sort="+name).want(t, 200, ">"+columnName(d.server.languages[0], name)+"</a>")
	}
}

// TestWrongAddresses say what is wrong where it stands, and show no table that would pass for
// what matches.
func TestWrongAddresses(t *testing.T) {
	d := start(t)
	d.fill()
	b := d.login("admin")
	for address, says := range map[string][]string{
		"/?expr=proto+tcp+and+foo+7":                {"At character 15 this cannot be understood", `aria-invalid="true"`},
		"/?expr=" + strings.Repeat("a", 5000):       {"the expression has 5000 bytes, more than 4096"},
		"/?src=nowhere":                             {"This cannot be understood", `id="w-src"`},
		"/?port=99999":                              {`id="w-port"`},
		"/?proto=%3Cscript%3E":                      {"&lt;script&gt;", "!<script>"},
		"/?proto=%E2%80%AEx":                        {`id="w-proto"`},
		"/?dst=" + strings.Repeat("1", 2000):        {`id="w-dst"`, "longer than 1024"},
		"/?port=" + strings.Repeat("1,", 500) + "x": {`id="w-port"`},
		"/?sort=nothing":                            {"an order that there is not"},
		"/?size=0":                                  {"not from 1 to 1000"},
		"/?size=1001":                               {"not from 1 to 1000"},
		"/?size=many":                               {"not from 1 to 1000"},
		"/?start=-1":                                {"no number from 0 on"},
		"/?start=99999999999999999999":              {"no number from 0 on"},
		"/?cols=proto,nothing":                      {"a column that there is not"},
		"/?sort=username":                           {"an order that there is not"},
		"/?cols=proto,username,mark":                {"a column that there is not", `!value="username"`},
		"/?cols=class":                              {"a column that there is not"},
		"/?expr=tcp+and+class+voice":                {"At character 9 this cannot be understood", "no traffic classes here", `aria-invalid="true"`},
		"/?state=!!x":                               {`id="w-state"`},
		"/?state=a,!b":                              {`id="w-state"`},
		"/?expr=" + url.QueryEscape(strings.Repeat("(", 99)): {"understood"},
	} {
		b.get(address).want(t, 400, append(says, "!<tbody>", "!198.51.100.1")...)
	}
	if d.helper.Dumps() != 0 {
		t.Errorf("the table was read %d times", d.helper.Dumps())
	}
}

// TestTidyAddress: what a form sends becomes what one likes to send to a colleague.
func TestTidyAddress(t *testing.T) {
	d := start(t)
	b := d.login("admin")
	q := "/?expr=&src=&dst=&port=22&proto=&state=&size=100&cols=proto&cols=orig_src&cols=mark"
	if to := b.get(q).want(t, 303).Header.Get("Location"); to != "/?cols=proto%2Corig_src%2Cmark&port=22" {
		t.Errorf("%s", to)
	}
	all := "/?size=250"
	for _, name := range defaultColumns() {
		all += "&cols=" + name
	}
	if to := b.get(all).want(t, 303).Header.Get("Location"); to != "/?size=250" {
		t.Errorf("%s", to)
	}
}

// TestPages are all of one table, even while another comes.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t)
		for i := range 25 {
			d.helper.Add(helpertest.Port(6, uint32(i+1), "192.0.2.1:"+string(rune('1'+i/10))+"00"+string(rune('0'+i%10)), "198.51.100.1:443"))
		}
		b := d.login("admin")
		next := regexp.MustCompile(`href="([^"]*)" rel="next"`)
		ports := regexp.MustCompile(`<td[^>]* class="number">([123]00\d)</td>`)
		address, seen := "/?size=10&sort=orig_port_src", map[string]bool{}
		for page := range 3 {
			res := b.get(address).want(t, 200)
			for _, found := range ports.FindAllStringSubmatch(res.body, -1) {
				if seen[found[1]] {
					t.Errorf("port %s comes twice", found[1])
				}
				seen[found[1]] = true
			}
			time.Sleep(time.Second)
			d.helper.Add(helpertest.Port(6, uint32(100+page), "192.0.2.1:1"+string(rune('0'+page)), "198.51.100.1:443"))
			found := next.FindStringSubmatch(res.body)
			if found == nil {
				res.want(t, 200, "21 to 25", "a table that is kept", `rel="prev"`, "!data-refresh")
				break
			}
			address = strings.ReplaceAll(found[1], "&amp;", "&")
		}
		if len(seen) != 25 {
			t.Errorf("%d of 25 connections were shown", len(seen))
		}
		b.get("/?size=10&start=10&sort=orig_port_src&snapshot=gone-1").want(t, 200, "no longer kept", "of 28")
		b.get("/?start=1000000").want(t, 200, "No connection matches.", `>First</a>`)
		b.get("/").want(t, 200, `data-refresh="2000"`)
	})
}

// TestRoles: what somebody may not do is neither offered nor done.
func TestRoles(t *testing.T) {
	for role, may := range map[string]struct{ view, kill, all, change, talkers bool }{
		"admin":    {true, true, true, true, true},
		"operator": {true, true, true, true, true},
		"viewer":   {true, false, false, false, true},
		"looker":   {true, false, false, false, false},
		"careful":  {true, true, false, false, false},
		"blind":    {},
	} {
		t.Run(role, func(t *testing.T) {
			d := start(t)
			https, _, _ := d.fill()
			key := ident.EncodeKey(https.Target)
			admin := d.login("admin")
			snapshot := admin.get("/").hidden("snapshot")
			b := d.login(role)
			status := map[bool]int{true: 200, false: 403}
			says := func(may bool, text string) string { return map[bool]string{true: "", false: "!"}[may] + text }
			page := b.get("/").want(t, status[may.view], says(may.kill, `name="one"`), says(may.all, `name="all"`), says(may.talkers, `href="/web/talkers"`))
			b.get(pathConnection+"?key="+key).want(t, status[may.view], says(may.kill, `name="one"`), says(may.change, `action="/web/change"`))
			b.get(pathTalkers).want(t, status[may.talkers])
			token := page.hidden("token")
			post := func(path string, may bool, pairs ...string) {
				t.Helper()
				form := url.Values{"token": {token}}
				for i := 0; i < len(pairs); i += 2 {
					form.Add(pairs[i], pairs[i+1])
				}
				b.post(path, form).want(t, status[may])
			}
			post(pathKill, may.kill, "one", key)
			post(pathKill, may.all, "all", "1", "snapshot", snapshot)
			post(pathChange, may.change, "key", key, "field", "mark", "value", "7")
			post(pathChangeNow, may.change, "key", key, "field", "mark", "value", "7")
			post(pathKillNow, may.kill, "key", key)
			post(pathKillNow, may.all, "all", "1", "snapshot", snapshot, "count", "3")
			if asked := len(d.helper.Asked()); (asked > 0) != (may.kill || may.change) {
				t.Errorf("the helper was asked %d times", asked)
			}
			b.post(pathLogout, url.Values{"token": {token}}).want(t, 303)
		})
	}
}

// TestScope: what is outside does not exist.
func TestScope(t *testing.T) {
	d := start(t)
	_, ssh, _ := d.fill()
	b := d.login("tenant")
	page := b.get("/").want(t, 200, "1 connection matches", "of 1 that you may see", "192.0.2.1", "!192.0.2.2", "Your role shows only")
	b.get(pathConnection+"?key="+ident.EncodeKey(ssh.Target)).want(t, 404, "!192.0.2.2")
	b.get(pathTalkers).want(t, 200, "192.0.2.1", "!192.0.2.2")
	b.post(pathKillNow, b.with("key", ident.EncodeKey(ssh.Target))).want(t, 200, "no such connection")
	b.post(pathKillNow, b.with("all", "1", "snapshot", page.hidden("snapshot"), "count", "1", "back", "/")).want(t, 200)
	d.wantLeft(t, 2, 3)
}

// TestHelperIsAway: the page says so, and comes back.
func TestHelperIsAway(t *testing.T) {
	d := start(t)
	d.fill()
	b := d.login("admin")
	d.helper.SetAway(true)
	b.get("/").want(t, 503, "The helper cannot be reached", "data-refresh", "Log out")
	b.headers["Accept-Language"] = "fr"
	b.get("/").want(t, 503, "L’assistant est injoignable")
	d.helper.SetAway(false)
	b.get("/").want(t, 200, "3 connexions correspondent")
}

func TestLanguages(t *testing.T) {
	d := start(t)
	d.fill()
	b := d.login("admin")
	b.headers["Accept-Language"] = "fr-FR,fr;q=0.9,en;q=0.5"
	res := b.get("/").want(t, 200, `<html lang="fr">`, "3 connexions correspondent", "Se déconnecter", "1,23\u00a0Mo", `<a href="/?lang=en" lang="en"`)
	if res.Header.Get("Content-Language") != "fr" || !strings.Contains(res.Header.Get("Vary"), "Accept-Language") {
		t.Errorf("%v", res.Header)
	}
	b.get("/?lang=en&src=192.0.2.1").want(t, 200, `<html lang="en">`, `href="/?lang=fr&amp;src=192.0.2.1"`, "1 connection matches")
	b.get("/?lang=xx").want(t, 200, `<html lang="fr">`)
	b.post(pathKill, b.with("back", "/?lang=en")).want(t, 400, `<html lang="en">`, "No connection is marked.")
	b.get("/web/nothing?lang=en").want(t, 404, "There is no such page.")
}

// TestChart is drawn of the tables that were looked at, and of nothing else.
func TestChart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t, func(_ *Config, s *service.Config) { s.MaxAge = 0 })
		https, _, _ := d.fill()
		b := d.login("admin")
		for range 4 {
			b.get("/").want(t, 200)
			time.Sleep(2 * time.Second)
			d.helper.Remove(https.Target)
			https.ReplyBytes += 2_000_000
			d.helper.Add(https)
		}
		dumps := d.helper.Dumps()
		b.get("/").want(t, 200, "<svg", `role="img"`, "Now 1.00\u00a0MB/s, at most 1.00\u00a0MB/s")
		if d.helper.Dumps() != dumps+1 {
			t.Errorf("%d dumps for one page", d.helper.Dumps()-dumps)
		}
		b.get("/?proto=udp").want(t, 200, "!<svg")
		time.Sleep(time.Minute)
		if d.helper.Dumps() != dumps+1 {
			t.Error("the table was read though nobody looked")
		}
		d.login("admin").get("/").want(t, 200, "!<svg")
	})
}

// TestTalkersInTurn: a session finds groups once at a time, and not for who has left.
func TestTalkersInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := start(t)
		d.fill()
		b := d.login("viewer")
		call, err := d.service.Begin(b.cookies["__Host-nuconntrack-8580"], service.Caller{Page: true})
		if err != nil {
			t.Fatal(err)
		}
		defer call.End()
		busy := (&request{call: call}).notes().busy
		busy <- struct{}{}
		ctx, leave := context.WithCancel(t.Context())
		answers := make(chan int, 2)
		ask := func(ctx context.Context) {
			answers <- b.do(httptest.NewRequest(http.MethodGet, b.base+pathTalkers, nil).WithContext(ctx)).StatusCode
		}
		go ask(ctx)
		go ask(t.Context())
		synctest.Wait()
		if len(answers) > 0 {
			t.Fatal("another is answered beside it")
		}
		leave()
		if status := <-answers; status != http.StatusInternalServerError {
			t.Errorf("who has left: %d", status)
		}
		// The table itself waits for nothing.
		b.get("/").want(t, 200)
		<-busy
		if status := <-answers; status != 200 {
			t.Errorf("the next: %d", status)
		}
	})
}

func TestTalkers(t *testing.T) {
	d := start(t)
	d.fill()
	b := d.login("admin")
	b.get(pathTalkers).want(t, 200, "3 in all", `href="/?src=192.0.2.1"`, "1.23\u00a0MB")
	b.get(pathTalkers+"?by=orig_port_dst&order=connections&proto=tcp").want(t, 200, "2 in all", `href="/?expr=dport&#43;443&amp;proto=tcp"`)
	b.get(pathTalkers+"?by=orig_port_dst&expr=tcp+or+udp").want(t, 200, `href="/?expr=%28tcp&#43;or&#43;udp%29&#43;and&#43;dport&#43;443"`)
	b.get("/?expr=(tcp+or+udp)+and+dport+443").want(t, 200, "1 connection matches")
	b.get(pathTalkers+"?by=nothing&order=nothing").want(t, 200, "3 in all")
	if to := b.get(pathTalkers+"?expr=nonsense").want(t, 303).Header.Get("Location"); to != "/?expr=nonsense" {
		t.Errorf("%s", to)
	}
	away := start(t)
	away.helper.SetAway(true)
	away.login("admin").get(pathTalkers).want(t, http.StatusServiceUnavailable)
}
