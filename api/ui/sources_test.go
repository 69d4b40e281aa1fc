package ui

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/api/auth"
	"xinwen/api/internal/memory"
	"xinwen/api/problem"
	"xinwen/news"
)

// sourceTable is the part of a table that is about sources.
type sourceTable struct {
	found    *news.Discovery
	probed   *news.Verification
	added    []news.SourceDraft
	done     []string
	sourceNo error // what everything of it answers
}

func (d *sourceTable) Discover(_ context.Context, address string) (*news.Discovery, error) {
	d.done = append(d.done, "discover "+address)
	return d.found, d.sourceNo
}

func (d *sourceTable) VerifySource(_ context.Context, id string) (*news.Verification, error) {
	d.done = append(d.done, "verify "+id)
	return d.probed, d.sourceNo
}

func (d *sourceTable) AddSource(_ context.Context, draft news.SourceDraft) (string, error) {
	d.added = append(d.added, draft)
	return draft.ID, d.sourceNo
}

func (d *sourceTable) SwitchSource(_ context.Context, id string, on bool) error {
	d.done = append(d.done, map[bool]string{true: "on ", false: "off "}[on]+id)
	return d.sourceNo
}

func (d *sourceTable) RemoveSource(_ context.Context, id string) error {
	d.done = append(d.done, "remove "+id)
	return d.sourceNo
}

func TestSourcesPage(t *testing.T) {
	now := time.Now()
	h := newDesk(t, &memory.Index{}, &table{sources: []news.SourceState{
		{ID: "a", Name: "Alpha", URL: "https://a.example/", Status: news.SourceOK, LastSuccess: now.Add(-5 * time.Minute), NewestEntry: now.Add(-3 * time.Hour), Items: 40, New: 2, Articles: 1234},
		{ID: "b", Name: "Beta", Status: news.SourceFailing, LastError: "connection refused", Hint: "is the address right?", Failures: 3},
	}})
	body := get(t, h, "/sources").Body.String()
	for _, want := range []string{"Alpha", "5 min ago", "3 h ago", "1,234", "connection refused", "is the address right?", "3 times in a row", `href="/sources?status=failing"`, `href="/?source=a"`, "never"} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if strings.Index(body, "Beta") > strings.Index(body, "Alpha") {
		t.Error("got the failing source last, want it first")
	}
	if body := get(t, h, "/sources?status=failing").Body.String(); strings.Contains(body, "Alpha") || !strings.Contains(body, "Beta") {
		t.Error("got other sources than those asked for")
	}
}

// asAdmin lets an administrator ask h.
func asAdmin(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(auth.WithViewer(r.Context(), auth.Viewer{Name: "desk", Role: auth.Admin})))
	})
}

func TestSourcesPageShowsWhatIsThereToFollow(t *testing.T) {
	d := &table{}
	d.found = &news.Discovery{
		URL: "https://news.example/", Home: "https://news.example/", ID: "news", Name: hostile, Lang: "zh", Script: "Hans", Followed: "old",
		Candidates: []news.Probe{
			{Way: news.Way{Kind: news.WayFeed, URL: "https://news.example/dead"}, Tier: news.TierBad, Status: news.SourceFailing, Error: "it is gone", Hint: "look elsewhere"},
			{Way: news.Way{Kind: news.WayFeed, URL: "https://news.example/rss"}, Tier: news.TierOK, Status: news.SourceOK, Items: 20, Titles: []string{"芯片涨价"}, Hub: "https://hub.example/"},
			{Way: news.Way{Kind: news.WayListPage, URL: "https://news.example/"}, Tier: news.TierOK, Status: news.SourceOK, Items: 9},
		},
		Remarks: []string{"robots.txt was not read"},
	}
	h := asAdmin(newDesk(t, &memory.Index{}, d))
	body := post(t, h, "/sources/discover", url.Values{"url": {" news.example "}}).Body.String()
	inert(t, body)
	for _, want := range []string{
		`value="news.example"`, "Found at https://news.example/", "followed already, as old", "芯片涨价", "20 entries", "it is gone", "look elsewhere", "WebSub", "robots.txt was not read",
		`name="way" value="feed https://news.example/rss" checked`, `name="way" value="list_page https://news.example/">`, `action="/sources/add" method="post"`, `name="id" maxlength="64" pattern="[a-z0-9]+(-[a-z0-9]+)*" value="news"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	d.found = &news.Discovery{URL: "https://bare.example/"}
	if body := post(t, h, "/sources/discover", url.Values{"url": {"bare.example"}}).Body.String(); !strings.Contains(body, "Nothing to follow was found") {
		t.Error("got no word that nothing was found")
	}
}

func TestSourcesPageChanges(t *testing.T) {
	d := &table{sources: []news.SourceState{{ID: "a", Name: "Alpha", Status: news.SourceOK, Lag: news.Duration(7 * time.Minute)}, {ID: "b", Name: "Beta", Status: news.SourceDisabled, Reason: "switched off by desk", Added: true, ChangedBy: "desk"}}}
	d.probed = &news.Verification{ID: "a", Name: "Alpha", Tier: news.TierStale, Ways: []news.Probe{{Way: news.Way{Kind: news.WayFeed, URL: "https://a.example/rss"}, Tier: news.TierStale, Status: news.SourceStale, Items: 3}}, Found: []news.Way{{Kind: news.WaySitemap, URL: "https://a.example/map.xml"}}}
	h := asAdmin(newDesk(t, &memory.Index{}, d))
	body := get(t, h, "/sources").Body.String()
	for _, want := range []string{
		"7 min", `<input type="hidden" name="id" value="a">`, `name="act" value="act-off"`, `name="act" value="act-on"`, `name="act" value="act-remove"`,
		"switched off by desk", "changed by desk",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if strings.Count(body, `value="act-remove"`) != 1 {
		t.Error("a source of the file can be removed, want only the one that was added")
	}
	if reader := get(t, newDesk(t, &memory.Index{}, d), "/sources").Body.String(); strings.Contains(reader, "<form action=\"/sources") || strings.Contains(reader, "source-url") {
		t.Error("somebody who may only read sees the forms")
	}
	for _, tc := range []struct {
		path string
		form url.Values
		to   string
		said string
	}{
		{"/sources/change", url.Values{"id": {"a"}, "act": {"act-off"}}, "/sources?said=source-off", "switched off"},
		{"/sources/change", url.Values{"id": {"b"}, "act": {"act-on"}}, "/sources?said=source-on", "switched on"},
		{"/sources/change", url.Values{"id": {"b"}, "act": {"act-remove"}}, "/sources?said=source-removed", "followed no longer"},
		{"/sources/add", url.Values{"url": {"https://n.example/"}, "id": {"n"}, "name": {"N"}, "lang": {"zh"}, "script": {"Hans"}, "way": {"feed https://n.example/rss", "list_page https://n.example/"}}, "/sources?said=source-added", "followed from now on"},
		{"/sources/change", url.Values{"id": {"b"}, "act": {"act-mute"}}, "", ""},
		{"/sources/add", url.Values{"url": {"https://n.example/"}, "way": {"feed"}}, "", ""},
	} {
		w := post(t, h, tc.path, tc.form)
		if to := w.Header().Get("Location"); to != tc.to {
			t.Errorf("%s %v: got %d to %q, want %q", tc.path, tc.form, w.Code, to, tc.to)
		}
		if tc.to == "" && w.Code != http.StatusBadRequest {
			t.Errorf("%s %v: got %d, want 400", tc.path, tc.form, w.Code)
		}
		if tc.said != "" && !strings.Contains(get(t, h, tc.to).Body.String(), tc.said) {
			t.Errorf("%s: got a page that does not say %q", tc.to, tc.said)
		}
	}
	if w := post(t, h, "/sources/add", url.Values{"url": {"https://n.example/"}}); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "at least one way") {
		t.Errorf("got %d without a way chosen", w.Code)
	}
	probed := post(t, h, "/sources/verify", url.Values{"id": {"a"}}).Body.String()
	for _, want := range []string{"Alpha, asked just now", "nothing new for long", "3 entries", "https://a.example/map.xml"} {
		if !strings.Contains(probed, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	want := []string{"off a", "on b", "remove b", "verify a"}
	if diff := cmp.Diff(want, d.done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	if len(d.added) != 1 || d.added[0].Script != "Hans" || len(d.added[0].Ways) != 2 || d.added[0].Ways[1] != (news.Way{Kind: "list_page", URL: "https://n.example/"}) {
		t.Errorf("added %+v", d.added)
	}
	// What cannot be done is said on the page itself.
	d.sourceNo = problem.New(http.StatusServiceUnavailable, "No crawler answers.", "See that one runs.")
	for path, form := range map[string]url.Values{
		"/sources/discover": {"url": {"x"}}, "/sources/verify": {"id": {"a"}}, "/sources/change": {"id": {"a"}, "act": {"act-off"}}, "/sources/add": {"url": {"x"}, "way": {"feed x"}},
	} {
		w := post(t, h, path, form)
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "No crawler answers. See that one runs.") {
			t.Errorf("%s: got %d, want 503 with the reason", path, w.Code)
		}
	}
}
