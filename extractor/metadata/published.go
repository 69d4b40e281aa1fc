package metadata

import (
	"regexp"
	"sort"
	"strings"
	"time"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
)

// publishedNames and modifiedNames are meta names and itemprops that carry
// times.
var (
	publishedNames = strings.Fields(`article:published_time og:article:published_time datepublished article:published publishdate publish_date
		publish_time publish-date pubdate pub_date pubtime publishtime weibo:article:create_at og:release_date bytedance:published_time og:published_time
		apub:time firstpublishdate article:create_at parsely-pub-date sailthru.date article_date_original cxenseparse:recs:publishtime
		dc.date.issued dcterms.date dcterms.created dc.date dc.date.created rnews:datepublished originalpublicationdate
		article.published date_published article-publish-date published_at published_time pdate shareaholic:article_published_time date datecreated`)
	modifiedNames = strings.Fields(`article:modified_time og:updated_time datemodified lastmod dcterms.modified dc.date.modified
		weibo:article:update_at article:modified bytedance:updated_time last-modified revised bytedance:lrdate_time updated_time`)
)

var (
	labelPublished = regexp.MustCompile(`(?i)(?:发布|發布|發佈|发表|發表|刊登|上线|出版|公布|发稿|發稿|上架|张贴|文章)?(?:时间|時間|日期)\s*[:：]?\s*$|(?:发布|發布|發佈|发表|發表|刊登)(?:于|於)\s*$|(?:发布|發布|發佈|发表|發表|刊登|posted|published|publish date|pub date|first published|issued|date)(?:\s+on)?\s*[:：]?\s*$`)
	labelModified  = regexp.MustCompile(`(?i)(?:更新|修改|编辑|編輯|修訂|updated|modified|edited|last update)(?:于|於|时间|時間|日期|\s+on|\s+at)?\s*[:：]?\s*$`)
	copyrightLine  = regexp.MustCompile(`(?i)©|copyright|版权所有|版權所有|all rights|\(c\)\s|ICP[备證证]`)
	reURLDay       = regexp.MustCompile(`(?:^|[/_.?=&-])((?:19|20)\d{2})[-/_.]?(0[1-9]|1[0-2])[-/_.]?(0[1-9]|[12]\d|3[01])(?:[^\d]|\d{2,}|$)`)
	reURLLoose     = regexp.MustCompile(`/((?:19|20)\d{2})[-/](\d{1,2})[-/](\d{1,2})(?:/|_|$)`)
)

func (r *reader) published(m *Metadata) {
	d := &dater{fetched: r.Fetched, zone: r.Zone, dayFirst: r.Lang != "" && !strings.HasPrefix(r.Lang, "en") || strings.EqualFold(r.Lang, "en-gb")}
	var votes, modified []Vote
	vote := func(list *[]Vote, t moment, weight float64, from string) {
		if t.guessed {
			weight *= 0.8
		}
		x := t.Time
		switch {
		case !t.clock:
			x = noon(x, r.Fetched)
			weight *= 0.98
		case t.zone && r.Zone != time.UTC:
			x = x.In(r.Zone)
		}
		*list = append(*list, Vote{Time: x, Weight: weight, From: from, day: !t.clock})
	}
	state := func(list *[]Vote, s string, weight float64, from string) {
		if s == "" {
			return
		}
		if t, ok := d.parse(s); ok {
			vote(list, t, weight, from)
		}
	}
	h := r.Head
	state(&votes, h.Article.Published, 0.9, "structured data")
	state(&votes, h.PageDate, 0.6, "structured data of the page")
	state(&votes, h.ScriptDate, 0.6, "script")
	state(&modified, h.Article.Modified, 0.9, "structured data")
	for _, n := range publishedNames {
		w := 0.88
		if n == "date" || n == "dc.date" || n == "datecreated" {
			w = 0.7
		}
		state(&votes, h.Meta[n], w, "meta "+n)
	}
	for _, n := range modifiedNames {
		state(&modified, h.Meta[n], 0.8, "meta "+n)
	}
	if e := r.Entry; e != nil {
		if !e.Published.IsZero() {
			vote(&votes, moment{Time: e.Published, clock: true, zone: true}, 0.8, "feed")
		}
		if !e.Updated.IsZero() {
			vote(&modified, moment{Time: e.Updated, clock: true, zone: true}, 0.7, "feed")
		}
	}
	r.timeElements(d, func(t moment, w float64, mod bool) {
		if mod {
			vote(&modified, t, w, "time element")
		} else {
			vote(&votes, t, w, "time element")
		}
	})
	for n, i := range r.zone {
		w := 0.75
		if r.head >= 0 && i < r.head {
			w = 0.55
		}
		if r.first >= 0 && i >= r.first {
			w = 0.3
		}
		if r.head < 0 {
			w -= 0.15
		}
		r.textDates(d, i, w-0.002*float64(n), func(t moment, w float64, mod bool) {
			if mod {
				vote(&modified, t, w, "text")
			} else {
				vote(&votes, t, w, "text")
			}
		})
	}
	for _, i := range r.tail {
		r.textDates(d, i, 0.3, func(t moment, w float64, mod bool) {
			if mod {
				vote(&modified, t, w, "tail")
			} else {
				vote(&votes, t, w, "tail")
			}
		})
	}
	if t, loose, ok := urlDay(r.URL, r.Zone); ok && !d.future(t.Time) {
		w := 0.6
		if loose {
			w = 0.65
		}
		vote(&votes, t, w, "address")
	}
	if len(votes) == 0 {
		r.labelled(d, func(t moment) { vote(&votes, t, 0.5, "labelled text") })
	}
	m.Published, m.Confidence, m.Votes = elect(votes)
	mod, _, _ := elect(modified)
	if !mod.IsZero() && (m.Published.IsZero() || mod.After(m.Published)) {
		m.Modified = mod
	}
	if m.Published.IsZero() && shown(modified, mod) {
		// The reader is shown no other day than that of the last change.
		m.Published, m.Confidence, m.Votes = mod, 0.4, modified
		m.Modified = time.Time{}
	}
}

// shown reports whether the text of the page gives the day of t.
func shown(votes []Vote, t time.Time) bool {
	for _, v := range votes {
		if (v.From == "text" || v.From == "time element") && v.Time.Format(time.DateOnly) == t.Format(time.DateOnly) {
			return true
		}
	}
	return false
}

// noon moves a day without a time of day to about noon: a time that is on that
// day in the source's zone and in UTC too, and not after the fetch where the day
// allows that.
func noon(t, fetched time.Time) time.Time {
	local := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	utc := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	from, to := local, local.AddDate(0, 0, 1)
	if utc.After(from) {
		from = utc
	}
	if end := utc.AddDate(0, 0, 1); end.Before(to) {
		to = end
	}
	n := local.Add(12 * time.Hour)
	switch {
	case n.Before(from):
		n = from
	case !n.Before(to):
		n = to.Add(-time.Second)
	}
	if !fetched.IsZero() && n.After(fetched) {
		n = fetched.Truncate(time.Second)
		if n.Before(from) {
			n = from
		}
	}
	return n.In(t.Location())
}

// minConfidence is what a date needs to be believed.
const minConfidence = 0.28

// elect adds the votes up by day, each further place less surely, and takes of
// the best day the time that the surest vote gives.
func elect(votes []Vote) (time.Time, float64, []Vote) {
	if len(votes) == 0 {
		return time.Time{}, 0, nil
	}
	sort.SliceStable(votes, func(i, j int) bool { return votes[i].Weight > votes[j].Weight })
	type day struct {
		doubt float64
		best  Vote
		from  map[string]bool
	}
	days := make(map[string]*day)
	var order []string
	for _, v := range votes {
		k := v.Time.Format(time.DateOnly)
		x := days[k]
		if x == nil {
			x = &day{doubt: 1, best: v, from: make(map[string]bool)}
			days[k] = x
			order = append(order, k)
		}
		if x.from[v.From] {
			continue
		}
		x.from[v.From] = true
		x.doubt *= 1 - v.Weight
		if x.best.day && !v.day {
			x.best = v
		}
	}
	best := order[0]
	for _, k := range order[1:] {
		if days[k].doubt < days[best].doubt {
			best = k
		}
	}
	c := 1 - days[best].doubt
	for _, k := range order {
		if k != best {
			c *= 1 - 0.3*(1-days[k].doubt)
		}
	}
	if c < minConfidence {
		return time.Time{}, 0, votes
	}
	return days[best].best.Time, float64(int(c*100+0.5)) / 100, votes
}

// textDates reports the dates of block i.
func (r *reader) textDates(d *dater, i int, weight float64, report func(moment, float64, bool)) {
	b := &r.Doc.Blocks[i]
	if b.Hidden || copyrightLine.MatchString(b.Text) {
		return
	}
	if b.LinkDensity() > 0.8 {
		weight *= 0.6
	}
	s := halfWidth(r.line(i))
	if len(s) > 600 {
		s = s[:600]
	}
	found := d.scan(s)
	if len(found) == 0 {
		return
	}
	// In a long text a date is part of the story.
	if b.Units > 60 {
		weight *= 0.25
	} else if b.Units > 30 {
		weight *= 0.7
	}
	before := ""
	if i > 0 && found[0].start < 4 {
		if p := &r.Doc.Blocks[i-1]; len(p.Text) < 40 {
			before = p.Text
		}
	}
	for n, t := range found {
		lead := s[:min(t.start, len(s))]
		if n == 0 && len(strings.TrimSpace(lead)) < 2 {
			lead = before
		}
		w := weight
		mod := labelModified.MatchString(lead)
		if !mod && labelPublished.MatchString(lead) {
			w = 1.3 * w
			switch {
			case weight >= 0.5:
				w = max(w, 0.75)
			case r.first >= 0 && i <= r.first+3 && b.Units < 40:
				w = max(w, 0.5) // a line between title and text that counts as text
			}
		}
		if t.clock {
			w += 0.08
		}
		if n > 0 {
			w *= 0.9
		}
		report(t, min(w, 0.9), mod)
	}
}

// labelled reports the dates behind 发布时间 or Published anywhere on the page.
func (r *reader) labelled(d *dater, report func(moment)) {
	for i := range r.Doc.Blocks {
		b := &r.Doc.Blocks[i]
		if b.Hidden || len(b.Text) > 100 || copyrightLine.MatchString(b.Text) {
			continue
		}
		s := halfWidth(r.line(i))
		for _, t := range d.scan(s) {
			if lead := s[:min(t.start, len(s))]; labelPublished.MatchString(lead) && strings.TrimSpace(lead) != "" {
				report(t)
			}
		}
	}
}

// timeElements reports the <time datetime> elements and itemprops near the
// title.
func (r *reader) timeElements(d *dater, report func(moment, float64, bool)) {
	n := 0
	for i := range r.Doc.Elements {
		e := &r.Doc.Elements[i]
		prop := strings.ToLower(dom.Attr(e.Node, "itemprop"))
		isTime := e.Node.DataAtom == atom.Time
		if !isTime && prop != "datepublished" && prop != "datemodified" && prop != "datecreated" {
			continue
		}
		if n++; n > 30 {
			return
		}
		w := 0.35
		switch {
		case prop == "datepublished" || dom.Attr(e.Node, "pubdate") != "":
			w = 0.8
		case r.head >= 0 && e.First >= r.head-3 && (r.first < 0 || e.First <= r.first+1):
			w = 0.7
		case r.first >= 0 && e.First > r.last:
			w = 0.15
		}
		mod := prop == "datemodified"
		class := strings.ToLower(dom.Attr(e.Node, "class"))
		if strings.Contains(class, "updated") && !strings.Contains(class, "published") || strings.Contains(class, "modified") {
			mod = true
		}
		s := dom.Attr(e.Node, "datetime")
		if s == "" {
			s = dom.Attr(e.Node, "content")
		}
		if s == "" && e.First < e.End && len(r.Doc.Blocks[e.First].Text) < 80 {
			s = r.Doc.Blocks[e.First].Text
		}
		if t, ok := d.parse(s); ok {
			report(t, w, mod)
		}
	}
}

// urlDay reads a day from an address. The second result says that its parts
// were separated.
func urlDay(u string, zone *time.Location) (moment, bool, bool) {
	if i := strings.Index(u, "://"); i >= 0 {
		u = u[i+3:]
		if i = strings.IndexByte(u, '/'); i < 0 {
			return moment{}, false, false
		}
		u = u[i:]
	}
	d := &dater{zone: zone}
	if x := reURLLoose.FindStringSubmatch(u); x != nil {
		m, ok := d.date(num(x[1]), num(x[2]), num(x[3]), nil, 0)
		return m, true, ok
	}
	if x := reURLDay.FindStringSubmatch(u); x != nil {
		m, ok := d.date(num(x[1]), num(x[2]), num(x[3]), nil, 0)
		return m, false, ok
	}
	return moment{}, false, false
}
