package crawler_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"xinwen/crawler/source"
	"xinwen/crawler/websub"
)

// TestHubTellsOfNews subscribes to a feed at its hub: the hub's challenge is
// answered, a forged message does nothing, and a right one brings the news long
// before the next poll.
func TestHubTellsOfNews(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	feed := func(links ...string) {
		text := strings.Replace(rss(links...), "<title>", `<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="hub" href="http://hub.example/"/><atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="self" href="http://a.example/feed"/><title>`, 1)
		w.serveText("http://a.example/feed", "application/rss+xml", text)
	}
	feed("/1")
	w.article("http://a.example/1", "One")
	w.article("http://a.example/2", "Two")
	asked := make(chan url.Values, 4)
	w.handle("http://hub.example/", func(rw http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		asked <- r.PostForm
		rw.WriteHeader(http.StatusAccepted)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	o := options(w, b, demo("a", func(s *source.Source) { s.Feeds, s.Interval = []string{"http://a.example/feed"}, 24*time.Hour }))
	o.WebSub = websub.Config{Listen: address, PublicURL: "http://" + address + "/hook/"}
	c, ctx := run(t, o)
	var form url.Values
	select {
	case form = <-asked:
	case <-ctx.Done():
		t.Fatal("the hub was not asked")
	}
	if form.Get("hub.mode") != "subscribe" || form.Get("hub.topic") != "http://a.example/feed" || form.Get("hub.secret") == "" {
		t.Fatalf("got %v", form)
	}
	do := func(method, address, body, signature string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Hub-Signature", signature)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	callback := form.Get("hub.callback")
	question := func(topic string) string {
		return callback + "?" + url.Values{"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.challenge": {"c-1"}, "hub.lease_seconds": {"86400"}}.Encode()
	}
	if code, _ := do(http.MethodGet, question("http://evil.example/feed"), "", ""); code != http.StatusNotFound {
		t.Errorf("another topic: got %d", code)
	}
	if code, _ := do(http.MethodGet, strings.Replace(question("http://a.example/feed"), callback, "http://"+address+"/hook/guessed", 1), "", ""); code != http.StatusNotFound {
		t.Errorf("another path: got %d", code)
	}
	if code, text := do(http.MethodGet, question("http://a.example/feed"), "", ""); code != 200 || text != "c-1" {
		t.Fatalf("challenge: got %d, %q", code, text)
	}
	eventually(ctx, t, "first page", func() bool { return c.Report().Pages == 1 })
	feed("/2", "/1")
	polls := w.count("http://a.example/feed")
	for _, forged := range []string{"", "sha256=00", "sha256=" + strings.Repeat("00", 32), "md5=00"} {
		if code, _ := do(http.MethodPost, callback, "news", forged); code != http.StatusAccepted {
			t.Errorf("forged %q: got %d", forged, code)
		}
	}
	if n := w.count("http://a.example/feed"); n != polls {
		t.Errorf("a forged message made us poll")
	}
	mac := hmac.New(sha256.New, []byte(form.Get("hub.secret")))
	fmt.Fprint(mac, "news")
	began := time.Now()
	if code, _ := do(http.MethodPost, callback, "news", "sha256="+hex.EncodeToString(mac.Sum(nil))); code != http.StatusAccepted {
		t.Fatalf("got %d", code)
	}
	eventually(ctx, t, "news", func() bool { return c.Report().Pages == 2 })
	t.Logf("from the hub's message to the page: %v", time.Since(began).Round(time.Millisecond))
	if len(asked) != 0 {
		t.Errorf("the hub was asked again: %v", <-asked)
	}
}
