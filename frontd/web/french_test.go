// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"nuconntrack/frontd/auth"
	"nuconntrack/frontd/helpertest"
	"nuconntrack/frontd/service"
	"nuconntrack/frontd/table"
	"nuconntrack/frontd/table/ident"
	"nuconntrack/ipc"
)

// wantFrench checks that nothing in the catalogue of another language stands in a page: no part of
// a text there that is long enough to be no name, and that French does not have too.
func (r reply) wantFrench(t testing.TB, d *daemon) reply {
	t.Helper()
	english, french := d.server.languages[0], d.server.languages[1]
	verb := regexp.MustCompile(`%[#+]?[a-z]`)
	var all strings.Builder
	for _, key := range french.Keys() {
		all.WriteString(french.Text(key) + "\n")
	}
	checked := 0
	for _, key := range english.Keys() {
		for _, part := range verb.Split(english.Text(key), -1) {
			if part = strings.Trim(part, ` :,."`); len(part) < 8 || !strings.Contains(part, " ") || strings.Contains(all.String(), part) {
				continue
			}
			checked++
			if strings.Contains(r.text, part) {
				t.Errorf("%q, of %s, stands in a French page: %.3000s", part, key, r.text)
			}
		}
	}
	if checked < 200 {
		t.Errorf("only %d texts to look for", checked)
	}
	if !strings.Contains(r.body, `<html lang="fr">`) || strings.Count(r.body, `lang="en"`) != strings.Count(r.body, `hreflang="en"`)*2 {
		t.Errorf("something in the page is not in French: %.3000s", r.body)
	}
	return r
}

// inFrench is a browser that wants French.
func inFrench(b *browser) *browser {
	b.headers["Accept-Language"] = "fr"
	return b
}

// TestMistakesInFrench: what is wrong with a filter is said in the reader's language, with the place
// and with the words that were read.
func TestMistakesInFrench(t *testing.T) {
	d := start(t)
	d.fill()
	b := inFrench(d.login("admin"))
	for text, says := range map[string]string{
		"tcp and":                   "Au caractère 8, ceci n’a pas été compris : il faut un test tel que « dport 443 », et non la fin",
		`"tcp"`:                     `Au caractère 1, ceci n’a pas été compris : il faut un test tel que « dport 443 », et non le texte "tcp"`,
		"tcp port 22":               `Au caractère 5, ceci n’a pas été compris : il faut « and » ou « or » avant "port" : écrivez « and port »`,
		"tcp (udp)":                 `il faut « and » ou « or » avant "("`,
		"tcp foo":                   `il faut « and », « or » ou la fin, et non "foo"`,
		"dport 80 443":              `plusieurs valeurs au choix s’écrivent avec des virgules : "80", "443"`,
		"tcp)":                      "il manque la « ( » de cette « ) »",
		"udp and (tcp":              "Au caractère 13, ceci n’a pas été compris : il faut une « ) » pour la « ( » du caractère 9, et non la fin",
		"dport":                     "il faut une valeur de dport, et non la fin",
		"dport not 22":              "écrivez « not dport … » ou « dport != … »",
		"assured > 0":               "assured vaut true ou false, et ne se compare pas par >",
		"assured = maybe":           `il faut true ou false, et non "maybe"`,
		"rate > 1k,2k":              "> compare à une seule valeur",
		"tcp and dprot 5":           `Au caractère 9, ceci n’a pas été compris : le nom "dprot" n’existe pas : vouliez-vous dire dport ?`,
		"bytes > 5":                 "vouliez-vous dire orig_bytes ou repl_bytes ?",
		"established":               `écrivez "state established"`,
		"10.0.0.1":                  `écrivez "host 10.0.0.1", "src 10.0.0.1" ou "dst 10.0.0.1"`,
		"zzzzzzz 5":                 `le nom "zzzzzzz" n’existe pas`,
		"dport <> 5":                "« différent de » s’écrit !=",
		"dport => 5":                "« supérieur ou égal à » s’écrit >=",
		"dport =< 5":                "« inférieur ou égal à » s’écrit <=",
		"tcp & udp":                 "« et » s’écrit and ou &&",
		"tcp | udp":                 "« ou » s’écrit or ou ||",
		"dport {80}":                "sans accolades",
		"helper 'ftp'":              "guillemets droits doubles",
		"tcp $":                     "caractère inattendu '$'",
		"tcp \xff":                  "ceci n’est pas de l’UTF-8",
		`helper "a\n"`:              `après \ il ne peut y avoir que " ou \`,
		`helper "ftp`:               `il manque le " à la fin du texte`,
		`helper ""`:                 "la valeur est vide",
		strings.Repeat("(", 99):     "plus de 32 parenthèses et not sont imbriqués",
		strings.Repeat("x", 5000):   "l’expression fait 5000 octets, pour un maximum de 4096",
		strings.Repeat("nat||", 65): "l’expression contient plus de 64 tests",
		strings.Repeat("udplite||", 60) + "dport " + strings.Repeat("1,", 1774) + "1": "une fois écrite en entier",
		"dport 65536":               "le nombre 65536 dépasse 65535, le plus grand possible",
		"dport 30-20":               "l’intervalle 30-20 est à l’envers",
		"dport ssh":                 `"ssh" n’est pas un port tel que 443 ou 1024-65535`,
		"mark 1k":                   `"1k" n’est pas une valeur de ce champ`,
		"mark 0x1/0x2":              "la valeur 0x1 a des bits en dehors du masque 0x2",
		"src > 10.0.0.1":            "> ne peut pas servir ici : ces valeurs n’ont pas d’ordre",
		"src 10.0.0.256":            `"10.0.0.256" n’est ni une adresse, ni un préfixe, ni un intervalle`,
		"src fe80::1%eth0":          `"fe80::1%eth0" nomme une interface`,
		"dst 10.0.0.9-10.0.0.1":     `l’intervalle "10.0.0.9-10.0.0.1" est à l’envers`,
		"dst 10.0.0.9-2001:db8::1":  "de deux familles",
		"src 4294967296":            "la plus grande adresse IPv4",
		"orig_ipv6_src 1":           "une adresse IPv6 ne peut pas être un nombre",
		"state running":             `"running" n’est pas un nom que ce champ peut prendre`,
		"rate > 1.5":                `"1.5" n’est pas un nombre entier`,
		"rate > 1.5kB":              "k, M et G sont des puissances de 1000",
		"rate > 18446744073709552k": "ne tient pas sur 64 bits",
		"age > 5w":                  "n’est pas une durée telle que 90 (secondes)",
		"start > yesterday":         `n’est pas une date telle que 2006-01-02T15:04:05Z`,
		"start > 2026-01-02T03:04:05.1234567890Z": "plus fin qu’une nanoseconde",
		"key k0":                              `"k0" n’est pas une clé`,
		"helper " + strings.Repeat("x", 2000): "la valeur fait 2000 octets, pour un maximum de 1024",
		"tcp and user zoe":                    "Au caractère 9, ceci n’a pas été compris : les marques ne désignent pas d’utilisateurs ici",
		"class voice":                         "il n’y a pas de classes de trafic ici",
	} {
		b.get("/?expr="+url.QueryEscape(text)).want(t, 400, says, `id="expr-wrong"`).wantFrench(t, d)
	}
	for address, says := range map[string]string{
		"src=nowhere":                      "Ceci n’a pas été compris : \"nowhere\" n’est ni une adresse",
		"port=22,!80":                      `"!80" : il ne peut pas y avoir de ! dans un tableau`,
		"port=!!22":                        `"!!22" : après ! vient la valeur elle-même`,
		"port=!":                           "la valeur est vide",
		"proto=nothing":                    `"nothing" n’est pas une valeur de ce champ`,
		"dst=" + strings.Repeat("1", 2000): "la valeur fait 2000 octets, pour un maximum de 1024",
		"sort=nothing":                     "un ordre de tri qui n’existe pas",
		"size=0":                           "un nombre de lignes",
		"start=-1":                         "une première ligne",
		"cols=nothing":                     "une colonne qui n’existe pas",
	} {
		b.get("/?"+address).want(t, 400, says).wantFrench(t, d)
	}
}

// TestClassMistakeInFrench: classes are named as the configuration has them.
func TestClassMistakeInFrench(t *testing.T) {
	d := start(t, func(_ *Config, s *service.Config) {
		s.Meaning = table.NewMeaning(0, nil, []table.Class{{Name: "voice", Value: 1, Mask: 1}, {Name: "bulk", Value: 2, Mask: 2}})
	})
	https, _, _ := d.fill()
	b := inFrench(d.login("admin"))
	b.get("/?expr=tcp+and+class+Voice").want(t, 400, `Au caractère 9, ceci n’a pas été compris : la classe "Voice" n’existe pas, seulement bulk, voice`).wantFrench(t, d)
	if to := b.get(pathTalkers+"?expr=class+x").want(t, 303).Header.Get("Location"); to != "/?expr=class+x" {
		t.Errorf("%s", to)
	}
	form := b.with("all", "1", "snapshot", b.get("/").hidden("snapshot"), "back", "/?expr=class+x")
	b.post(pathKill, form).want(t, 400, `membre expr du filtre, caractère 1 : la classe "x" n’existe pas`).wantFrench(t, d)
	b.post(pathChange, b.with("key", ident.EncodeKey(https.Target), "field", "class", "value", "x")).want(t, 400, `class : la classe "x" n’existe pas`).wantFrench(t, d)
	d.wantLeft(t, 1, 2, 3)
}

// TestRefusalsInFrench: what is refused most is told in the reader's language, with the rule.
func TestRefusalsInFrench(t *testing.T) {
	d := start(t)
	https, ssh, dns := d.fill()
	for _, c := range []*helpertest.Connection{&https, &ssh, &dns} {
		d.helper.Remove(c.Target)
	}
	https.OutcomeOfKill, https.RuleOfRefusal = ipc.Protected, "management"
	ssh.OutcomeOfKill, ssh.RuleOfRefusal = ipc.Forbidden, "no-policy"
	dns.OutcomeOfKill, dns.KernelsRefusal = ipc.Failed, 1
	own := helpertest.Port(6, 7, "192.0.2.200:5000", "192.0.2.254:8580")
	d.helper.Add(https, ssh, dns, own)
	b := inFrench(d.login("operator"))
	form := b.with()
	for _, c := range []helpertest.Connection{https, ssh, dns, own} {
		form.Add("key", ident.EncodeKey(c.Target))
	}
	b.post(pathKillNow, form).want(t, 200, "règle management", "règle no-policy", "Le noyau a refusé.", "l’erreur est EPERM",
		"épargnée", "!the kernel", "!the rule").wantFrench(t, d)
	b.post(pathChangeNow, b.with("key", ident.EncodeKey(https.Target), "field", "mark", "value", "1")).want(t, 403,
		"La politique de l’assistant le refuse. La règle est management.").wantFrench(t, d)
	b.post(pathChangeNow, b.with("key", ident.EncodeKey(dns.Target), "field", "mark", "value", "1")).want(t, 409, "l’erreur est EPERM").wantFrench(t, d)
	// Who asked for the watch hears that there was none.
	r := &request{lang: d.server.languages[1]}
	if text, _ := r.why(service.OutcomeKilled, service.Report{Detail: "whether it came back is not known: x"}); text != "Impossible de savoir si elle est revenue." {
		t.Errorf("%q", text)
	}
}

// TestChangeMistakesInFrench names the parameter, and what it can be.
func TestChangeMistakesInFrench(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	key := ident.EncodeKey(https.Target)
	b := inFrench(d.login("operator"))
	for _, c := range []struct{ field, value, says string }{
		{"mark", "", `mark : "" n’est pas un nombre compris entre 0 et 4294967295`},
		{"mark", "-1", "mark : nombre négatif"},
		{"mark", "1/", `le masque de la marque : "" n’est pas un nombre`},
		{"mark", "3/0x1", "mark : 0x3 a des bits en dehors de son masque 0x1"},
		{"timeout", "0", "timeout : 0 n’est pas compris entre 1 et 2147483 secondes"},
		{"timeout", "soon", `timeout : "soon" n’est pas un nombre`},
		{"id", "1", `field : "id" ne peut pas être modifié`},
		{"class", "voice", "class : il n’y a pas de classes de trafic ici"},
	} {
		b.post(pathChange, b.with("key", key, "field", c.field, "value", c.value)).want(t, 400, c.says).wantFrench(t, d)
	}
	b.post(pathChange, b.with("key", "k1", "field", "mark", "value", "1")).want(t, 400, "Ceci n’est pas la clé d’une connexion.").wantFrench(t, d)
	many := b.with()
	for i := range maxSize + 1 {
		many.Add("key", ident.EncodeKey(helpertest.Port(6, uint32(i), "192.0.2.1:1", "192.0.2.2:2").Target))
	}
	b.post(pathKill, many).want(t, 400, "On ne peut pas cocher plus de 1000 connexions").wantFrench(t, d)
	form := b.with("all", "1", "snapshot", b.get("/").hidden("snapshot"), "back", "/?expr=nonsense")
	b.post(pathKill, form).want(t, 400, "Le filtre ne peut plus être lu").wantFrench(t, d)
}

// TestErrorsInFrench: pages of errors, and the login.
func TestErrorsInFrench(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	key := ident.EncodeKey(https.Target)
	b := inFrench(d.browser())
	b.enter("ann", "wrong").want(t, 403, "incorrect").wantFrench(t, d)
	good := d.backend
	d.backend = func(auth.Request) (auth.Identity, error) {
		return auth.Identity{}, &auth.BusyError{Retry: 7, Failed: true}
	}
	b.enter("ann", "secret").want(t, 429, "Réessayez dans 7 secondes").wantFrench(t, d)
	d.backend = good
	b = inFrench(d.login("viewer"))
	b.post(pathKill, b.with("one", key)).want(t, 403, `le rôle "viewer" de l’utilisateur "ann" ne permet pas kill_matching`).wantFrench(t, d)
	b.post(pathChange, b.with("key", key, "field", "mark", "value", "1")).want(t, 403, "ne permet pas change").wantFrench(t, d)
	b.post(pathKill, url.Values{"one": {key}}).want(t, 403).wantFrench(t, d)
	b.get("/web/nothing").want(t, 404, "Cette page n’existe pas.").wantFrench(t, d)
	b.get(pathKill).want(t, http.StatusMethodNotAllowed).wantFrench(t, d)
	b.get(pathConnection+"?key=x").want(t, 400).wantFrench(t, d)
	for _, address := range []string{"/", pathTalkers, pathConnection + "?key=" + key} {
		b.get(address).want(t, 200).wantFrench(t, d)
	}
	d.helper.SetAway(true)
	b.get(pathConnection+"?key="+key+"&x=1").want(t, 503, "L’assistant est injoignable").wantFrench(t, d)
	readOnly := start(t, func(_ *Config, s *service.Config) { s.ReadOnly = true })
	b = inFrench(readOnly.login("admin"))
	b.post(pathKillNow, b.with("key", key)).want(t, 403, "le service est en lecture seule").wantFrench(t, readOnly)
}

// TestWarningsInFrench: also what the configuration hides, which is not the role's doing.
func TestWarningsInFrench(t *testing.T) {
	d := start(t, func(_ *Config, s *service.Config) {
		hidden, err := table.HideFilter([]string{"udp"})
		if err != nil {
			t.Fatal(err)
		}
		s.Hidden = hidden
	})
	d.fill()
	d.helper.SetStats(ipc.Stats{Known: ipc.StatAccounting | ipc.StatTimestamps | ipc.StatCount | ipc.StatMax, Count: 99, Max: 100})
	b := inFrench(d.login("admin"))
	for _, path := range []string{"/", pathTalkers} {
		b.get(path).want(t, 200, "La comptabilité (nf_conntrack_acct)", "L’horodatage", "presque pleine",
			"La configuration laisse certaines connexions de côté.", "!Votre rôle").wantFrench(t, d)
	}
}

// TestUnanswered: nobody is told that nothing was done where that is not known.
func TestUnanswered(t *testing.T) {
	d := start(t)
	https, _, _ := d.fill()
	b := inFrench(d.login("admin"))
	d.helper.SetDying()
	reply := b.post(pathKillNow, b.with("key", ident.EncodeKey(https.Target)))
	reply.want(t, 200, "échec", "L’assistant a disparu avant de répondre. Cela a peut-être été fait malgré tout").wantFrench(t, d)
	if strings.Contains(reply.text, "injoignable") {
		t.Errorf("it says that nothing can be changed: %s", reply.text)
	}
}
