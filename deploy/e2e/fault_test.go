package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/simweb"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// How a fault must end.
const (
	indexed     = "the article is found"
	quarantined = "the page is in quarantine"
	unhealthy   = "the source says what is wrong"
	denied      = "the page is not fetched"
)

// endings says how each fault must end.
var endings = map[string]string{
	"hang":       quarantined,
	"drip":       quarantined,
	"infinite":   quarantined,
	"bomb-gzip":  quarantined,
	"bomb-br":    quarantined,
	"bomb-zstd":  quarantined,
	"loop":       quarantined,
	"private":    quarantined,
	"empty":      quarantined,
	"binary":     quarantined,
	"big":        quarantined,
	"cut":        quarantined,
	"length":     quarantined,
	"status-500": quarantined,
	"status-404": quarantined,
	"etag":       indexed,
	"status-429": indexed,
	"status-503": indexed,

	"raw-chunked-and-length":  indexed,
	"raw-two-lengths":         quarantined,
	"raw-same-lengths":        indexed,
	"raw-length-sign":         quarantined,
	"raw-two-codings":         quarantined,
	"raw-bare-cr":             quarantined,
	"raw-space-colon":         quarantined,
	"raw-folded":              indexed,
	"raw-chunk-extensions":    indexed,
	"raw-chunk-flood":         quarantined,
	"raw-chunk-overflow":      quarantined,
	"raw-chunk-long":          quarantined,
	"raw-hints-flood":         quarantined,
	"raw-hints":               indexed,
	"raw-trailers":            indexed,
	"raw-trailer-flood":       quarantined,
	"raw-huge-header":         quarantined,
	"raw-many-headers":        quarantined,
	"raw-status-line":         quarantined,
	"raw-no-status-line":      quarantined,
	"raw-endless-line":        quarantined,
	"raw-second-answer":       indexed,
	"raw-second-after-length": indexed,

	"feed-html":      unhealthy,
	"feed-malformed": unhealthy,
	"feed-empty":     unhealthy,
	"feed-hang":      unhealthy,
	"feed-bomb":      unhealthy,

	"robots-403":      indexed,
	"robots-redirect": indexed,
	"robots-huge":     indexed,
	"robots-deny":     denied,
	"robots-bom":      denied,
	"robots-503":      denied,
	"robots-hang":     denied,
}

func TestBadSitesEndClearlyAndTheRestGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timeouts")
	}
	web := startWeb(t, simweb.Options{Faults: true, DemoSites: []string{"dianhai", "kuaixin"}})
	s := prepare(t, web, simweb.SourceOptions{Delay: delay, Interval: time.Hour})
	s.Once, s.Timeout = true, 3*time.Second
	s.Resolve = nil
	for _, host := range web.Hosts() {
		// By name, so that an address in a redirect is taken as it is.
		s.Resolve = append(s.Resolve, host+"="+web.Addr())
	}
	c := start(t, s)
	faults := simweb.Faults()
	c.Until(2*time.Minute, func() string {
		h := healthOf(c)
		for _, f := range faults {
			if missing := ended(c, f.Name, h); missing != "" {
				return f.Name + ": " + missing
			}
		}
		for _, a := range web.Articles() {
			if _, err := c.Article(weburl.ID(a.URL)); err != nil {
				return err.Error()
			}
		}
		return ""
	})
	h := healthOf(c)
	for _, f := range faults {
		url := faultURL(f.Name)
		switch endings[f.Name] {
		case quarantined:
			q := h.page(url)
			if q == nil || q.Reason == "" || q.Hint == "" {
				t.Errorf("%s: got %+v, want a reason and a hint", f.Name, q)
			}
			if _, err := c.Article(weburl.ID(url)); err == nil {
				t.Errorf("%s: in quarantine and in the index", f.Name)
			}
		case unhealthy:
			if st := h.sources["fault-"+f.Name]; st.LastError == "" || st.Hint == "" {
				t.Errorf("%s: got %+v, want an error and a hint", f.Name, st)
			}
		case denied:
			for _, r := range web.Log().Requests() {
				if r.URL() == url {
					t.Errorf("%s: %s was fetched", f.Name, url)
				}
			}
		}
	}
	for id, hit := range c.Search("") {
		if a, err := c.Article(id); err != nil || strings.Contains(a.Title+a.Text, simweb.Smuggled) {
			t.Errorf("%s holds an answer that nobody asked for, or is gone: %v", hit.URL, err)
		}
	}
	for _, r := range web.Log().Disallowed() {
		t.Errorf("robots.txt forbids %s", r.URL())
	}
}

func faultURL(name string) string { return "http://" + simweb.FaultHost(name) + "/page.html" }

// ended says what is missing for a fault to have ended as it must.
func ended(c *run.Client, name string, h health) string {
	url := faultURL(name)
	st, ok := h.sources["fault-"+name]
	if !ok || st.LastPoll.IsZero() {
		return "not polled"
	}
	switch endings[name] {
	case indexed:
		if _, err := c.Article(weburl.ID(url)); err != nil {
			return err.Error()
		}
	case quarantined:
		if h.page(url) == nil {
			return "not in quarantine"
		}
	case unhealthy:
		if st.Status == news.SourceOK || st.Status == news.SourcePending {
			return fmt.Sprintf("the source's status is %s", st.Status)
		}
	case denied:
		if _, err := c.Article(weburl.ID(url)); err == nil {
			return "the page is in the index"
		}
	default:
		return "the test does not say how it must end"
	}
	return ""
}

// health is what a system says of its sources and failures.
type health struct {
	sources    map[string]news.SourceState
	quarantine []bus.Quarantined
}

func healthOf(c *run.Client) health { return health{c.Sources(), c.Quarantine()} }

// page returns the entry of a page in quarantine, nil if there is none.
func (h health) page(url string) *bus.Quarantined {
	for _, q := range h.quarantine {
		if strings.HasPrefix(q.URL, url) {
			return &q
		}
	}
	return nil
}
