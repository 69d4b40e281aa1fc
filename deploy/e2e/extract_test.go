package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"xinwen/deploy/simweb"
	"xinwen/extractor"
	"xinwen/news"
	"xinwen/news/weburl"
)

// fetcher gets pages of a simulated web without a crawler.
func fetcher(t *testing.T, web *simweb.Web) func(url string) *news.Page {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, web.Addr())
		},
	}}
	t.Cleanup(client.CloseIdleConnections)
	return func(url string) *news.Page {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return &news.Page{
			Version: news.Version, ID: weburl.ID(url), URL: url, Status: res.StatusCode,
			ContentType: res.Header.Get("Content-Type"), Fetched: time.Now().UTC(), Body: body,
		}
	}
}

func startWeb(t *testing.T, o simweb.Options) *simweb.Web {
	t.Helper()
	web, err := simweb.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := web.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := web.Close(); err != nil {
			t.Error(err)
		}
	})
	return web
}

// TestPagesAloneTellTheirArticle extracts every demo page without what its feed
// says of it.
func TestPagesAloneTellTheirArticle(t *testing.T) {
	web := startWeb(t, simweb.Options{})
	fetch := fetcher(t, web)
	x, err := extractor.New(extractor.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range web.Articles() {
		if want.Parts > 1 {
			continue // its first page alone does not tell it
		}
		t.Run(want.Source+"/"+want.Name, func(t *testing.T) {
			page := fetch(want.URL)
			page.TimeZone = zones[want.Source]
			got, err := x.Extract(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range differences(got, want, page.TimeZone) {
				t.Error(fault)
			}
		})
	}
}

// zones are the time zones of the sites, as their sources name them.
var zones = map[string]string{
	"xinchao": "Asia/Shanghai", "guiyuan": "Asia/Shanghai", "weijian": "Asia/Shanghai", "gongxin": "Asia/Shanghai",
	"dianzi": "Asia/Shanghai", "kuaixin": "Asia/Shanghai", "xidao": "Asia/Taipei", "jingyuan": "Asia/Taipei",
	"dianhai": "Asia/Taipei", "waferwire": "Asia/Taipei", "chipstack": "America/New_York", "semidesk": "Europe/London",
}

// differences compares an extracted article with the truth; times by the day.
func differences(got *news.Article, want simweb.Article, zone string) []string {
	var faults []string
	differ := func(field string, got, want any) {
		faults = append(faults, fmt.Sprintf("%s: got %q, want %q", field, got, want))
	}
	if got.URL != want.URL {
		differ("url", got.URL, want.URL)
	}
	if got.Title != want.Title {
		differ("title", got.Title, want.Title)
	}
	if got.Lang != want.Lang || got.Script != want.Script {
		differ("language", got.Lang+"-"+got.Script, want.Lang+"-"+want.Script)
	}
	if g, w := day(got.Published, zone), day(want.Published, zone); g != w {
		differ("published", g, w)
	}
	if len(want.Authors) > 0 && !slices.Equal(got.Authors, want.Authors) {
		differ("authors", got.Authors, want.Authors)
	}
	if want.Reporter != "" && got.Reporter != want.Reporter {
		differ("reporter", got.Reporter, want.Reporter)
	}
	if want.Editor != "" && got.Editor != want.Editor {
		differ("editor", got.Editor, want.Editor)
	}
	if want.Credit != "" && got.Credit != want.Credit {
		differ("credit", got.Credit, want.Credit)
	}
	return append(faults, textFaults(got.Text, want.Text)...)
}

// extraLines is how many lines an article may have beyond its text: a dateline,
// a caption, an editor's line.
const extraLines = 2

// textFaults says which paragraphs are missing and what does not belong.
func textFaults(got, want string) []string {
	var faults []string
	lines := strings.Split(got, "\n")
	left := slices.Clone(lines)
	for p := range strings.SplitSeq(want, "\n") {
		i := slices.IndexFunc(left, func(l string) bool { return strings.Contains(normal(l), normal(p)) })
		if i < 0 {
			faults = append(faults, fmt.Sprintf("paragraph is missing: %.40s", p))
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	if len(left) > extraLines {
		faults = append(faults, fmt.Sprintf("%d lines do not belong: %q", len(left), left))
	}
	for _, word := range []string{"演示文章", "Demo article, fictional"} {
		if strings.Contains(got, word) {
			faults = append(faults, "the footer is in the text")
		}
	}
	return faults
}

// normal makes texts equal that differ in spaces alone.
func normal(s string) string { return strings.Join(strings.Fields(s), " ") }

func day(t time.Time, zone string) string {
	if t.IsZero() {
		return "unknown"
	}
	z, err := time.LoadLocation(zone)
	if err != nil {
		return err.Error()
	}
	return t.In(z).Format(time.DateOnly)
}
