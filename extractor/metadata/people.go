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

// role is what a label makes of the name behind it.
type role uint8

const (
	noRole role = iota
	authorRole
	editorRole
	reporterRole
	creditRole
	otherRole // ends a name but is not kept: 时间, 阅读, 责任校对 …
)

// labels are the words before a name, longest first where one begins another.
// A label needs a colon, bar or slash behind it unless bare is set.
var labels = []struct {
	text string
	role role
	bare bool
}{
	{"稿件来源", creditRole, false}, {"文章来源", creditRole, false}, {"信息来源", creditRole, false}, {"新闻来源", creditRole, false}, {"内容来源", creditRole, false},
	{"本文来源", creditRole, false}, {"来源于", creditRole, false}, {"来源", creditRole, false}, {"來源", creditRole, false}, {"文章來源", creditRole, false}, {"資料來源", otherRole, false}, {"资料来源", otherRole, false},
	{"数据来源", otherRole, false}, {"图片来源", otherRole, false}, {"圖片來源", otherRole, false}, {"图源", otherRole, false}, {"转载自", creditRole, true}, {"轉載自", creditRole, true},
	{"转自", creditRole, true}, {"轉自", creditRole, true}, {"摘自", creditRole, true}, {"出处", creditRole, false}, {"出處", creditRole, false}, {"稿源", creditRole, false}, {"消息来源", otherRole, false},
	{"责任编辑", editorRole, false}, {"責任編輯", editorRole, false}, {"执行主编", editorRole, false}, {"执行编辑", editorRole, false}, {"值班编辑", editorRole, false}, {"本文编辑", editorRole, false},
	{"网络编辑", editorRole, false}, {"责编", editorRole, false}, {"責編", editorRole, false}, {"编辑", editorRole, false}, {"編輯", editorRole, false}, {"主编", editorRole, false}, {"编审", editorRole, false}, {"核稿", otherRole, false},
	{"采访人员", reporterRole, false}, {"特约记者", reporterRole, true}, {"见习记者", reporterRole, true}, {"实习记者", reporterRole, true}, {"本报记者", reporterRole, true}, {"本网记者", reporterRole, true},
	{"本刊记者", reporterRole, true}, {"特派記者", reporterRole, true}, {"記者", reporterRole, true}, {"记者", reporterRole, true}, {"採訪", reporterRole, false}, {"采访", reporterRole, false},
	{"原标题", otherRole, false}, {"文章作者", authorRole, false}, {"本文作者", authorRole, false}, {"原作者", authorRole, false}, {"原创作者", authorRole, false}, {"作者", authorRole, false},
	{"撰稿", authorRole, false}, {"撰文", authorRole, false}, {"供稿", authorRole, false}, {"执笔人", authorRole, false}, {"执笔", authorRole, false}, {"撰稿人", authorRole, false}, {"通讯作者", authorRole, false}, {"实习生", reporterRole, true}, {"特约撰稿", authorRole, true}, {"通讯员", authorRole, true}, {"編譯", authorRole, false}, {"编译", authorRole, false},
	{"文", authorRole, false}, {"发布者", authorRole, false}, {"發布者", authorRole, false}, {"时间", otherRole, false}, {"時間", otherRole, false}, {"日期", otherRole, false}, {"发布时间", otherRole, false}, {"发布于", otherRole, true},
	{"阅读", otherRole, true}, {"浏览", otherRole, true}, {"瀏覽", otherRole, true}, {"点击", otherRole, true}, {"评论", otherRole, true}, {"字号", otherRole, true}, {"字体", otherRole, true}, {"人气", otherRole, false}, {"收藏", otherRole, true}, {"分享", otherRole, true},
	{"打印", otherRole, true}, {"校对", otherRole, false}, {"审核", otherRole, false}, {"监制", otherRole, false}, {"视频", otherRole, false}, {"摄影", otherRole, false}, {"攝影", otherRole, false}, {"图", otherRole, false}, {"我要", otherRole, true},
	{"关键词", otherRole, false}, {"标签", otherRole, false}, {"發佈", otherRole, true}, {"发布", otherRole, true}, {"更新", otherRole, true}, {"关注", otherRole, true}, {"微信", otherRole, true}, {"手机看", otherRole, true}, {"手机查看", otherRole, true},
	{"參考", otherRole, false}, {"专栏", otherRole, false}, {"大字", otherRole, true}, {"小字", otherRole, true}, {"举报", otherRole, true}, {"跟贴", otherRole, true}, {"点赞", otherRole, true},
}

const colons = ":：/／|｜丨∕ǀ"

// named is a name found behind a label.
type named struct {
	role role
	text string
	bare bool // the label had no colon
}

// sep stands for the border of an inline element in the text that is read.
const sep = '\x1f'

// line returns the text of block i with a mark where inline elements begin and
// end.
func (r *reader) line(i int) string {
	b := &r.Doc.Blocks[i]
	if len(b.Cuts) == 0 {
		return b.Text
	}
	var s strings.Builder
	last := 0
	for _, c := range b.Cuts {
		if c > last && c < len(b.Text) {
			s.WriteString(b.Text[last:c])
			s.WriteRune(sep)
			last = c
		}
	}
	s.WriteString(b.Text[last:])
	return s.String()
}

// labelAt returns the label that s begins with, how long it is with its colon,
// and whether there was a colon.
func labelAt(s string) (role, int, bool) {
	for i := range labels {
		l := &labels[i]
		if !strings.HasPrefix(s, l.text) {
			continue
		}
		n := len(l.text)
		rest := s[n:]
		t := strings.TrimLeft(rest, " \u3000\u00a0\x1f")
		if r, size := utf8.DecodeRuneInString(t); t != "" && strings.ContainsRune(colons, r) && (l.role != otherRole || r == ':' || r == '：') {
			return l.role, n + len(rest) - len(t) + size, true
		}
		if l.bare || (l.role == creditRole || l.role == authorRole) && len(l.text) == len("来源") {
			return l.role, n, false
		}
	}
	return noRole, 0, false
}

// readNames finds the labelled names in one line.
func readNames(s string) []named {
	var out []named
	prev := rune(' ')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		role, n, colon := noRole, 0, false
		if r > 0x2e80 {
			role, n, colon = labelAt(s[i:])
		}
		// 文 and 图 label a name only at the start of a part: 文/张三.
		if role != noRole && (strings.HasPrefix(s[i:], "文") || strings.HasPrefix(s[i:], "图")) && unicode.Is(unicode.Han, prev) && n < 8 {
			role = noRole
		}
		signed := role == reporterRole || role == authorRole
		if role != noRole && !colon && !(signed && len(s) < 160) && prev != ' ' && prev != sep && !strings.ContainsRune("（(【[|｜/／ 　，,。；;\"”", prev) {
			role = noRole
		}
		if role == noRole {
			prev = r
			i += size
			continue
		}
		i += n
		name, used := readName(s[i:], role, colon)
		if !colon && name != "" && !bareName(role, name, s) {
			name = ""
		}
		if name != "" {
			out = append(out, named{role, name, !colon})
		}
		i += used
		prev = ' '
	}
	return out
}

// readName returns the name at the start of s, and how much of s it took.
func readName(s string, role role, colon bool) (string, int) {
	start := len(s) - len(strings.TrimLeft(s, " \u3000\u00a0\x1f《"))
	t := s[start:]
	latin := false
	if r, _ := utf8.DecodeRuneInString(t); r < 0x2e80 {
		latin = true
	}
	if _, n, _ := labelAt(t); n > len("文/") {
		return "", start // the field is empty, the next label follows
	}
	i, words := 0, 0
	suffix := ""
loop:
	for i < len(t) {
		r, size := utf8.DecodeRuneInString(t[i:])
		switch {
		case role == creditRole && r == sep && placeSuffix(t[i+1:]) > 0:
			suffix = t[i+1 : i+1+placeSuffix(t[i+1:])]
			break loop
		case role == creditRole && (r == '(' || r == '（') && i > 0:
			// 第一财经日报(上海): the place belongs to the name.
			if n := placeSuffix(t[i:]); n > 0 {
				i += n
			}
			break loop
		case r == sep, strings.ContainsRune("，,。；;（()）【】[]|｜》：:", r), r == '／' && role != authorRole:
			break loop
		case r == '/' && role == reporterRole:
			break loop
		case unicode.IsDigit(r) && i == 0 && (role != creditRole || reStartDate.MatchString(t)), strings.HasPrefix(t[i:], "20") && len(t) > i+4 && i > 0 && !latin:
			break loop
		case r == ' ' || r == '\u3000' || r == '\u00a0':
			rest := strings.TrimLeft(t[i:], " \u3000\u00a0")
			next, _ := utf8.DecodeRuneInString(rest)
			if _, n, _ := labelAt(rest); n > 0 || unicode.IsDigit(next) {
				break loop
			}
			// Chinese names of people may follow each other with a space; a
			// medium's name ends at it.
			w := strings.IndexAny(rest, " \u3000\u00a0\x1f，,。；;（(|｜")
			if w < 0 {
				w = len(rest)
			}
			wl := utf8.RuneCountInString(rest[:w])
			if !latin && (role == creditRole || wl < 2 || wl > 4 || !hanOnly(rest[:w])) {
				break loop
			}
			if words++; words > 5 {
				break loop
			}
		default:
			if role != creditRole || i > 6 {
				if _, n, c := labelAt(t[i:]); n > 0 && i > 0 && c && r != '文' && r != '图' {
					break loop
				}
			}
		}
		i += size
	}
	name := strings.Trim(t[:i], " \u3000\u00a0、/-—·\t")
	name = strings.TrimRight(name, "》")
	if suffix != "" {
		name += suffix
		i += 1 + len(suffix)
	}
	limit := 12
	if role == creditRole {
		limit = 24
	}
	n := utf8.RuneCountInString(name)
	if words > 0 && role != creditRole {
		limit = 40 // several people
	}
	if latin {
		limit *= 3
	}
	if n < 2 || n > limit && colon || !colon && role != creditRole && n > 9 {
		if n > 0 && !colon {
			return "", 0
		}
		return "", start + i
	}
	return name, start + i
}

// placeSuffix returns the length of a bracketed place at the start of s.
func placeSuffix(s string) int {
	x := rePlace.FindString(s)
	return len(x)
}

var (
	rePlace     = regexp.MustCompile(`^[（(]\p{Han}{2,4}[)）]`)
	reStartDate = regexp.MustCompile(`^\d+(?:[-/.:年月日]|\s|$)`)
)

// bareName reports whether a name that follows its label without a colon is to
// be believed: a person for 记者 张三, a short field among others for 来源CSDN|.
func bareName(role role, name, line string) bool {
	switch role {
	case reporterRole:
		for _, n := range splitNames(name) {
			if !isPerson(n) {
				return false
			}
		}
		return true
	case authorRole:
		for _, n := range splitNames(name) {
			if !isPerson(n) {
				return false
			}
		}
		return len(line) < 160
	case creditRole:
		return len(line) < 240 && !strings.ContainsAny(name, "于自是的、")
	}
	return true
}

func hanOnly(s string) bool {
	for _, r := range s {
		if !unicode.Is(unicode.Han, r) && r != '·' {
			return false
		}
	}
	return s != ""
}

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

// isPerson reports whether s looks like a Chinese name: a known surname and one
// or two characters, or a foreign one with a middle dot.
func isPerson(s string) bool {
	if strings.Contains(s, "·") {
		return hanOnly(s) && utf8.RuneCountInString(s) <= 12
	}
	if !hanOnly(s) {
		return false
	}
	n := utf8.RuneCountInString(s)
	if n >= 3 && n <= 4 {
		for _, c := range compoundSurnames {
			if strings.HasPrefix(s, c) {
				return true
			}
		}
	}
	first, _ := utf8.DecodeRuneInString(s)
	return n >= 2 && n <= 3 && strings.ContainsRune(surnames, first) && !notNames[s]
}

// surnames are the commoner Chinese surnames in both scripts.
const surnames = "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何高林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭田董袁潘于蒋蔣蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鍾谭譚陆陸汪范金石廖贾賈夏韦韋付傅方白邹鄒孟熊秦邱丘江尹薛闫閻段雷侯龙龍史陶黎贺賀顾顧毛郝龚龔邵万萬钱錢严嚴覃武戴莫孔向汤湯常温康施文牛樊葛邢安齐齊易乔喬伍庞龐颜顏倪庄莊聂聶章鲁魯岳翟殷詹申欧歐耿关關兰蘭焦俞左柳甘祝包宁寧尚符舒阮柯纪紀梅童凌毕畢单單季裴霍涂成苗谷盛曲翁冉骆駱蓝藍路游辛靳管柴蒙鲍鮑华華喻祁蒲房滕屈饶饒解牟艾尤阳陽时時穆农農司卓古吉缪繆简簡车車项項连連芦蘆麦麥褚娄婁窦竇戚岑景党宫宮费費卜冷晏席卫衛米柏宗瞿桂全佟应應臧闵閔苟邬鄔边邊卞姬师師和仇栾欒隋商刁沙荣榮巫寇桑郎甄丛叢仲虞敖巩鞏明佘池查麻苑迟遲邝鄺官封谈談匡鞠惠荆荊乐樂冀郁胥南班储儲原栗燕楚鄢劳勞谌諶奚皮粟冼蔺藺楼樓盘盤满滿闻聞位厉厲伊仝区區郜海阚闞花权權强強帅帥屠豆朴盖蓋练練廉禹井祖漆巴丰豐支卿国國狄平计計索宣晋晉相初门門云雲容敬来扈晁芮都普阙闕浦戈伏鹿薄邸雍辜羊阿乌烏母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由"

var compoundSurnames = strings.Fields("欧阳 歐陽 上官 司马 司馬 诸葛 諸葛 皇甫 尉迟 公孙 公孫 慕容 令狐 东方 東方 夏侯 司徒 宇文 长孙 端木 南宫 独孤")

// notNames are words that look like names.
var notNames = func() map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq("关注 關注 文章 全文 时间 時間 方法 常见 安全 高清 国际 國際 国内 海外 金融 华为 明星 农业 成功 公司 公告 都市 文化 时尚 平台 相关 相關 阳光 商业 官方 和讯 易车 马上 关闭 關閉 查看 向上 原创 来源 计算 解读 解說 印刷 印度 元器件 任务 连载 信息 信息化 支持 向导 左右 查询 应用 全部 单位 温度 平安 路透 路透社 国产 高端 中新 安卓 花絮 包含 景点 余下 范围 古代 乐活 门户 权威 强势 利好 南方 云计算 和平 居民 干货 展开 智能 富士康 由此 但是 幸福 宣传 国家 容量 银行 海关 战略 明天 阅读 申请 项目 车讯 简介 连接 单击 成员 盛大 凌晨 游戏 管理 童话 毕业 季度 沙龙 明年 房产 项链 时评 时讯 时政 国企 方案 金属 白皮书 万象 严重 常用 毛利 江苏 安徽 宁夏 云南 海南 甘肃 江西 贺电 石油 石化 高通 夏普 康宁 阿里 施耐德 史上 贾跃亭说") {
		m[w] = true
	}
	return m
}()

// organisation matches Chinese names that are no person's.
var organisation = regexp.MustCompile(`(?:网|網|报|報|社|集团|集團|公司|网络|系统|中心|频道|頻道|新闻|新聞|资讯|資訊|编辑部|編輯部|報導|报道|日报|周刊|杂志|雜誌|电视台|電視台|在线|传媒|傳媒|科技|博客)$`)

// names collects names once each.
type names struct {
	list []string
	seen map[string]bool
}

func newNames() *names { return &names{seen: make(map[string]bool)} }

func (n *names) add(s, publisher string) {
	list := splitNames(s)
	if len(list) > 1 && strings.ContainsAny(s, "/／") && isPerson(list[0]) {
		// 許若白／新竹: what follows is where the report is from.
		list = slices.DeleteFunc(list, func(x string) bool { return !isPerson(x) })
	}
	for _, x := range list {
		x = strings.Trim(x, " \t\u3000,，、.-|/")
		x = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(x, "By "), "by "))
		for _, p := range [...]string{"記者", "记者", "本报记者", "編譯", "文字", "作者"} {
			x = strings.TrimSpace(strings.TrimPrefix(x, p))
		}
		if i := strings.IndexAny(x, "0123456789"); i > 0 && hasHan(x) {
			x = strings.TrimSpace(x[:i])
		}
		k := fold(x)
		if k == "" || n.seen[k] || utf8.RuneCountInString(x) < 2 || length(x) > 24 || reJunkName.MatchString(x) {
			continue
		}
		if p := fold(publisher); p != "" && (k == p || hasHan(x) && strings.Contains(p, k)) || hasHan(x) && organisation.MatchString(x) {
			continue
		}
		if len(n.list) >= 12 {
			return
		}
		n.seen[k] = true
		n.list = append(n.list, x)
	}
}

var reSplit = regexp.MustCompile(`\s*(?:[,;，；、&|/／]|\band\b)\s*`)

// splitNames cuts a list of names; Chinese names may be separated by spaces.
func splitNames(s string) []string {
	var out []string
	for _, x := range reSplit.Split(s, -1) {
		if f := strings.Fields(x); len(f) > 1 {
			all := true
			for _, w := range f {
				if n := utf8.RuneCountInString(w); !hanOnly(w) || n < 2 || n > 4 {
					all = false
				}
			}
			if all {
				out = append(out, f...)
				continue
			}
		}
		if x != "" {
			out = append(out, x)
		}
	}
	return out
}
