package ui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

// asset is a file that pages load.
type asset struct {
	body, zipped []byte
	contentType  string
	version      string
}

// contentTypes are the kinds of files below static; others are not served.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
}

// assets reads the files below static, by their address there.
func assets() (map[string]asset, error) {
	list := make(map[string]asset)
	err := fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		contentType := contentTypes[path.Ext(name)]
		if err != nil || d.IsDir() || contentType == "" {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		var zipped bytes.Buffer
		z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := z.Write(body); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		list[strings.TrimPrefix(name, "static/")] = asset{body, zipped.Bytes(), contentType, hex.EncodeToString(sum[:6])}
		return nil
	})
	return list, err
}

// address returns where a browser finds a file, whatever it has kept of an older
// one.
func (u *UI) address(name string) (string, error) {
	a, ok := u.static[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return "/static/" + name + "?v=" + a.version, nil
}

func (u *UI) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := u.static[r.PathValue("name")]
	if !ok {
		u.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "public, max-age=86400")
	if r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := a.body
	if zips(r) {
		h.Set("Content-Encoding", "gzip")
		body = a.zipped
	}
	_, _ = w.Write(body) // the client has gone
}

// zips reports whether the client of r takes gzip.
func zips(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.TrimSpace(name) == "gzip" {
			return strings.Trim(strings.TrimPrefix(strings.TrimSpace(weight), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}

var zippers = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// send writes a page, small where the client takes it so. (A page has no secret
// that its length could give away.)
func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if !zips(r) {
		w.WriteHeader(status)
		_, _ = w.Write(body) // the client has gone
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(w)
	_, _ = z.Write(body) // as above
	_ = z.Close()
}
