// SPDX-License-Identifier: GPL-2.0-or-later

package profile

import "fmt"

// Layer is where settings come from, such as the command line.
type Layer struct {
	Name   string // for people
	Values map[string]string
}

// Value is a setting that holds, and the name of its layer.
type Value struct {
	Text, From string
}

// Settings are what holds, by the names of Keys; what is not set is not in it.
type Settings map[string]Value

// Text is a setting's value, empty if it is not set.
func (s Settings) Text(name string) string { return s[name].Text }

// Resolve finds what holds, with the layers that go before others first.
//
// There is one password: a layer that has a file or a command hides those of the layers behind
// it. The password of a layer that names a user is for that user alone, and is left out when
// another user was named before it. Likewise a certificate's key is not taken from behind the
// layer that has the certificate.
func Resolve(layers []Layer) (Settings, error) {
	s := Settings{}
	hasCert := false
	for _, l := range layers {
		for _, k := range Keys() {
			text, ok := l.Values[k.Name]
			_, taken := s[k.Name]
			if ok && !taken && !k.password() && (k.Name != KeyFile || !hasCert) {
				s[k.Name] = Value{text, l.Name}
			}
		}
		_, hasCert = s[CertFile]
	}
	for _, l := range layers {
		file, hasFile := l.Values[PasswordFile]
		command, hasCommand := l.Values[PasswordCommand]
		if hasFile && hasCommand {
			return nil, fmt.Errorf("%s: a password file and a password command exclude each other", l.Name)
		}
		if user, ok := l.Values[User]; ok && user != s.Text(User) {
			continue
		}
		if hasFile {
			s[PasswordFile] = Value{file, l.Name}
			return s, nil
		}
		if hasCommand {
			s[PasswordCommand] = Value{command, l.Name}
			return s, nil
		}
	}
	return s, nil
}
