package feed

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	xhtml "golang.org/x/net/html"

	"xinwen/news/charset"
)

// Hints are what a feed says of itself to those who poll it.
type Hints struct {
	// TTL is how long the feed asks to be left alone, by RSS ttl or the
	// syndication module; 0 if it does not say.
	TTL time.Duration
	// Hub is the WebSub hub that tells of new entries, Self the feed's own
	// address there; "" if it names none.
	Hub, Self string
}

// maxTTL bounds what a feed can ask for.
const maxTTL = 24 * time.Hour

// maxHead is how much of a feed is searched for hints.
const maxHead = 64 << 10

// hints reads what stands before the first entry.
func hints(text string, base *url.URL) Hints {
	if strings.HasPrefix(text, "{") {
		return jsonHints(text, base)
	}
	text = text[:min(len(text), maxHead)]
	var (
		h         Hints
		element   string
		period    time.Duration
		frequency = 1
	)
	z := xhtml.NewTokenizer(strings.NewReader(text))
	z.SetMaxBuf(maxHead)
	for {
		switch z.Next() {
		case xhtml.ErrorToken:
			return h.syndication(period, frequency)
		case xhtml.TextToken:
			value := strings.ToLower(strings.TrimSpace(string(z.Text())))
			switch element {
			case "ttl":
				if n, err := strconv.ParseFloat(value, 64); err == nil && n > 0 {
					h.TTL = max(h.TTL, within(n*float64(time.Minute)))
				}
			case "sy:updateperiod":
				period = map[string]time.Duration{
					"hourly": time.Hour, "daily": 24 * time.Hour, "weekly": 7 * 24 * time.Hour, "monthly": 30 * 24 * time.Hour, "yearly": 365 * 24 * time.Hour,
				}[value]
			case "sy:updatefrequency":
				if n, err := strconv.Atoi(value); err == nil && n > 0 {
					frequency = n
				}
			}
		case xhtml.EndTagToken:
			element = ""
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
			t := z.Token()
			element = t.Data
			switch name := t.Data[strings.LastIndexByte(t.Data, ':')+1:]; name {
			case "item", "entry":
				return h.syndication(period, frequency)
			case "link":
				attr := make(map[string]string, len(t.Attr))
				for _, a := range t.Attr {
					attr[a.Key] = a.Val
				}
				switch strings.ToLower(attr["rel"]) {
				case "hub":
					if h.Hub == "" {
						h.Hub = resolve(base, attr["href"])
					}
				case "self":
					h.Self = resolve(base, attr["href"])
				}
			}
		}
	}
}

// syndication joins what the syndication module says: so many updates a period.
func (h Hints) syndication(period time.Duration, frequency int) Hints {
	h.TTL = max(h.TTL, within(float64(period)/float64(frequency)))
	return h
}

func within(d float64) time.Duration { return time.Duration(min(d, float64(maxTTL))) }

func jsonHints(text string, base *url.URL) Hints {
	var j struct {
		FeedURL string `json:"feed_url"`
		Hubs    []struct {
			Type string `json:"type"`
			URL  string `json:"url"`
		} `json:"hubs"`
	}
	if json.Unmarshal([]byte(text), &j) != nil {
		return Hints{}
	}
	h := Hints{Self: resolve(base, j.FeedURL)}
	for _, hub := range j.Hubs {
		if strings.EqualFold(hub.Type, "WebSub") && h.Hub == "" {
			h.Hub = resolve(base, hub.URL)
		}
	}
	return h
}

// Discover returns the feeds that an HTML page names in its head, but those of
// comments.
func Discover(body []byte, contentType, pageURL string) []string {
	base, err := url.Parse(pageURL)
	if err != nil {
		return nil
	}
	text, _ := charset.Decode(body, contentType)
	return discover(text, base)
}
