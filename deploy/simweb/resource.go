package simweb

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// resource is what one path answers, ready to be sent.
type resource struct {
	kind        string // as in Request.Kind
	status      int    // 0 means 200
	contentType string // sent as it is; "" sends none
	location    string // for redirects
	body        []byte
	file        string // read at each request when body is nil
	modified    time.Time
	validators  validators
	gzip        bool
	fault       string
}

// validators say which of ETag and Last-Modified a site sends.
type validators string

const (
	validateBoth     validators = "both"
	validateETag     validators = "etag"
	validateWeak     validators = "weak"
	validateModified validators = "modified"
	validateNone     validators = "none"
)

func (r *resource) serve(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	if r.location != "" {
		h.Set("Location", r.location)
		w.WriteHeader(r.status)
		return
	}
	body := r.body
	if body == nil && r.file != "" {
		var err error
		if body, err = os.ReadFile(r.file); err != nil {
			http.Error(w, "the saved page cannot be read: "+err.Error(), http.StatusInternalServerError)
			return
		}
	}
	if r.contentType != "" {
		h.Set("Content-Type", r.contentType)
	} else {
		h["Content-Type"] = nil // or net/http would guess one
	}
	tag := r.etag(body)
	if tag != "" {
		h.Set("ETag", tag)
	}
	if r.sendsModified() {
		h.Set("Last-Modified", r.modified.UTC().Format(http.TimeFormat))
	}
	if r.status == 0 && r.unchanged(req, tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.gzip && strings.Contains(req.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = compress(body)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	if req.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that left is its own affair
	}
}

func (r *resource) etag(body []byte) string {
	switch r.validators {
	case validateBoth, validateETag, validateWeak:
		sum := sha256.Sum256(body)
		tag := `"` + hex.EncodeToString(sum[:8]) + `"`
		if r.validators == validateWeak {
			return "W/" + tag
		}
		return tag
	}
	return ""
}

func (r *resource) sendsModified() bool {
	return (r.validators == validateBoth || r.validators == validateModified) && !r.modified.IsZero()
}

// unchanged applies the request's validators: If-None-Match wins.
func (r *resource) unchanged(req *http.Request, tag string) bool {
	if inm := req.Header.Get("If-None-Match"); inm != "" {
		for t := range strings.SplitSeq(inm, ",") {
			t = strings.TrimSpace(t)
			if t == "*" || tag != "" && strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(req.Header.Get("If-Modified-Since"))
	return err == nil && r.sendsModified() && !r.modified.Truncate(time.Second).After(since)
}

func compress(b []byte) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, _ = z.Write(b) // a bytes.Buffer takes everything
	_ = z.Close()
	return buf.Bytes()
}
