package feed

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseReadsHints(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Hints
	}{
		"none": {`<rss version="2.0"><channel><item><link>/1</link><ttl>5</ttl></item></channel></rss>`, Hints{}},
		"ttl":  {`<rss version="2.0"><channel><ttl> 90 </ttl><item><link>/1</link></item></channel></rss>`, Hints{TTL: 90 * time.Minute}},
		"hourly": {
			`<rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel><sy:updatePeriod>
	hourly	</sy:updatePeriod><sy:updateFrequency> 2 </sy:updateFrequency><item><link>/1</link></item></channel></rss>`,
			Hints{TTL: 30 * time.Minute},
		},
		"longest-wins": {
			`<rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel><ttl>10</ttl><sy:updatePeriod>yearly</sy:updatePeriod></channel></rss>`,
			Hints{TTL: 24 * time.Hour},
		},
		"nonsense": {`<rss version="2.0"><channel><ttl>-5</ttl><ttl>x</ttl></channel></rss>`, Hints{}},
		"hub": {
			`<feed xmlns="http://www.w3.org/2005/Atom"><link rel="hub" href="https://hub.example/"/><link rel="self" href="/atom.xml"/><entry><link href="/1"/></entry></feed>`,
			Hints{Hub: "https://hub.example/", Self: "https://a.example/atom.xml"},
		},
		"hub-in-rss": {
			`<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><atom:link rel="hub" href="https://hub.example/"></atom:link></channel></rss>`,
			Hints{Hub: "https://hub.example/"},
		},
		"hub-in-json": {
			`{"version":"https://jsonfeed.org/version/1.1","title":"A","feed_url":"https://a.example/feed.json","hubs":[{"type":"rssCloud","url":"https://x.example/"},{"type":"WebSub","url":"https://hub.example/"}],"items":[]}`,
			Hints{Hub: "https://hub.example/", Self: "https://a.example/feed.json"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Parse([]byte(c.text), "", "https://a.example/feed")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, f.Hints); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
