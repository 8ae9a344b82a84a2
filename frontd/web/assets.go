// SPDX-License-Identifier: GPL-2.0-or-later

package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed assets
var assetFiles embed.FS

// asset is a file of the page that is the same for everybody.
type asset struct {
	name, kind string
	data       []byte
}

// hashLength is how much of a file's hash stands in its address, in hexadecimal digits: a
// changed file has another address, so that browsers may keep it for ever.
const hashLength = 16

// readAssets gives the files by their paths.
func readAssets() (map[string]asset, error) {
	kinds := map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	all := make(map[string]asset)
	for _, e := range entries {
		data, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		ext := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:])[:hashLength] + ext
		all[pathAssets+hashed] = asset{e.Name(), kinds[ext], data}
	}
	return all, nil
}

// assetPath is where a file is.
func (s *Server) assetPath(name string) string {
	for p, a := range s.assets {
		if a.name == name {
			return p
		}
	}
	return ""
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", a.kind)
	h.Set("Content-Length", strconv.Itoa(len(a.data)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.data) // a client that went away
	}
}
