package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/simweb"
	"xinwen/news"
)

// send sends a JSON request and reads the answer into v, if that is not nil.
func send(t *testing.T, c *run.Client, method, path string, in, v any) int {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if v != nil {
		if err := json.Unmarshal(answer, v); err != nil {
			t.Fatalf("%s %s: %d: %v in %s", method, path, res.StatusCode, err, answer)
		}
	}
	return res.StatusCode
}

func TestSourceIsFoundFollowedAndSwitchedOff(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls a site of the demo web")
	}
	web := startWeb(t, simweb.Options{})
	// Nothing is followed at first.
	s := prepare(t, web, simweb.SourceOptions{Keep: func(string) bool { return false }})
	c := start(t, s)
	site := web.Articles()[0]
	home := strings.Join(strings.SplitAfter(site.URL, "/")[:3], "")
	var d news.Discovery
	c.Until(demoTime, func() string {
		if status := send(t, c, http.MethodPost, "/v1/sources:discover", map[string]string{"url": home}, &d); status != http.StatusOK {
			return fmt.Sprintf("discovery: status %d", status)
		}
		if len(d.Candidates) == 0 { // the crawler may not own the host yet
			return fmt.Sprintf("nothing is found: %v", d.Remarks)
		}
		return ""
	})
	if len(d.Candidates) == 0 || d.Candidates[0].Tier != news.TierOK || len(d.Candidates[0].Titles) == 0 {
		t.Fatalf("at %s: got %+v", home, d)
	}
	var added struct{ ID, Definition string }
	if status := send(t, c, http.MethodPost, "/v1/sources", news.SourceDraft{URL: d.Home, ID: "found", Name: d.Name, Lang: d.Lang, Script: d.Script, Ways: []news.Way{d.Candidates[0].Way}}, &added); status != http.StatusCreated || added.ID != "found" {
		t.Fatalf("got %d, %+v", status, added)
	}
	c.Until(demoTime, func() string {
		if c.Count() == 0 {
			return "no article of the added source is found"
		}
		if st := c.Sources()["found"]; !st.Added || st.Status != news.SourceOK {
			return fmt.Sprintf("state of the source: %+v", st)
		}
		return ""
	})
	if status := send(t, c, http.MethodPatch, "/v1/sources/found", map[string]bool{"enabled": false}, nil); status != http.StatusOK {
		t.Errorf("switch off: got %d", status)
	}
	c.Until(demoTime, func() string {
		if st := c.Sources()["found"]; st.Status != news.SourceDisabled {
			return fmt.Sprintf("state of the source: %+v", st)
		}
		return ""
	})
	var v news.Verification
	if status := send(t, c, http.MethodPost, "/v1/sources/found:verify", nil, &v); status != http.StatusOK || v.Tier != news.TierOK {
		t.Errorf("verify: got %d, %+v", status, v)
	}
	if status := send(t, c, http.MethodDelete, "/v1/sources/found", nil, nil); status != http.StatusNoContent {
		t.Errorf("remove: got %d", status)
	}
	c.Until(demoTime, func() string {
		if n := len(c.Sources()); n != 0 {
			return fmt.Sprintf("%d sources are left", n)
		}
		return ""
	})
	// What lies in the operator's network is not shown to anybody.
	var refused struct{ Detail string }
	began := time.Now()
	if status := send(t, c, http.MethodPost, "/v1/sources", news.SourceDraft{URL: "http://127.0.0.1:1/"}, &refused); status != http.StatusBadRequest {
		t.Errorf("an address of this machine: got %d after %s, %+v", status, time.Since(began), refused)
	}
}
