package metadata

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinwen/extractor/dom"
	"xinwen/news"
)

var (
	reBy       = regexp.MustCompile(`(?i)^(?:written\s+|posted\s+|reported\s+|words\s+|story\s+|text\s+)?by:?\s+(.{3,90})$`)
	reByEnd    = regexp.MustCompile(`(?i)\s*(?:[|·•–—\x1f(]|,\s*(?:staff|senior|contribut|special|associated|reuters|the |for |cnn|bbc|editor|correspondent|updated|published|posted|on\b|\d)|\b(?:on|at|in|published|updated|posted|for|and staff)\s+(?:\d|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|the )|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z.]*\s+\d|\d{1,2}[:/. ]|\s-\s).*$`)
	reTWReport = regexp.MustCompile(`^[［\[〔【（(]?\s*(?:記者|记者|編譯|编译|特派員|特派记者|特派記者)\s*([\p{Han}]{2,4}(?:、[\p{Han}]{2,4})*)\s*[／/](?:綜合|台北|臺北|新北|[\p{Han}]{2,6})?(?:報導|报道|專電|電)?`)
	reTWParen  = regexp.MustCompile(`[（(](?:中央社)?(?:記者|记者)([\p{Han}]{2,4})(?:[\p{Han}]{0,4}\d{0,2}日?電|[／/].{2,8})?[)）]`)
	reJunkName = regexp.MustCompile(`(?i)^(?:name|网络整理|admin|administrator|editor|staff|webmaster|guest|author|unknown|佚名|匿名|未知|管理员|本站|原创|转载|网络|互联网|不详|无|小编|记者|编辑)$|https?:|www\.|@|登录|注册|发布|关注|收藏|评论|阅读`)
)

// people fills the authors, editor, reporter and credit.
func (r *reader) people(m *Metadata) {
	h := r.Head
	authors := newNames()
	var read []named
	for _, i := range append(append([]int{}, r.zone...), r.tail...) {
		b := &r.Doc.Blocks[i]
		if b.Hidden || len(b.Text) > 3000 {
			continue
		}
		s := r.line(i)
		in := r.first >= 0 && i >= r.first && i <= r.last
		if in && b.Units > 60 {
			// A paragraph of the body names people only at its very ends.
			if i <= r.first+1 {
				read = append(read, head(s)...)
			}
			if i >= r.last-3 {
				read = append(read, tail(s)...)
			}
			continue
		}
		for _, x := range readNames(r.joinLabel(i, s)) {
			if x.role == creditRole && x.bare && (in || r.first >= 0 && i > r.last) {
				continue // （来源Trendforce） under a chart
			}
			read = append(read, x)
		}
		read = append(read, head(s)...)
		if a := byline(s); a != "" {
			read = append(read, named{role: authorRole, text: a})
		}
	}
	latin := r.Script == news.ScriptLatn
	if latin {
		r.structured(authors)
	}
	for _, x := range read {
		switch x.role {
		case authorRole:
			authors.add(x.text, "")
		case editorRole:
			if m.Editor == "" && !reJunkName.MatchString(x.text) {
				m.Editor = x.text
			}
		case reporterRole:
			if m.Reporter == "" && !reJunkName.MatchString(x.text) {
				m.Reporter = x.text
			}
		case creditRole:
			if m.Credit == "" && !strings.Contains(x.text, "://") && !reJunkCredit.MatchString(x.text) {
				m.Credit = x.text
			}
		}
	}
	if len(authors.list) == 0 && m.Reporter != "" {
		for _, s := range splitNames(m.Reporter) {
			authors.add(s, "")
		}
	}
	if len(authors.list) == 0 && !latin {
		r.underTitle(authors)
		r.structured(authors)
	}
	if len(authors.list) == 0 {
		for _, n := range [...]string{"author", "article:author", "og:article:author", "byl", "dc.creator", "dc.contributor", "parsely-author", "sailthru.author", "article:author_name", "dcterms.creator", "citation_author"} {
			if v := h.Meta[n]; v != "" && !strings.Contains(v, "://") && plausible(v) {
				authors.add(v, r.publisher())
				if len(authors.list) > 0 {
					break
				}
			}
		}
	}
	if len(authors.list) == 0 {
		r.marked(authors)
	}
	if len(authors.list) == 0 && r.Entry != nil {
		for _, s := range r.Entry.Authors {
			authors.add(s, "")
		}
	}
	m.Authors = authors.list
	if m.Credit == "" && !latin {
		m.Credit = r.besideDate()
	}
	if m.Credit == "" {
		if v := h.first("source", "article:source", "og:source", "contentsource", "mediaid"); v != "" && !strings.Contains(v, "://") && length(v) <= 20 {
			m.Credit = v
		}
	}
}

// structured adds the authors of the structured data.
func (r *reader) structured(authors *names) {
	for _, a := range r.Head.Article.Authors {
		if plausible(a) {
			authors.add(a, r.publisher())
		}
	}
}

// underTitle adds people whose names stand alone in the line under the title, or
// in brackets after the last line.
func (r *reader) underTitle(authors *names) {
	alone := func(i int) bool {
		if i < 0 || i >= len(r.Doc.Blocks) || r.Doc.Blocks[i].Hidden || len(r.Doc.Blocks[i].Text) > 60 {
			return false
		}
		list := splitNames(strings.Trim(r.Doc.Blocks[i].Text, "（）()[]【】"))
		for _, n := range list {
			if !isPerson(n) {
				return false
			}
		}
		for _, n := range list {
			authors.add(n, "")
		}
		return len(list) > 0
	}
	if r.head >= 0 && (r.first < 0 || r.head < r.first) && alone(r.head+1) {
		return
	}
	for i := r.last; i >= 0 && i <= r.last+1; i++ {
		if i < len(r.Doc.Blocks) && strings.HasPrefix(strings.TrimSpace(r.Doc.Blocks[i].Text), "（") && alone(i) {
			return
		}
	}
}

var reBesideDate = regexp.MustCompile(`^(?:原创[\s\x1f]*)?[《]?([\p{Han}\w·]{2,16}?)[》]?[\s|｜\x1f]*(?:19|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}|^(?:19|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?(?:\s*\d{1,2}:\d{2}(?::\d{2})?)?[\s|｜\x1f]*《([\p{Han}\w·]{2,16})》|(?:19|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?\s*\d{1,2}:\d{2}(?::\d{2})?[\s|｜\x1f]+([\p{Han}\w·]{3,16})$`)

// besideDate returns the medium whose name stands before the date under the
// title: 中国网 2019-11-25 10:37.
func (r *reader) besideDate() string {
	if r.head < 0 {
		return ""
	}
	for _, i := range r.zone {
		b := &r.Doc.Blocks[i]
		if i <= r.head || i > r.head+4 || r.first >= 0 && i >= r.first || b.Hidden || len(b.Text) > 90 {
			continue
		}
		x := reBesideDate.FindStringSubmatch(r.line(i))
		if x == nil {
			continue
		}
		name := x[1] + x[2] + x[3]
		if _, n, _ := labelAt(name); n == 0 && hasHan(name) && !isPerson(name) && !reJunkName.MatchString(name) && !reJunkCredit.MatchString(name) && !strings.ContainsAny(name, "时時日期于於") {
			return name
		}
	}
	return ""
}

var reJunkCredit = regexp.MustCompile(`(?i)^(?:网络|互联网|未知|不详|本站|原创|转载|作者|时间|日期)$|^[\d\s:.-]+$`)

// joinLabel appends the next block to one that ends in a label.
func (r *reader) joinLabel(i int, s string) string {
	t := strings.TrimRight(s, " \x1f")
	if len(t) > 60 || !(strings.HasSuffix(t, "：") || strings.HasSuffix(t, ":")) || i+1 >= len(r.Doc.Blocks) {
		return s
	}
	if next := &r.Doc.Blocks[i+1]; next.Units < 30 && !next.Hidden {
		return s + r.line(i+1)
	}
	return s
}

// head reads the forms that open a body: 記者張三／台北報導, （中央社記者張三…）.
func head(s string) []named {
	if len(s) > 400 {
		s = strings.ToValidUTF8(s[:400], "")
	}
	s = strings.ReplaceAll(s, string(sep), "")
	if x := reTWReport.FindStringSubmatch(s); x != nil {
		return []named{{role: reporterRole, text: x[1]}}
	}
	if x := reTWParen.FindStringSubmatchIndex(s); x != nil && x[0] < 60 {
		return []named{{role: reporterRole, text: s[x[2]:x[3]]}}
	}
	// 新京报讯（记者 陆一夫）
	if i := strings.IndexAny(s, "（("); i >= 0 && i < 60 {
		if j := strings.IndexAny(s[i:], "）)"); j > 0 && j < 150 && (strings.Contains(s[i:i+j], "记者") || strings.Contains(s[i:i+j], "記者")) {
			_, n := utf8.DecodeRuneInString(s[i:])
			return readNames(s[i+n : i+j])
		}
	}
	return nil
}

// tail reads the last bracket of a paragraph: （记者 张三 责任编辑：李四）, （作者：王五）.
func tail(s string) []named {
	s = strings.TrimRight(s, " \x1f。")
	for _, br := range [...][2]string{{"（", "）"}, {"(", ")"}, {"【", "】"}, {"[", "]"}} {
		if strings.HasSuffix(s, br[1]) {
			if i := strings.LastIndex(s, br[0]); i >= 0 && len(s)-i < 240 {
				inner := s[i+len(br[0]) : len(s)-len(br[1])]
				if out := readNames(inner); len(out) > 0 {
					return out
				}
				if names := splitNames(strings.TrimSpace(inner)); len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return !isPerson(n) || utf8.RuneCountInString(n) < 3 && len(names) == 1 }) {
					return []named{{role: authorRole, text: strings.Join(names, " ")}}
				}
			}
		}
	}
	return nil
}

func byline(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 160 {
		return ""
	}
	x := reBy.FindStringSubmatch(strings.ReplaceAll(s, string(sep), " "))
	if x == nil {
		return ""
	}
	name := strings.TrimSpace(reByEnd.ReplaceAllString(x[1], ""))
	if name == "" || !unicode.IsUpper([]rune(name)[0]) && !hasHan(name) || len(strings.Fields(name)) > 9 {
		return ""
	}
	return name
}

// marked reads elements that name themselves author.
func (r *reader) marked(authors *names) {
	for i := range r.Doc.Elements {
		e := &r.Doc.Elements[i]
		if e.End-e.First < 1 || e.End-e.First > 2 {
			continue
		}
		if r.first >= 0 && e.First > r.last+6 {
			return
		}
		n := e.Node
		class := strings.ToLower(dom.Attr(n, "class") + " " + dom.Attr(n, "id"))
		isAuthor := dom.Attr(n, "rel") == "author" || dom.Attr(n, "itemprop") == "author" ||
			strings.Contains(class, "author") && !strings.Contains(class, "authority") || strings.Contains(class, "byline")
		if !isAuthor || strings.Contains(class, "comment") {
			continue
		}
		s := strings.TrimSpace(textOf(r.Doc, e))
		if strings.Contains(class, "byline") {
			// Jane Doe, Some Medium, Taipei Monday 2 January 2006
			if name, rest, ok := strings.Cut(s, ","); ok && strings.TrimSpace(rest) != "" && capitalised(name) {
				s = name
			}
		}
		if length(s) > 30 || s == "" {
			continue
		}
		s = strings.TrimPrefix(strings.TrimPrefix(s, "By "), "by ")
		s = strings.TrimSpace(reByEnd.ReplaceAllString(s, ""))
		if strings.ContainsAny(s, "：:。？?") || len(strings.Fields(s)) > 6 {
			continue
		}
		if !plausible(s) {
			continue
		}
		before := len(authors.list)
		authors.add(s, r.publisher())
		if len(authors.list) > before {
			return
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

// plausible reports whether an author that no label in the text names can be
// people: content systems put the site, a number or "name" there.
func plausible(s string) bool {
	if hasHan(s) {
		for _, n := range splitNames(s) {
			for _, p := range [...]string{"記者", "记者", "編譯", "文/", "作者："} {
				n = strings.TrimSpace(strings.TrimPrefix(n, p))
			}
			if isPerson(n) {
				return true
			}
		}
		return false
	}
	letters := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	return letters >= 3
}

func textOf(d *dom.Document, e *dom.Element) string {
	b := &d.Blocks[e.First]
	if b.Element >= 0 && d.Elements[b.Element].Node == e.Node || len(b.Cuts) == 0 {
		return b.Text
	}
	return dom.Text(e.Node)
}
