// SPDX-License-Identifier: GPL-2.0-or-later

package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"nuconntrack/policy/strict"
)

// credentialPrefix marks a file as a credential of systemd.exec(5).
const credentialPrefix = "credential:"

// Path returns the path of a file as the configuration names it: the path itself, or, for
// "credential:NAME", that of the credential which systemd passes to the daemon. It fails only where
// systemd passes none.
func Path(name string) (string, error) {
	credential, ok := strings.CutPrefix(name, credentialPrefix)
	if !ok {
		return name, nil
	}
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("%s: systemd passes no credentials (LoadCredential= in the service)", name)
	}
	return filepath.Join(dir, credential), nil
}

// checkFile refuses what names no file.
func checkFile(t strict.Table, key, name string) {
	if !t.Has(key) {
		return
	}
	if err := fileName(name); err != nil {
		t.Fail(key, "%s %v", strict.Quote(name), err)
	}
}

// checkSecretFile is checkFile for what holds a secret: who writes the secret itself there, instead
// of a file, must not find it in the log.
func checkSecretFile(t strict.Table, key, name string) {
	if !t.Has(key) {
		return
	}
	if err := fileName(name); err != nil {
		t.Fail(key, "what stands there %v", err)
	}
}

func fileName(name string) error {
	credential, ok := strings.CutPrefix(name, credentialPrefix)
	switch {
	case strings.ContainsRune(name, 0):
		return errors.New("is not an absolute path")
	case ok && (credential == "" || credential == "." || credential == ".." || strings.Contains(credential, "/")):
		return errors.New("is not the name of a credential")
	case !ok && !filepath.IsAbs(name):
		return errors.New("is not an absolute path, nor \"credential:\" and the name of one")
	}
	return nil
}
