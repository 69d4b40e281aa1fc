package feeds

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/search"
)

const hostile = `</title><script>alert("1")</script>]]>&amp;` + "\x01"

func feed() Feed {
	return Feed{
		Title: "Xinwen: HBM", Description: "News that matches HBM", Home: "http://127.0.0.1:8080/?q=HBM", Self: "http://127.0.0.1:8080/feeds/search.rss?q=HBM",
		Page: func(id string) string { return "http://127.0.0.1:8080/article/" + id },
		Hits: []search.Hit{
			{
				ID: "a1", URL: "https://example.com/1", Title: "英伟达 & HBM", Snippet: "供应偏紧。", Publisher: "示例", Entities: []string{"org:nvidia"},
				Published: time.Date(2025, 11, 17, 8, 0, 0, 0, time.FixedZone("", 8*3600)), Indexed: time.Date(2025, 11, 17, 1, 0, 0, 0, time.UTC),
			},
			{ID: "a2", URL: "urn:import:2", Snippet: strings.Repeat("长", 80), Source: "import", Fetched: time.Date(2025, 11, 16, 0, 0, 0, 0, time.UTC)},
			{ID: "a3", URL: "javascript:alert(1)", Title: hostile, Snippet: hostile, Publisher: hostile, Fetched: time.Date(2025, 11, 16, 0, 0, 0, 0, time.UTC)},
		},
	}
}

type rssRead struct {
	Channel struct {
		Title string `xml:"title"`
		Self  []struct {
			Href string `xml:"href,attr"`
			Rel  string `xml:"rel,attr"`
			Text string `xml:",chardata"`
		} `xml:"link"`
		Items []struct {
			Title       string `xml:"title"`
			Link        string `xml:"link"`
			Description string `xml:"description"`
			Guid        string `xml:"guid"`
			PubDate     string `xml:"pubDate"`
			Creator     string `xml:"creator"`
			Elements    []struct {
				XMLName xml.Name
			} `xml:",any"`
		} `xml:"item"`
	} `xml:"channel"`
}

func TestRSS(t *testing.T) {
	body, err := Write(feed(), RSS)
	if err != nil {
		t.Fatal(err)
	}
	var got rssRead
	if err := xml.Unmarshal(body, &got); err != nil {
		t.Fatalf("%v in\n%s", err, body)
	}
	if len(got.Channel.Items) != 3 || len(got.Channel.Self) != 2 || got.Channel.Self[0].Href != feed().Self {
		t.Fatalf("got %+v, want three items and both links", got)
	}
	i := got.Channel.Items
	if i[0].Title != "英伟达 & HBM" || i[0].Link != "https://example.com/1" || i[0].Guid != "urn:xinwen:article:a1" || i[0].Creator != "示例" {
		t.Errorf("got %+v", i[0])
	}
	if at, err := time.Parse(time.RFC1123Z, i[0].PubDate); err != nil || !at.Equal(feed().Hits[0].Published) {
		t.Errorf("got date %q", i[0].PubDate)
	}
	if i[1].Link != "http://127.0.0.1:8080/article/a2" || i[1].Title != strings.Repeat("长", 60)+"…" {
		t.Errorf("got %+v, want our page and the beginning of the text", i[1])
	}
	if i[2].Link != "http://127.0.0.1:8080/article/a3" || strings.Contains(i[2].Description, "<") || len(i[2].Elements) != 0 {
		t.Errorf("got %+v, want inert text", i[2])
	}
}

func TestAtom(t *testing.T) {
	body, err := Write(feed(), Atom)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		XMLName xml.Name
		ID      string `xml:"id"`
		Updated string `xml:"updated"`
		Links   []struct {
			Href string `xml:"href,attr"`
			Rel  string `xml:"rel,attr"`
		} `xml:"link"`
		Entries []struct {
			Title   string `xml:"title"`
			ID      string `xml:"id"`
			Updated string `xml:"updated"`
			Summary string `xml:"summary"`
			Author  struct {
				Name string `xml:"name"`
			} `xml:"author"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(body, &got); err != nil {
		t.Fatalf("%v in\n%s", err, body)
	}
	if got.XMLName.Local != "feed" || got.XMLName.Space != "http://www.w3.org/2005/Atom" || got.Updated != "2025-11-17T01:00:00Z" || len(got.Links) != 2 || len(got.Entries) != 3 {
		t.Fatalf("got %+v of\n%s", got, body)
	}
	if e := got.Entries[0]; e.ID != "urn:xinwen:article:a1" || e.Updated != "2025-11-17T00:00:00Z" || e.Author.Name != "示例" || e.Title != "英伟达 & HBM" {
		t.Errorf("got %+v", e)
	}
	if e := got.Entries[2]; strings.Contains(e.Summary, "<") {
		t.Errorf("got %+v, want inert text", e)
	}
}

func TestJSONFeed(t *testing.T) {
	body, err := Write(feed(), JSON)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), "<script") {
		t.Error("got markup as it is, want it escaped")
	}
	var got struct {
		Version string `json:"version"`
		FeedURL string `json:"feed_url"`
		Items   []struct {
			ID            string    `json:"id"`
			URL           string    `json:"url"`
			ExternalURL   string    `json:"external_url"`
			Title         string    `json:"title"`
			ContentText   string    `json:"content_text"`
			ContentHTML   string    `json:"content_html"`
			DatePublished time.Time `json:"date_published"`
			Tags          []string  `json:"tags"`
		} `json:"items"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "https://jsonfeed.org/version/1.1" || len(got.Items) != 3 {
		t.Fatalf("got %+v", got)
	}
	if i := got.Items[0]; i.ID != "a1" || i.ExternalURL != "https://example.com/1" || i.ContentText != "供应偏紧。" || !cmp.Equal(i.Tags, []string{"org:nvidia"}) {
		t.Errorf("got %+v", i)
	}
	if i := got.Items[2]; i.ExternalURL != "" || i.ContentHTML != "" || i.URL != "http://127.0.0.1:8080/article/a3" {
		t.Errorf("got %+v, want no address that cannot be followed", i)
	}
}

func TestEmptyFeedIsWellFormed(t *testing.T) {
	for _, format := range []string{RSS, Atom, JSON} {
		f := feed()
		f.Hits = nil
		if _, err := Write(f, format); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
	if _, err := Write(feed(), "opml"); err == nil {
		t.Error("got no error of an unknown format")
	}
}
