package weburl

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

// TestWebPlatformCases runs the URL cases of the Web Platform Tests through the
// parser that this package uses: all whose result is an http or https address, and
// all that must fail.
func TestWebPlatformCases(t *testing.T) {
	data, err := os.ReadFile("../../../shared/data/crawl/url-wpt/urltestdata.json")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the Web Platform Tests are not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatal(err)
	}
	web, failures := 0, 0
	for _, r := range raw {
		var c struct {
			Input, Href, Protocol, Hostname, Port, Pathname, Search, Hash string
			Base                                                          *string
			Failure                                                       bool
		}
		if json.Unmarshal(r, &c) != nil {
			continue // a comment
		}
		base := ""
		if c.Base != nil {
			base = *c.Base
		}
		if c.Failure {
			failures++
			if got, err := Resolve(base, c.Input); err == nil {
				t.Errorf("%q on %q: got %s, want an error", c.Input, base, got)
			}
			continue
		}
		if c.Protocol != "http:" && c.Protocol != "https:" {
			continue
		}
		web++
		parse := func() (href, path, search string, err error) {
			u, err := parser.Parse(c.Input)
			if base != "" {
				u, err = parser.ParseRef(base, c.Input)
			}
			if err != nil {
				return "", "", "", err
			}
			return u.Href(false), u.Pathname(), u.Search(), nil
		}
		href, path, search, err := parse()
		if err != nil {
			t.Errorf("%q on %q: %v", c.Input, base, err)
			continue
		}
		// A percent sign that begins no escape is written as one here.
		if stray(c.Pathname+c.Search+c.Hash) && strings.ReplaceAll(href, "%25", "%") == strings.ReplaceAll(c.Href, "%25", "%") {
			continue
		}
		if href != c.Href || path != c.Pathname || search != c.Search {
			t.Errorf("%q on %q: got %s, want %s", c.Input, base, href, c.Href)
		}
		if got, err := Resolve(base, c.Input); err == nil {
			if again, err := Canonical(got); err != nil || again != got {
				t.Errorf("%q: canonical form %s becomes %s, %v", c.Input, got, again, err)
			}
		}
	}
	t.Logf("%d http and https cases, %d failures", web, failures)
}

// stray reports whether s has a percent sign that begins no escape.
func stray(s string) bool {
	for i := range len(s) {
		if s[i] == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])) {
			return true
		}
	}
	return false
}
