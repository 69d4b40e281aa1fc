package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestPagesOfTheDeskAnswer(t *testing.T) {
	f := start(t, nil)
	for path, want := range map[string]string{
		"/sources": "There is no such source", "/pipeline": "ARTICLES", "/alerts": "高带宽存储", "/alerts/test?q=HBM": "query: HBM", "/deliveries": "Nothing has been told", "/help": "NEAR/10",
		"/entity/org:tsmc": "台積電",
	} {
		got := f.get(path)
		if got.status != http.StatusOK || !strings.Contains(got.body, want) {
			t.Errorf("%s: got %d %s, want a page with %q", path, got.status, got.body, want)
		}
		if csp := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self';") {
			t.Errorf("%s: got policy %q", path, csp)
		}
	}
}

func TestForeignPagesCannotReplay(t *testing.T) {
	f := start(t, nil)
	for _, path := range []string{"/pipeline/replay", "/deliveries/replay"} {
		if got := f.do(http.MethodPost, path, "which=all", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
			t.Errorf("%s: got %d from elsewhere, want 403", path, got.status)
		}
		if got := f.do(http.MethodPost, path, "which=all", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "Accept", "text/html"); got.status != http.StatusOK {
			t.Errorf("%s: got %d from our own page, want the page it leads to", path, got.status)
		}
	}
}
