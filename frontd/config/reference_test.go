// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nuconntrack/policy"
)

// namedInReference are the keys that the reference names, by section; in examples too.
func namedInReference() map[string][]string {
	header := regexp.MustCompile(`^#? ?\[+([a-z_.]+)\]+$`)
	key := regexp.MustCompile(`^#? ?([a-z_]+) *= `)
	named := map[string][]string{}
	section := ""
	for line := range strings.SplitSeq(Reference(), "\n") {
		if m := header.FindStringSubmatch(line); m != nil {
			section = m[1]
			for parts := strings.Split(section, "."); len(parts) > 0; parts = parts[:len(parts)-1] {
				above := strings.Join(parts[:len(parts)-1], ".")
				named[above] = append(named[above], parts[len(parts)-1])
			}
		} else if m := key.FindStringSubmatch(line); m != nil {
			named[section] = append(named[section], m[1])
		}
	}
	return named
}

// TestReferenceNamesWhatIsRead asks the parser which keys it knows, section by section, by a key
// that it does not: so none can be read without standing in the reference.
func TestReferenceNamesWhatIsRead(t *testing.T) {
	text := "zzz = 1\n"
	sections := []string{""}
	for _, section := range []string{"[metrics]", "[tls]", "[proxy]", "[auth.ldap]", "[[auth.ldap.groups]]",
		"[auth.tls]", "[auth.local]", "[[auth.local.groups]]", "[[class]]", "[roles.tenant]"} {
		text += section + "\nzzz = 1\n"
		sections = append(sections, strings.Trim(section, "[]"))
	}
	known := map[string]string{}
	for _, backend := range []string{BackendFile, BackendLDAP, BackendTLS, BackendLocal} {
		_, err := Parse([]byte(text+"[auth]\nzzz = 1\nbackend = \""+backend+"\"\n"), "f", Override{})
		var all Errors
		if !errors.As(err, &all) {
			t.Fatal(err)
		}
		for _, e := range all {
			if list, ok := strings.CutPrefix(e.Reason, "unknown key; known here are "); ok {
				known[strings.TrimSuffix(strings.TrimSuffix(e.Key, "zzz"), ".")] = list
			}
		}
	}
	named := namedInReference()
	for _, section := range append(sections, "auth") {
		if known[section] == "" {
			t.Errorf("[%s] was not asked for what it knows", section)
		}
		for key := range strings.SplitSeq(known[section], ", ") {
			if !slices.Contains(named[section], key) {
				t.Errorf("the reference does not name %s in [%s]", key, section)
			}
		}
	}
}

// TestWhatIsReadIsShown changes every field of a Config, one at a time: a field that String forgets
// is one that --check-config hides, and whose change a reload neither makes nor tells.
func TestWhatIsReadIsShown(t *testing.T) {
	const more = "user = \"ann\"\nhosts = [\"a\"]\nuid_mask = 1\nusers_file = \"/u\"\nhide = [\"::1\"]\n[[class]]\nname = \"c\"\nmark = 1\n" +
		"[metrics]\nlisten = [\"127.0.0.1:1\"]\n[roles.r]\nbase = \"viewer\"\n[tls]\ncert = \"/c\"\nkey = \"/k\"\nclient_ca = \"/a\"\n"
	for backend, text := range map[string]string{
		BackendFile: "[auth]\nbackend = \"file\"\nfile = \"/p\"\n[auth.roles]\nann = \"viewer\"\n",
		BackendLDAP: "[auth]\nbackend = \"ldap\"\n[auth.ldap]\nservers = [\"ldaps://d\"]\nserver_name = \"d\"\nca = \"/a\"\nbind_dn = \"cn=x\"\nbind_password_file = \"/b\"\n" +
			"base = \"dc=x\"\ngroup_base = \"dc=x\"\n[[auth.ldap.groups]]\ndn = \"cn=g,dc=x\"\nrole = \"viewer\"\n",
		BackendTLS:   "[auth]\nbackend = \"tls\"\n[auth.tls.users]\nx = \"y\"\n",
		BackendProxy: "[auth]\nbackend = \"proxy\"\n[auth.local.users]\nann = \"viewer\"\n[[auth.local.groups]]\ngroup = \"g\"\nrole = \"viewer\"\n[proxy]\nfrom = [\"uid:1\", \"192.0.2.1\"]\nclient_header = \"X-A\"\n",
	} {
		t.Run(backend, func(t *testing.T) {
			c, next := mustParse(t, more+text), mustParse(t, more+text)
			shown := c.String()
			// What another backend has is no part of this one's.
			others := map[string]string{BackendFile: "Auth.LegacySHA", BackendLDAP: "Auth.LDAP.", BackendTLS: "Auth.Certificate.", BackendProxy: "Proxy."}
			delete(others, backend)
			tried := 0
			eachField(reflect.ValueOf(next).Elem(), "", func(name string, field reflect.Value) {
				for _, other := range others {
					if strings.HasPrefix(name, other) {
						return
					}
				}
				before := reflect.New(field.Type()).Elem()
				before.Set(field)
				if !alter(field) {
					return
				}
				tried++
				if next.String() == shown {
					t.Errorf("%s is not shown", name)
				}
				now, changed, waiting := c.Follow(next)
				if left, done := differences(now, next), differences(c, now); !slices.Equal(left, waiting) || !slices.Equal(done, changed) {
					t.Errorf("%s: a reload says that %q changed and %q wait, and does %q and leaves %q", name, changed, waiting, done, left)
				}
				field.Set(before)
			})
			if tried < 30 || next.String() != shown {
				t.Errorf("%d fields were changed", tried)
			}
		})
	}
}

// eachField visits the fields below v that are no structs themselves, but for roles.
func eachField(v reflect.Value, prefix string, visit func(string, reflect.Value)) {
	for i := range v.NumField() {
		field, name := v.Field(i), prefix+v.Type().Field(i).Name
		if field.Kind() == reflect.Pointer && !field.IsNil() {
			field = field.Elem()
		}
		if _, role := field.Interface().(policy.Role); field.Kind() == reflect.Struct && !role && field.Type().PkgPath() != reflect.TypeFor[policy.RoleSet]().PkgPath() {
			eachField(field, name+".", visit)
			continue
		}
		visit(name, field)
	}
}

// alter makes a value another one, and says whether it could: what is empty stays so.
func alter(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 3_600_000_000_000)
	case reflect.Uint16, reflect.Uint32:
		v.SetUint(v.Uint() ^ 7)
	case reflect.String:
		if v.String() == "" {
			return false
		}
		v.SetString(v.String() + "x")
	case reflect.Slice, reflect.Map:
		if v.Len() == 0 {
			return false
		}
		v.SetZero()
	case reflect.Struct, reflect.Pointer: // a role; a section that is not there
		return false
	default:
		panic(fmt.Sprintf("a field of kind %s: alter has to learn it", v.Kind()))
	}
	return true
}
