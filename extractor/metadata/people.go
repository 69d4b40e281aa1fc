package metadata

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinwen/extractor/dom"
	"xinwen/extractor/pattern"
	"xinwen/extractor/template"
	"xinwen/news"
)

var (
	reByEnd    = pattern.MustCompile(`(?i)\s*(?:[|·•–—\x1f(]|,\s*(?:staff|senior|contribut|special|associated|reuters|the |for |cnn|bbc|editor|correspondent|updated|published|posted|on\b|\d)|\b(?:on|at|in|published|updated|posted|for|and staff)\s+(?:\d|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|the )|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z.]*\s+\d|\d{1,2}[:/. ]|\s-\s).*$`)
	reJunkName = pattern.MustCompile(`(?i)^(?:name|网络整理|admin|administrator|editor|staff|webmaster|guest|author|unknown|佚名|匿名|未知|管理员|本站|原创|转载|网络|互联网|不详|无|小编|记者|编辑)$|https?:|www\.|@|登录|注册|发布|关注|收藏|评论|阅读`)
)

// signer collects the votes on who wrote, edited and reported, and on the
// medium a text was taken from.
type signer struct {
	*reader
	authors, editor, reporter, credit *Ballot
	site                              string // name of the publisher, folded
	editors                           []vote // for author, cast last
}

// vote is a name and where it stands.
type vote struct{ name, where string }

// people fills the authors, editor, reporter and credit. Whoever reports or, if
// nobody else signs, edits is a candidate for author too.
func (r *reader) people(m *Metadata) {
	s := &signer{
		reader: r, authors: newBallot(Authors), editor: newBallot(Editor), reporter: newBallot(Reporter), credit: newBallot(Credit),
		site: fold(m.Publisher),
	}
	s.lines()
	s.underTitle()
	s.stated()
	s.marked()
	others := len(s.authors.Candidates) > 0
	for _, v := range s.editors {
		s.author(v.name, v.where)
		if others {
			s.author(v.name, "is editor of another")
		}
	}
	s.compare()
	// Content systems fill in the site as the author; only where the page signs
	// with it does it stand.
	s.authors.Candidates = slices.DeleteFunc(s.authors.Candidates, func(c Candidate) bool {
		return c.has("is publisher") && !slices.ContainsFunc(c.Votes, func(v Vote) bool { return shownPlaces.MatchString(v.Where) })
	})
	if list := s.authors.several(r.model[Authors]); len(list) > 0 {
		for _, c := range list {
			m.Authors = append(m.Authors, c.Value)
		}
		m.Provenance[Authors] = provenance(list...)
	}
	for _, f := range [...]struct {
		b  *Ballot
		to *string
	}{{s.editor, &m.Editor}, {s.reporter, &m.Reporter}, {s.credit, &m.Credit}} {
		if c := f.b.elect(r.model[f.b.Field]); c != nil {
			*f.to = c.Value
			m.Provenance[f.b.Field] = provenance(c)
		}
	}
	m.Ballots = append(m.Ballots, *s.authors, *s.editor, *s.reporter, *s.credit)
}

// author votes for each name in s.
func (s *signer) author(text, where string) {
	first := len(s.authors.Candidates) == 0
	for _, x := range personNames(text) {
		if c := s.authors.vote(fold(x), x, where); c != nil && first {
			c.mark("is first") // names in one line stand together
		}
	}
}

// lines votes by the lines around the title and the body.
func (s *signer) lines() {
	around := slices.Clone(s.around)
	for i := s.first + 4; s.first >= 0 && i < min(s.first+10, s.last-8); i++ {
		if s.Doc.Blocks[i].Units < 20 { // a signature behind a summary
			around = append(around, i)
		}
	}
	for _, i := range append(around, s.ends...) {
		b := &s.Doc.Blocks[i]
		if b.Hidden || len(b.Text) > 3000 {
			continue
		}
		text := s.line(i)
		in := s.first >= 0 && i >= s.first && i <= s.last
		if in && b.Units > 60 {
			// A paragraph of the body names people only at its very ends.
			if i <= s.first+1 {
				s.named(head(text), "text head", i)
				if x := reDateline.FindStringSubmatch(text); x != nil {
					s.source(x[1], "text dateline")
				}
			}
			if i >= s.last-3 {
				s.named(tail(text), "text tail", i)
			}
			continue
		}
		where := "byline"
		switch {
		case s.last >= 0 && i > s.last || in && i > s.first+3:
			where = "text end"
		case in:
			where = "text start"
		case s.head >= 0 && i < s.head:
			where = "byline above"
		}
		s.named(readNames(s.joinLabel(i, text)), where, i)
		s.named(head(text), "text head", i)
		if in && i >= s.last-3 || s.last >= 0 && i > s.last && b.Units < 30 {
			s.named(tail(text), "text tail", i)
		}
		if a := byline(text); a != "" {
			s.author(a, where+" by")
		}
		if x := reDateline.FindStringSubmatch(text); x != nil && in && i <= s.first+1 {
			s.source(x[1], "text dateline")
		}
		if x := reMedium.FindStringSubmatch(text); x != nil && b.Units < 40 {
			s.source(x[1], "text medium")
		}
		if x := rePosted.FindStringSubmatch(text); x != nil {
			s.author(x[1]+x[2], where+" posted")
		}
	}
	if x := reBlog.FindStringSubmatch(s.Head.Title); x != nil {
		s.author(strings.TrimSpace(x[1]+x[2]), "title blog")
	}
	if c := s.besideDate(); c != "" {
		s.source(c, "byline beside date")
	}
}

// named votes by labelled names.
func (s *signer) named(list []named, where string, i int) {
	for _, x := range list {
		bare := ""
		if x.bare {
			bare = " bare"
		}
		switch x.role {
		case authorRole:
			s.author(x.text, where+" author"+bare)
		case editorRole:
			if !reJunkName.MatchString(x.text) {
				s.editor.vote(fold(x.text), x.text, where+bare)
				s.editors = append(s.editors, vote{x.text, where + " editor" + bare})
			}
		case reporterRole:
			if !reJunkName.MatchString(x.text) {
				s.reporter.vote(fold(x.text), x.text, where+bare)
				s.author(x.text, where+" reporter"+bare)
			}
		case creditRole:
			if x.bare && (s.first >= 0 && i > s.last || s.first >= 0 && i >= s.first && i <= s.last) {
				continue // （来源Trendforce） under a chart
			}
			if isPerson(x.text) {
				s.author(x.text, where+" credit")
			}
			s.source(x.text, where+bare)
		}
	}
}

// metaAuthors are the meta names that carry authors.
var metaAuthors = strings.Fields("article:author og:article:author byl dc.creator dc.contributor parsely-author sailthru.author article:author_name dcterms.creator citation_author twitter:creator mediator_author")

// stated votes by what the head and the feed say.
func (s *signer) stated() {
	h := s.Head
	for _, f := range [...]struct {
		list  []Person
		where string
	}{{h.Article.Authors, "json-ld"}, {h.Page.Authors, "json-ld page"}} {
		for _, p := range f.list {
			where := f.where
			if p.Organisation {
				where += " organisation"
			}
			s.author(p.Name, where)
		}
	}
	s.editor.vote(fold(h.Article.Editor), h.Article.Editor, "json-ld")
	s.author(h.Meta["author"], "meta author")
	for _, a := range h.Authors {
		s.author(a, "meta author")
	}
	for _, n := range metaAuthors {
		if v := h.Meta[n]; !strings.Contains(v, "://") {
			s.author(strings.TrimPrefix(v, "@"), "meta "+n)
		}
	}
	s.author(h.Script["author"], "meta script")
	if s.Entry != nil {
		for _, a := range s.Entry.Authors {
			s.author(a, "feed")
		}
	}
	s.source(h.Script["source"], "meta script")
	if v := h.first("source", "article:source", "og:source", "contentsource", "mediaid"); length(v) <= 20 {
		s.source(v, "meta")
	}
	for _, x := range s.reader.named(template.Author) {
		s.author(trimLabel(x.text), "template"+x.rank)
	}
	for _, x := range s.reader.named(template.Editor) {
		name := trimLabel(x.text)
		s.editor.vote(fold(name), name, "template"+x.rank)
		s.editors = append(s.editors, vote{name, "template editor"})
	}
	for _, x := range s.reader.named(template.Credit) {
		s.source(trimLabel(x.text), "template"+x.rank)
	}
}

// trimLabel removes a label before a name, such as 来源：.
func trimLabel(s string) string {
	s = strings.TrimSpace(s)
	if _, n, _ := labelAt(s); n > 0 {
		s = strings.TrimSpace(s[n:])
	}
	return s
}

// compare marks the form of the names and how they stand to the site.
func (s *signer) compare() {
	for i := range s.authors.Candidates {
		c := &s.authors.Candidates[i]
		k := fold(c.Value)
		words := strings.Fields(c.Value)
		switch {
		case hasHan(c.Value) && isPerson(c.Value):
			c.mark("is person")
		case hasHan(c.Value) && organisation.MatchString(c.Value):
			c.mark("is organisation")
		case hasHan(c.Value):
			c.mark("is Han")
		case capitalised(c.Value):
			c.mark("is capitalised")
		case len(words) == 1:
			c.mark("is one word")
		case len(words) > 4:
			c.mark("is long")
		}
		if len(k) > 2 {
			c.markAs(s.site != "" && (k == s.site || strings.Contains(s.site, k) || strings.Contains(k, s.site) && len(s.site) > 3), "is publisher")
			c.markAs(strings.Contains(fold(s.host), k), "is host")
		}
		c.markAs(strings.ContainsAny(c.Value, "0123456789@"), "is with digits")
		first, _ := utf8.DecodeRuneInString(c.Value)
		c.markAs(unicode.IsLower(first), "is lower case")
		c.markAs(reOffice.MatchString(c.Value), "is office")
		c.markAs(len(s.authors.Candidates) == 1, "is alone")
		places := make(map[string]bool)
		for _, v := range c.Votes {
			place, _, _ := strings.Cut(v.Where, " ")
			places[place] = true
		}
		delete(places, "is")
		c.markAs(len(places) > 1, "is said twice")
		signed := false
		for k := range s.authors.Candidates {
			if k != i && s.authors.Candidates[k].signs() {
				signed = true
			}
		}
		c.markAs(signed && !c.signs(), "is beside a signed name")
	}
	if s.Script != news.ScriptLatn {
		for i := range s.authors.Candidates {
			s.authors.Candidates[i].mark("is on a Han page")
		}
	}
	s.mergePlaces()
	for i := range s.credit.Candidates {
		c := &s.credit.Candidates[i]
		c.markAs(isPerson(c.Value), "is person")
		c.markAs(s.site != "" && fold(c.Value) == s.site, "is publisher")
	}
}

// signs reports whether a label names c an author or reporter.
func (c *Candidate) signs() bool {
	for _, v := range c.Votes {
		if strings.HasSuffix(v.Where, " author") || strings.HasSuffix(v.Where, " reporter") || strings.HasSuffix(v.Where, " by") {
			return true
		}
	}
	return false
}

var (
	reOffice = pattern.MustCompile(`(?i)\b(?:editor|staff|team|desk|founder|ceo|director|manager|writer|contributor|admin|analyst|journalist|correspondent|reporter|by|written|reviewed|published|posted|updated|about|author|guest|news|press|editorial|office)\b`)
	// 本贴由大卫于2005年8月12日发表, 大卫 发表于 2025-11-17
	shownPlaces  = pattern.MustCompile(`^(?:byline|microdata|template|text)`)
	reAuthorLink = pattern.MustCompile(`(?i)[/?&](?:authors?|reporters?|writers?|journalists?|columnists?)[/=]`)
	// 新华社北京11月17日电
	reDateline = pattern.MustCompile(`^[（(\[【\s\x1f]*(?:据)?(\p{Han}{2,6}[社网網])[\s\x1f]*(?:\p{Han}{2,8})?(?:\d{1,2}月)?\d{1,2}日[\s\x1f]*(?:综合|綜合)?(?:电|電|讯|訊|消息)`)
	// 扬子晚报记者 张楠
	reMedium = pattern.MustCompile(`^[（(]?(\p{Han}{2,8}(?:报|報|社|网|網|台|刊|新闻|新聞))\s*(?:记者|記者)\s*\p{Han}{2,4}[\s)）]*`)
	reBlog   = pattern.MustCompile(`(?:^|[-_|丨\s])([^-_|丨\s]{2,12})的(?:博客|空间|空間|部落格|專欄|专栏|BLOG|Blog|blog)|^\s*(\S{2,12})\s*[|_]\s*blog\b`)
	rePosted = pattern.MustCompile(`由\s*\x1f?([\p{Han}\w·]{2,12})\x1f?\s*[于於在]\s*\x1f?(?:19|20)\d\d|^([\p{Han}\w·]{2,12})[\s\x1f]+(?:发表|發表|发布|發佈)[于於]`)
)

// underTitle votes for people whose names stand alone in the lines under the
// title, or in brackets after the last line.
func (s *signer) underTitle() {
	alone := func(i int, where string) bool {
		if i < 0 || i >= len(s.Doc.Blocks) || s.Doc.Blocks[i].Hidden || len(s.Doc.Blocks[i].Text) > 60 {
			return false
		}
		list := splitNames(strings.Trim(s.Doc.Blocks[i].Text, "（）()[]【】 \u3000"))
		people := 0
		for _, n := range list {
			if isPerson(n) {
				people++
			} else if k := utf8.RuneCountInString(n); !hanOnly(n) || k < 2 || k > 3 || notNames[n] {
				return false
			}
		}
		if 2*people < len(list) { // one of two names may have a rare surname
			return false
		}
		for _, n := range list {
			s.author(n, where)
		}
		return len(list) > 0
	}
	if s.head >= 0 && (s.first < 0 || s.head < s.first+2) {
		for i := s.head + 1; i <= s.head+4; i++ {
			alone(i, "byline alone")
		}
	}
	if s.first >= 0 {
		for i := s.first - 3; i <= s.first+2; i++ {
			alone(i, "text alone")
		}
	}
	for i := s.last; i >= 0 && i <= s.last+1; i++ {
		if i < len(s.Doc.Blocks) && strings.HasPrefix(strings.TrimSpace(s.Doc.Blocks[i].Text), "（") {
			alone(i, "text end alone")
		}
	}
}

// marked votes by elements that name themselves author, or source.
func (s *signer) marked() {
	for i := range s.Doc.Elements {
		e := &s.Doc.Elements[i]
		if e.End-e.First < 1 || e.End-e.First > 3 || s.Doc.Blocks[e.First].Hidden {
			continue
		}
		if s.last >= 0 && e.First > s.last+8 {
			return
		}
		n := e.Node
		class := strings.ToLower(dom.Attr(n, "class") + " " + dom.Attr(n, "id"))
		prop := dom.Attr(n, "itemprop")
		where := ""
		switch {
		case prop == "author":
			where = "microdata"
		case dom.Attr(n, "rel") == "author" || reAuthorLink.MatchString(dom.Attr(n, "href")):
			where = "microdata rel"
		case strings.Contains(class, "comment") || strings.Contains(class, "related") || strings.Contains(class, "avatar"):
		case strings.Contains(class, "author") && strings.Contains(class, "name"):
			where = "byline author-name"
		case strings.Contains(class, "author") && !strings.Contains(class, "authority") && !strings.Contains(class, "bio"):
			where = "byline author-class"
		case strings.Contains(class, "byline"):
			where = "byline class"
		}
		if where == "" {
			if reSourceClass.MatchString(class) {
				s.sourceClass(e)
			}
			continue
		}
		if e.First < s.head-4 {
			where += " far"
		} else if s.last >= 0 && e.First > s.last {
			where += " below"
		}
		text := strings.TrimSpace(textOf(s.Doc, e))
		if where == "byline class" {
			// Jane Doe, Some Medium, Taipei Monday 2 January 2006
			if name, rest, ok := strings.Cut(text, ","); ok && strings.TrimSpace(rest) != "" && capitalised(name) {
				text = name
			}
		}
		if length(text) > 30 || text == "" {
			continue
		}
		if a := byline(text); a != "" {
			text = a
		}
		text = strings.TrimSpace(reByEnd.ReplaceAllString(text, ""))
		if strings.ContainsAny(text, "：:。？?") || len(strings.Fields(text)) > 6 {
			continue
		}
		s.author(text, where)
		if hasHan(text) && !isPerson(text) && strings.HasPrefix(where, "byline author-name") {
			s.source(text, "byline account")
		}
	}
}

// capitalised reports whether s is two to four words that each begin with a
// capital letter, as a Western name does.
func capitalised(s string) bool {
	f := strings.Fields(s)
	if len(f) < 2 || len(f) > 4 {
		return false
	}
	for _, w := range f {
		if r, _ := utf8.DecodeRuneInString(w); !unicode.IsUpper(r) {
			return false
		}
	}
	return true
}

func textOf(d *dom.Document, e *dom.Element) string {
	b := &d.Blocks[e.First]
	if b.Element >= 0 && d.Elements[b.Element].Node == e.Node || len(b.Cuts) == 0 {
		return b.Text
	}
	return dom.Text(e.Node)
}
