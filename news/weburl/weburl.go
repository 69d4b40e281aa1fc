package weburl

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net"
	"strings"

	whatwgerrors "github.com/nlnwa/whatwg-url/errors"
	whatwg "github.com/nlnwa/whatwg-url/url"
	"golang.org/x/net/publicsuffix"
)

// ErrNotWeb says that an address is not one of the web (http or https).
var ErrNotWeb = errors.New("not an http or https URL")

// importPrefix begins the URL of an imported article that has none.
const importPrefix = "urn:import:"

// maxLength is the longest address accepted, in bytes.
const maxLength = 8 << 10

// parser escapes a percent sign that begins no escape.
var parser = whatwg.NewParser(whatwg.WithPercentEncodeSinglePercentSign())

// Canonical returns the canonical form of an absolute http or https URL. The
// URN of an import is returned as it is.
func Canonical(raw string) (string, error) {
	if strings.HasPrefix(raw, importPrefix) && len(raw) > len(importPrefix) {
		return raw, nil
	}
	if isPlain(raw) {
		return raw, nil
	}
	return Resolve("", raw)
}

// Resolve returns the canonical form of ref as a link on the page base.
func Resolve(base, ref string) (string, error) {
	if len(ref) > maxLength {
		return "", fmt.Errorf("URL of %d bytes is longer than %d", len(ref), maxLength)
	}
	var u *whatwg.Url
	var err error
	if base == "" {
		u, err = parser.Parse(ref)
	} else {
		u, err = parser.ParseRef(base, ref)
	}
	if err != nil {
		return "", fmt.Errorf("URL %q: %w", ref, fault(err))
	}
	scheme := strings.TrimSuffix(u.Protocol(), ":")
	if scheme != "http" && scheme != "https" {
		return "", fmt.Errorf("URL %q: %w", ref, ErrNotWeb)
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	if host == "" || strings.HasSuffix(host, ".") {
		return "", fmt.Errorf("URL %q has no host", ref)
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	var b strings.Builder
	b.WriteString(scheme)
	b.WriteString("://")
	b.WriteString(host)
	b.WriteString(canonicalPath(u.Pathname()))
	if query := canonicalQuery(strings.TrimPrefix(u.Search(), "?")); query != "" {
		b.WriteByte('?')
		b.WriteString(query)
	}
	return b.String(), nil
}

// fault returns what the parser found wrong, in as few words as it has.
func fault(err error) error {
	kind := whatwgerrors.Type(err)
	if kind == "" || kind == whatwgerrors.MissingSchemeNonRelativeURL {
		return ErrNotWeb
	}
	return errors.New(string(kind))
}

// ID returns the ID of the page with this canonical URL: 24 lower-case
// letters and digits (base32 of the first 15 bytes of the SHA-256). http and
// https are the same page.
func ID(canonical string) string {
	address := canonical
	if rest, ok := strings.CutPrefix(address, "http://"); ok {
		address = "https://" + rest
	}
	sum := sha256.Sum256([]byte(address))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:15]))
}

// Host returns the host of a canonical URL, with the port if it has one, ""
// for a URN.
func Host(canonical string) string {
	_, rest, ok := strings.Cut(canonical, "://")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

// RegistrableDomain returns the part of a host that its owner registered, such
// as example.com.cn for news.example.com.cn. For IP addresses and names that
// are public suffixes themselves it is the host; a port is left out.
func RegistrableDomain(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if net.ParseIP(host) != nil {
		return host
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	return domain
}

// SamePage returns the canonical form of candidate, an address that page gives
// for itself (rel=canonical, AMP or mobile twin), and whether to believe it. It
// must be of the same registrable domain, and not the site's front page, which
// careless templates name on every page.
func SamePage(page, candidate string) (string, bool) {
	if strings.TrimSpace(candidate) == "" {
		return "", false
	}
	url, err := Resolve(page, candidate)
	if err != nil || RegistrableDomain(Host(url)) != RegistrableDomain(Host(page)) {
		return "", false
	}
	if isFront(url) && !isFront(page) {
		return "", false
	}
	return url, true
}

// isFront reports whether a canonical URL is that of a front page.
func isFront(canonical string) bool {
	_, rest, _ := strings.Cut(canonical, "://")
	_, path, ok := strings.Cut(rest, "/")
	if !ok {
		return true
	}
	switch strings.ToLower(path) {
	case "", "index.html", "index.htm", "index.php", "index.shtml", "index.jsp", "default.aspx", "m/", "amp/":
		return true
	}
	return false
}
