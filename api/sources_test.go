package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"xinwen/news"
	"xinwen/news/bus"
)

// crawlerOf answers what a crawler does about sources, over the real bus.
func crawlerOf(t *testing.T, b *bus.Bus) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- b.Serve(ctx, bus.ServiceConfig{Name: "crawler", Workers: 2, Timeout: time.Minute, Endpoints: map[string]bus.Answerer{
			bus.SubjectDiscover: func(_ context.Context, request []byte) (any, error) {
				var w news.Way
				err := json.Unmarshal(request, &w)
				if strings.Contains(w.URL, "127.0.0.1") {
					return nil, &bus.Refusal{Status: 400, Message: "127.0.0.1 is not a public address", Advice: "Check the address."}
				}
				return news.Discovery{URL: w.URL, ID: "found", Candidates: []news.Probe{{Way: news.Way{Kind: news.WayFeed, URL: w.URL + "rss"}, Tier: news.TierOK, Items: 3}}}, err
			},
			bus.SubjectDefine: func(_ context.Context, request []byte) (any, error) {
				var d news.SourceDraft
				err := json.Unmarshal(request, &d)
				return news.SourceChange{Version: news.Version, ID: d.ID, Definition: "id: " + d.ID + "\nfeeds: [" + d.URL + "]\n"}, err
			},
			bus.SubjectVerify: func(_ context.Context, request []byte) (any, error) {
				var id string
				err := json.Unmarshal(request, &id)
				return news.Verification{ID: id, Tier: news.TierStale}, err
			},
		}})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	var v news.Verification
	for errors.Is(b.Ask(ctx, bus.SubjectVerify, "x", &v), bus.ErrUnanswered) && ctx.Err() == nil {
		continue // not known to the server yet
	}
}

func TestSourcesAreAddedSwitchedAndRemoved(t *testing.T) {
	f := start(t, nil)
	f.problem(f.do(http.MethodPost, "/v1/sources:discover", `{"url":"https://news.example/"}`), http.StatusServiceUnavailable)
	crawlerOf(t, f.bus)
	var d news.Discovery
	f.do(http.MethodPost, "/v1/sources:discover", `{"url":"https://news.example/"}`).json(t, &d)
	if d.ID != "found" || len(d.Candidates) != 1 || d.Candidates[0].URL != "https://news.example/rss" {
		t.Errorf("got %+v", d)
	}
	if p := f.problem(f.do(http.MethodPost, "/v1/sources:discover", `{"url":"http://127.0.0.1/"}`), http.StatusBadRequest); !strings.Contains(p.Detail, "public") || p.Hint == "" {
		t.Errorf("got %+v", p)
	}
	var v news.Verification
	f.do(http.MethodPost, "/v1/sources/news-1:verify", "").json(t, &v)
	if v.ID != "news-1" || v.Tier != news.TierStale {
		t.Errorf("got %+v", v)
	}
	f.problem(f.do(http.MethodPost, "/v1/sources/news-1", ""), http.StatusNotFound)

	stored := func(id string) *news.SourceChange {
		t.Helper()
		e, err := f.bus.KV(bus.KVSourceChanges).Get(t.Context(), bus.Key(id))
		if err != nil {
			return nil
		}
		c, err := news.ParseSourceChange(e.Value())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	add := f.do(http.MethodPost, "/v1/sources", `{"url":"https://news.example/rss","id":"added"}`)
	if add.status != http.StatusCreated || add.header.Get("Location") != "/v1/sources/added" || !strings.Contains(add.body, "id: added") {
		t.Errorf("got %+v", add)
	}
	if c := stored("added"); c == nil || c.Definition == "" || c.Enabled != nil || c.At.IsZero() {
		t.Errorf("got %+v", c)
	}
	f.problem(f.do(http.MethodPost, "/v1/sources", `{"url":"https://news.example/rss","id":"added"}`), http.StatusConflict)
	f.problem(f.do(http.MethodPost, "/v1/sources", `{}`), http.StatusBadRequest)
	f.problem(f.do(http.MethodPost, "/v1/sources", `{"url":"x","lang":"fr"}`), http.StatusUnprocessableEntity)

	// Of the file: the crawler tells its state.
	data, err := json.Marshal(news.SourceState{Version: news.Version, ID: "filed", Enabled: true, Status: news.SourceOK})
	if err == nil {
		_, err = f.bus.KV(bus.KVSources).Put(t.Context(), bus.Key("filed"), data)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, enabled := range []string{"false", "true"} {
		for _, id := range []string{"filed", "added"} {
			a := f.do(http.MethodPatch, "/v1/sources/"+id, `{"enabled":`+enabled+`}`)
			if c := stored(id); a.status != http.StatusOK || c == nil || c.Enabled == nil || *c.Enabled != (enabled == "true") {
				t.Errorf("%s to %s: got %+v, %+v", id, enabled, a, c)
			}
		}
	}
	if c := stored("added"); c.Definition == "" {
		t.Error("switching took the definition away")
	}
	f.problem(f.do(http.MethodPatch, "/v1/sources/nobody", `{"enabled":true}`), http.StatusNotFound)
	f.problem(f.do(http.MethodDelete, "/v1/sources/filed", ""), http.StatusConflict)
	f.problem(f.do(http.MethodDelete, "/v1/sources/nobody", ""), http.StatusNotFound)
	if a := f.do(http.MethodDelete, "/v1/sources/added", ""); a.status != http.StatusNoContent || stored("added") != nil {
		t.Errorf("got %+v", a)
	}
	if a := f.do(http.MethodPost, "/v1/sources", `{"url":"https://news.example/rss","id":"added"}`); a.status != http.StatusCreated {
		t.Errorf("again after it was removed: got %+v", a)
	}
}
