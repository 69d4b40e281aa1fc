package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestPagesOfTheDeskAnswer(t *testing.T) {
	f := start(t, nil)
	for path, want := range map[string]string{
		"/sources": "No source is being followed yet", "/pipeline": "ARTICLES", "/alerts": "高带宽存储", "/alerts/test?q=HBM": "query: HBM", "/deliveries": "Nothing has been told", "/help": "NEAR/10",
		"/entity/org:tsmc": "台積電",
	} {
		got := f.get(path)
		if got.status != http.StatusOK || !strings.Contains(got.body, want) {
			t.Errorf("%s: got %d %s, want a page with %q", path, got.status, got.body, want)
		}
		if csp := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self';") {
			t.Errorf("%s: got policy %q", path, csp)
		}
	}
}

func TestAlertIsSavedAndRemovedOnThePages(t *testing.T) {
	f := start(t, nil)
	send := func(path, form string) *answer {
		return f.do(http.MethodPost, path, form, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	}
	if got := send("/alerts/save", "q=%E5%8F%B0%E7%A7%AF%E7%94%B5+AND+%E6%B6%A8%E4%BB%B7&name=Prices"); got.status != http.StatusOK || !strings.Contains(got.body, "台积电 AND 涨价") {
		t.Errorf("got %+v, want the alert in the list", got)
	}
	if got := f.get("/v1/alerts/prices"); got.status != http.StatusOK {
		t.Errorf("got %+v, want the alert", got)
	}
	if got := send("/alerts/save", "q=%28%28"); got.status != http.StatusUnprocessableEntity && got.status != http.StatusBadRequest {
		t.Errorf("got %d, want the query refused", got.status)
	}
	if got := send("/alerts/change", "id=hbm&act=act-remove"); !strings.Contains(got.body, "comes from a file") {
		t.Errorf("got %+v, want that a file's alert stays", got)
	}
	if got := send("/alerts/change", "id=prices&act=act-mute"); !strings.Contains(got.body, ">muted<") {
		t.Errorf("got %+v, want the alert muted", got)
	}
	if got := send("/alerts/change", "id=prices&act=act-remove"); got.status != http.StatusOK || strings.Contains(got.body, "Prices") {
		t.Errorf("got %+v, want the alert gone", got)
	}
}

func TestForeignPagesCannotSendForms(t *testing.T) {
	f := start(t, nil)
	for _, path := range []string{"/alerts/save", "/alerts/change"} {
		if got := f.do(http.MethodPost, path, "q=HBM&id=hbm&act=act-off", "Content-Type", "application/x-www-form-urlencoded", "Origin", "https://elsewhere.example"); got.status != http.StatusForbidden {
			t.Errorf("%s: got %d from elsewhere, want 403", path, got.status)
		}
	}
	for _, path := range []string{"/pipeline/replay", "/deliveries/replay"} {
		if got := f.do(http.MethodPost, path, "which=all", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
			t.Errorf("%s: got %d from elsewhere, want 403", path, got.status)
		}
		if got := f.do(http.MethodPost, path, "which=all", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin", "Accept", "text/html"); got.status != http.StatusOK {
			t.Errorf("%s: got %d from our own page, want the page it leads to", path, got.status)
		}
	}
}
