package metadata

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
	"xinwen/extractor/pattern"
	"xinwen/extractor/template"
)

// publishedNames and modifiedNames are meta names and itemprops that carry
// times.
var (
	publishedNames = strings.Fields(`article:published_time og:article:published_time article:published datepublished publishdate publish_date
		publish_time publish-date pubdate pub_date pubtime publishtime weibo:article:create_at og:release_date bytedance:published_time og:published_time
		apub:time firstpublishdate article:create_at parsely-pub-date sailthru.date article_date_original cxenseparse:recs:publishtime
		dc.date.issued dcterms.date dcterms.created dc.date dc.date.created rnews:datepublished originalpublicationdate
		article.published date_published article-publish-date published_at published_time pdate shareaholic:article_published_time date datecreated`)
	modifiedNames = strings.Fields(`article:modified_time og:updated_time datemodified lastmod dcterms.modified dc.date.modified
		weibo:article:update_at article:modified bytedance:updated_time last-modified revised bytedance:lrdate_time updated_time`)
)

var (
	labelPublished = pattern.MustCompile(`(?i)(?:发布|發布|發佈|发表|發表|刊登|上线|出版|公布|发稿|發稿|上架|张贴|文章)?(?:时间|時間|日期)\s*[:：]?\s*$|(?:发布|發布|發佈|发表|發表|刊登)(?:于|於)\s*$|(?:发布|發布|發佈|发表|發表|刊登|posted|published|publish date|pub date|first published|issued|date|veröffentlicht|erschienen|erstellt|publié|mis en ligne|publicado|pubblicato|gepubliceerd|geplaatst|datum|stand)(?:\s+(?:on|am|le|el|em|il|op|den))?\s*[:：]?\s*$`)
	labelModified  = pattern.MustCompile(`(?i)(?:更新|修改|编辑|編輯|修訂|updated|modified|edited|last update|aktualisiert|geändert|letzte änderung|mis à jour|actualizado|atualizado|aggiornato|bijgewerkt)(?:于|於|时间|時間|日期|\s+(?:on|at|am|le|el|em|il|op))?\s*[:：]?\s*$`)
	labelWord      = pattern.MustCompile(`[间間期于於发發布佈表登新改稿]|(?i:publi|post|issue|date|update|edit|modif|veröff|ersch|erstell|datum|stand|aktual|geändert|änderung|mis |actual|atual|aggio|bijge|geplaats|gepubl)`)
	copyrightLine  = pattern.MustCompile(`(?i)©|copyright|版权所有|版權所有|all rights|\(c\)\s|ICP[备證证]`)
	reURLDay       = pattern.MustCompile(`(?:^|[/_.?=&-])((?:19|20)\d{2})[-/_.]?(0[1-9]|1[0-2])[-/_.]?(0[1-9]|[12]\d|3[01])(?:[^\d]|\d{2,}|$)`)
	reURLMonth     = pattern.MustCompile(`[/_-]((?:19|20)\d{2})[-/_]?(0[1-9]|1[0-2])/`)
	reURLLoose     = pattern.MustCompile(`/((?:19|20)\d{2})[-/](\d{1,2})[-/](\d{1,2})(?:/|_|$)`)
)

// times fills Published and Modified. What is said to be the time of a change
// votes on both: with little weight on the first, since many pages show no other.
func (r *reader) times(m *Metadata) {
	t := &timer{
		reader:    r,
		dater:     &dater{fetched: r.Fetched, zone: r.Zone, dayFirst: r.Lang != "" && !strings.HasPrefix(r.Lang, "en") || strings.EqualFold(r.Lang, "en-gb")},
		published: newBallot(Published), modified: newBallot(Modified),
	}
	t.stated()
	t.elements()
	t.lines()
	t.address()
	t.labelled()
	t.setAside()
	t.compare()
	if c := t.published.elect(r.model[Published]); c != nil {
		m.Published, m.Confidence = c.Time, c.Confidence
		m.Provenance[Published] = provenance(c)
	}
	if c := t.modified.elect(r.model[Modified]); c != nil && !c.Time.Before(m.Published) && c.Time != m.Published {
		m.Modified = c.Time
		m.Provenance[Modified] = provenance(c)
	}
	m.Ballots = append(m.Ballots, *t.published, *t.modified)
}

// timer collects the votes on the times of an article.
type timer struct {
	*reader
	*dater
	published, modified *Ballot
}

// vote votes for the day of m; changed says that it is that of a change. The
// time of day is that of the place that ranks highest of those that give one.
func (t *timer) vote(m moment, where string, rank float64, changed bool) {
	x := m.Time
	switch {
	case !m.clock:
		x = noon(x, t.Fetched)
	case m.zone && t.local:
		x = x.In(t.Zone)
	}
	put := func(b *Ballot, where string) {
		c := b.vote(x.Format(time.DateOnly), "", where)
		if c == nil {
			return
		}
		better := rank > c.rank
		if m.clock != !c.day && !c.Time.IsZero() {
			better = m.clock
		}
		if c.Time.IsZero() || better {
			c.Time, c.day, c.rank = x, !m.clock, rank
		}
		c.markAs(m.guessed, "is guessed")
	}
	if changed {
		put(t.modified, where)
		where += " changed"
	}
	put(t.published, where)
}

func (t *timer) state(s, where string, rank float64, changed bool) {
	if s == "" {
		return
	}
	if m, ok := t.parse(s); ok {
		t.vote(m, where, rank, changed)
	}
}

// stated votes by what the head and the feed say.
func (t *timer) stated() {
	h := t.Head
	t.state(h.Article.Published, "json-ld", 9, false)
	t.state(h.Page.Published, "json-ld page", 7, false)
	t.state(h.Script["date"], "meta script", 6, false)
	t.state(h.Article.Modified, "json-ld", 9, true)
	t.state(h.Page.Modified, "json-ld page", 7, true)
	for k, n := range publishedNames {
		where := "meta"
		switch {
		case k < 3:
			where = "meta article:published_time"
		case n == "date" || n == "dc.date" || n == "datecreated":
			where = "meta date"
		}
		t.state(h.Meta[n], where, 8, false)
	}
	for _, n := range h.dated {
		t.state(h.Meta[n], "meta like published", 8, false)
	}
	if i := strings.LastIndexAny(h.Title, "|｜_-–"); i > 0 {
		// A title element may end in the day: Some title | Some site | 28.04.2023
		if l := t.scan(halfWidth(h.Title[i:])); len(l) == 1 && !l[0].guessed {
			t.vote(l[0], "title", 2, false)
		}
	}
	for _, n := range modifiedNames {
		t.state(h.Meta[n], "meta", 8, true)
	}
	if e := t.Entry; e != nil {
		if !e.Published.IsZero() {
			t.vote(t.fed(e.Published), "feed", 2, false)
		}
		if !e.Updated.IsZero() {
			t.vote(t.fed(e.Updated), "feed", 2, true)
		}
	}
}

// fed returns what a feed or list page says of the time: only the day where that
// is midnight. Its time of day ranks below one that the page shows, since many
// feeds name no zone or the wrong one.
func (t *timer) fed(x time.Time) moment {
	x = x.In(t.Zone)
	if x.Hour() == 0 && x.Minute() == 0 && x.Second() == 0 {
		return moment{Time: x}
	}
	return moment{Time: x, clock: true, zone: true}
}

// elements votes by <time> elements, itemprops and what templates name.
func (t *timer) elements() {
	n := 0
	for i := range t.Doc.Elements {
		e := &t.Doc.Elements[i]
		prop := strings.ToLower(dom.Attr(e.Node, "itemprop"))
		isTime := e.Node.DataAtom == atom.Time
		if !isTime && prop != "datepublished" && prop != "datemodified" && prop != "datecreated" {
			continue
		}
		if n++; n > 40 {
			break
		}
		where := "microdata time"
		switch {
		case prop == "datepublished" || dom.Attr(e.Node, "pubdate") != "":
			where = "microdata"
		case t.head >= 0 && e.First >= t.head-3 && (t.first < 0 || e.First <= t.first+1):
			where = "microdata time near"
		case t.last >= 0 && e.First > t.last:
			where = "microdata time below"
		}
		class := strings.ToLower(dom.Attr(e.Node, "class"))
		changed := prop == "datemodified" || strings.Contains(class, "updated") && !strings.Contains(class, "published") || strings.Contains(class, "modified")
		if !changed && prop == "" && e.First < len(t.Doc.Blocks) {
			// Updated <time>…</time>
			before, _, _ := strings.Cut(t.Doc.Blocks[e.First].Text, strings.TrimSpace(dom.Text(e.Node)))
			changed = labelModified.MatchString(before)
		}
		s := dom.Attr(e.Node, "datetime")
		if s == "" {
			s = dom.Attr(e.Node, "content")
		}
		if s == "" && e.First < e.End && len(t.Doc.Blocks[e.First].Text) < 80 {
			s = t.Doc.Blocks[e.First].Text
		}
		t.state(s, where, 5, changed)
	}
	for _, s := range t.named(template.Time) {
		for k, m := range t.scan(halfWidth(s.text)) {
			if k < 2 {
				t.vote(m, "template"+s.rank, 6, labelModified.MatchString(s.text[:min(m.start, len(s.text))]))
			}
		}
	}
}

// lines votes by the lines around the title and the body.
func (t *timer) lines() {
	seen := 0
	for _, i := range t.around {
		where := "byline"
		switch {
		case t.first >= 0 && i >= t.first && t.first <= t.head:
			where = "text start"
		case t.first >= 0 && i >= t.first:
			where = "text start"
		case t.head >= 0 && i < t.head:
			where = "byline above"
		case t.head < 0:
			where = "byline untitled"
		case seen > 0:
			where = "byline further"
		}
		if t.dates(i, where) && where == "byline" {
			seen++
		}
	}
	for i := t.first + 4; t.first >= 0 && i < min(t.first+10, t.last-3); i++ {
		if t.Doc.Blocks[i].Units < 16 { // the line that signs a reprint
			t.dates(i, "text signature")
		}
	}
	for _, i := range t.tail {
		t.dates(i, "text end")
	}
}

// dates votes by the dates of one line, and reports whether there were any.
func (t *timer) dates(i int, where string) bool {
	b := &t.Doc.Blocks[i]
	if b.Hidden || copyrightLine.MatchString(b.Text) {
		return false
	}
	s := halfWidth(t.line(i))
	if len(s) > 600 {
		s = s[:600]
	}
	found := t.scan(s)
	if len(found) == 0 {
		return false
	}
	before := ""
	if i > 0 && found[0].start < 4 {
		if p := &t.Doc.Blocks[i-1]; len(p.Text) < 40 {
			before = p.Text
		}
	}
	for n, m := range found {
		lead := s[:min(m.start, len(s))]
		if n > 0 {
			lead = lead[min(found[n-1].end, len(lead)):]
		} else if len(strings.Trim(lead, " \x1f")) < 2 {
			lead = before
		}
		lead = strings.TrimRight(lead, " \x1f")
		w := where
		switch {
		case b.LinkDensity() > 0.8:
			w += " linked"
		case b.Units > 60:
			w += " prose" // in a long text a date is part of the story
		case b.Units > 30:
			w += " long"
		}
		changed := labelModified.MatchString(lead)
		if !changed && labelPublished.MatchString(lead) {
			w += " labelled"
		} else if n > 0 {
			w += " second"
		}
		t.vote(m, w, 3, changed)
		if c := t.candidate(m); c != nil {
			c.mark("is shown")
			c.markAs(m.clock, "is shown with time")
		}
	}
	return true
}

// candidate returns the candidate of the day of m, nil if it is none.
func (t *timer) candidate(m moment) *Candidate {
	x := m.Time
	if m.clock && m.zone && t.local {
		x = x.In(t.Zone)
	}
	if k, ok := t.published.byKey[x.Format(time.DateOnly)]; ok {
		return &t.published.Candidates[k]
	}
	return nil
}

// address votes by the page's address.
func (t *timer) address() {
	u := firstNonEmpty(t.URL, t.Head.Canonical, t.Head.first("og:url"))
	if m, loose, ok := urlDay(u, t.Zone); ok && !t.future(m.Time) {
		where := "url digits"
		if loose {
			where = "url"
		}
		t.vote(m, where, 1, false)
		return
	}
	// Only the month: it speaks for a day in it.
	if x := reURLMonth.FindStringSubmatch(u); x != nil {
		for i := range t.published.Candidates {
			c := &t.published.Candidates[i]
			c.markAs(c.Time.Format("200601") == x[1]+x[2], "url month")
		}
	}
}

// compare marks how candidates stand to each other.
func (t *timer) compare() {
	var stated, shown *Candidate
	for i := range t.published.Candidates {
		c := &t.published.Candidates[i]
		if stated == nil && (c.has("json-ld") || c.has("meta article:published_time")) {
			stated = c
		}
		if shown == nil && (c.has("byline") || c.has("byline labelled") || c.has("microdata time near")) {
			shown = c
		}
	}
	for i := range t.published.Candidates {
		c := &t.published.Candidates[i]
		if stated != nil && c != stated {
			c.markAs(c.Time.After(stated.Time), "is after the stated day")
			c.markAs(c.Time.After(stated.Time.AddDate(0, 1, 0)), "is long after the stated day")
			c.markAs(c.Time.Before(stated.Time), "is before the stated day")
		}
		if shown != nil && c != shown {
			c.markAs(c.Time.After(shown.Time), "is after the shown day")
			c.markAs(c.Time.Before(shown.Time), "is before the shown day")
		}
	}
}

// setAside takes the days that only changes are known of off the ballot for
// Published where the page states another, so that an old article that was
// touched up does not pass for new. A day that the page shows its readers in
// place of the stated one stays: how likely that one is, the weights say.
func (t *timer) setAside() {
	var stated, shown bool
	for i := range t.published.Candidates {
		c := &t.published.Candidates[i]
		if !c.onlyChanged() {
			stated = stated || c.has("json-ld") || c.has("meta article:published_time") || c.has("microdata")
			shown = shown || c.has("is shown") || c.has("microdata time near")
		}
	}
	if !stated {
		return
	}
	t.published.Candidates = slices.DeleteFunc(t.published.Candidates, func(c Candidate) bool {
		return c.onlyChanged() && (shown || !c.has("is shown") && !c.has("microdata time near changed"))
	})
}

// onlyChanged reports whether all that is known of a day is that of a change.
func (c *Candidate) onlyChanged() bool {
	return !slices.ContainsFunc(c.Votes, func(v Vote) bool {
		return !strings.HasPrefix(v.Where, "is ") && !strings.HasSuffix(v.Where, " changed")
	})
}

// labelled votes by the dates behind 发布时间 or Published elsewhere on the page.
func (t *timer) labelled() {
	var published, changed []moment
	for i := range t.Doc.Blocks {
		b := &t.Doc.Blocks[i]
		if b.Hidden || len(b.Text) > 100 || !strings.ContainsAny(b.Text, "0123456789０１２３４５６７８９") {
			continue
		}
		if !labelWord.MatchString(b.Text) && (i == 0 || len(t.Doc.Blocks[i-1].Text) >= 40 || !labelWord.MatchString(t.Doc.Blocks[i-1].Text)) {
			continue
		}
		if copyrightLine.MatchString(b.Text) || slices.Contains(t.around, i) || slices.Contains(t.tail, i) {
			continue
		}
		s := halfWidth(t.line(i))
		for _, m := range t.scan(s) {
			lead := strings.Trim(s[:min(m.start, len(s))], " \x1f")
			if lead == "" && i > 0 && len(t.Doc.Blocks[i-1].Text) < 40 {
				lead = t.Doc.Blocks[i-1].Text
			}
			switch {
			case lead == "":
			case labelModified.MatchString(lead):
				changed = append(changed, m)
			case labelPublished.MatchString(lead):
				published = append(published, m)
			}
		}
	}
	for k, found := range [...][]moment{published, changed} {
		where := "text labelled"
		if len(found) > 1 {
			where = "text labelled often" // of other articles
		}
		for _, m := range found[:min(len(found), 5)] {
			t.vote(m, where, 2, k == 1)
		}
	}
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
