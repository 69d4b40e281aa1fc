package simweb_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"xinwen/deploy/simweb"
)

func TestVolumeSitesAreJudged(t *testing.T) {
	w, err := simweb.New(simweb.Options{NoDemo: true, Volume: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	get := func(path string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.Addr()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = simweb.VolumeHost(1)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if code, body := get("/feed.xml"); code != 200 || strings.Count(body, "<item>") != 21 {
		t.Errorf("feed: got %d, %s", code, body)
	}
	for path, want := range map[string]int{"/page/1": 200, "/away/6": 302, "/from/x": 200, "/private/draft": 200, "/else": 404} {
		if code, _ := get(path); code != want {
			t.Errorf("%s: got %d, want %d", path, code, want)
		}
	}
	if got := w.Log().Impolite(time.Hour); len(got) != 5 || got[0].Host != simweb.VolumeHost(1) {
		t.Errorf("got %v, want every request but the first", got)
	}
	if got := w.Log().Disallowed(); len(got) != 1 {
		t.Errorf("got %v, want the draft", got)
	}
}
