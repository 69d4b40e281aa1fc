package simweb

import (
	"embed"
	"fmt"
	"html/template"
	"net/url"
	gopath "path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

//go:embed demo
var demoFS embed.FS

// pageData is what the templates of pages and list pages get.
type pageData struct {
	Site       *site
	Article    *Article
	Paragraphs []template.HTML
	// Others are further articles of the site, for related blocks.
	Others []*Article
	// Items are the articles of a list page, Prev and Next its neighbours.
	Items []*Article
	// Of an article that is spread over pages, Pager are all of them.
	Page, Pages int
	Prev, Next  string
	Pager       []pagerLink
}

// pagerLink leads to one page of an article; Path is "" for the page itself.
type pagerLink struct {
	Number int
	Path   string
}

// Time returns the article's time in the site's zone.
func (p pageData) Time() time.Time { return p.Article.Published.In(p.Site.zone) }

// Forbidden are paths that the site links although its robots.txt forbids them.
func (p pageData) Forbidden() []string {
	var all []string
	for _, d := range p.Site.Robots.Disallow {
		all = append(all, d+"draft.html")
	}
	return all
}

// Note says that the article is a demo text.
func (p pageData) Note() string { return demoNote(p.Site.Lang) }

func demoNote(lang string) string {
	switch lang {
	case "en":
		return "Demo article, fictional content. People, figures and events are invented."
	case "zh-Hant":
		return "演示文章，內容虛構：人物、數字與事件均為虛構。"
	default:
		return "演示文章，内容虚构：人物、数字和事件均为虚构。"
	}
}

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"in":   func(t time.Time, s *site) time.Time { return t.In(s.zone) },
	"path": func(a *Article) string { return pathOf(a.URL) },
	"roc": func(t time.Time) string { // 民國
		return fmt.Sprintf("民國%d年%d月%d日", t.Year()-1911, t.Month(), t.Day())
	},
	"join":  strings.Join,
	"lead":  lead,
	"lines": func(s string) []string { return strings.Split(s, "\n") },
}).ParseFS(demoFS, "demo/templates/*.html"))

// page returns the data for the i-th article.
func (s *site) page(i int) pageData {
	a := s.articles[i]
	var others []*Article
	for k := 1; k < len(s.articles) && len(others) < 4; k++ {
		others = append(others, s.articles[(i+k)%len(s.articles)])
	}
	return pageData{Site: s, Article: a, Paragraphs: s.paragraphs(a), Others: others}
}

// parts returns the data for each page of the i-th article, and their paths.
func (s *site) parts(i int) (pages []pageData, paths []string) {
	whole := s.page(i)
	n := max(whole.Article.Parts, 1)
	for k := range n {
		path := pathOf(whole.Article.URL)
		if k > 0 {
			ext := gopath.Ext(path)
			path = fmt.Sprintf("%s_%d%s", strings.TrimSuffix(path, ext), k+1, ext)
		}
		paths = append(paths, path)
	}
	all := whole.Paragraphs
	for k := range n {
		p := whole
		p.Paragraphs = all[k*len(all)/n : (k+1)*len(all)/n]
		p.Page, p.Pages = k+1, n
		for j := range n {
			l := pagerLink{Number: j + 1, Path: paths[j]}
			if j == k {
				l.Path = ""
			}
			p.Pager = append(p.Pager, l)
		}
		if k+1 < n {
			p.Next = paths[k+1]
		}
		pages = append(pages, p)
	}
	return pages, paths
}

// paragraphs returns the text as HTML with keywords linked as the site does it.
func (s *site) paragraphs(a *Article) []template.HTML {
	linked := make(map[string]bool)
	var all []template.HTML
	for p := range strings.SplitSeq(a.Text, "\n") {
		all = append(all, template.HTML(s.linkKeywords(p, a.Keywords, linked)))
	}
	return all
}

// linkKeywords escapes a paragraph and links its keywords, the longest first.
func (s *site) linkKeywords(p string, keywords []string, linked map[string]bool) string {
	if s.Links == "" || len(keywords) == 0 {
		return template.HTMLEscapeString(p)
	}
	words := slices.SortedFunc(slices.Values(keywords), func(a, b string) int { return len(b) - len(a) })
	var b strings.Builder
	plain := 0
	for i := 0; i < len(p); {
		w := wordAt(p, i, words)
		if w == "" || s.Links == "first" && linked[w] {
			_, size := utf8.DecodeRuneInString(p[i:])
			i += size
			continue
		}
		linked[w] = true
		b.WriteString(template.HTMLEscapeString(p[plain:i]))
		fmt.Fprintf(&b, `<a href="/tag/%s.html" target="_blank" class="kw">%s</a>`, url.PathEscape(w), template.HTMLEscapeString(w))
		i += len(w)
		plain = i
	}
	b.WriteString(template.HTMLEscapeString(p[plain:]))
	return b.String()
}

// wordAt returns the word that stands at p[i:]; Latin words only as a whole.
func wordAt(p string, i int, words []string) string {
	for _, w := range words {
		if !strings.HasPrefix(p[i:], w) {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(p[:i])
		after, _ := utf8.DecodeRuneInString(p[i+len(w):])
		first, _ := utf8.DecodeRuneInString(w)
		last, _ := utf8.DecodeLastRuneInString(w)
		if latin(first) && latin(before) || latin(last) && latin(after) {
			continue
		}
		return w
	}
	return ""
}

func latin(r rune) bool { return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// lead returns the beginning of a text, as feeds and list pages show it.
func lead(a *Article) string {
	first, _, _ := strings.Cut(a.Text, "\n")
	r := []rune(first)
	if len(r) <= 90 {
		return first
	}
	if a.Lang == "en" {
		s := string(r[:min(len(r), 160)])
		if i := strings.LastIndexByte(s, ' '); i > 0 && len(r) > 160 {
			s = s[:i] + "…"
		}
		return s
	}
	return string(r[:90]) + "…"
}

// demoSites reads and renders the demo web, or the sites of it that ids name.
func demoSites(now time.Time, ids []string) ([]*site, error) {
	data, err := demoFS.ReadFile("demo/sites.yaml")
	if err != nil {
		return nil, err
	}
	var configs []siteConfig
	if err := yaml.UnmarshalWithOptions(data, &configs, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("demo/sites.yaml: %w", err)
	}
	byID := make(map[string]*site)
	var all []*site
	for _, c := range configs {
		s := &site{siteConfig: c}
		s.build = s.render
		if s.zone, err = time.LoadLocation(c.Zone); err != nil {
			return nil, fmt.Errorf("demo/sites.yaml: %s: %w", c.ID, err)
		}
		if byID[c.ID] != nil {
			return nil, fmt.Errorf("demo/sites.yaml: two sites %q", c.ID)
		}
		byID[c.ID] = s
		all = append(all, s)
	}
	if err := readArticles(demoFS, "demo/articles", now, byID); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if byID[id] == nil {
			return nil, fmt.Errorf("simweb: there is no demo site %q", id)
		}
	}
	if len(ids) > 0 {
		all = slices.DeleteFunc(all, func(s *site) bool { return !slices.Contains(ids, s.ID) })
	}
	for _, s := range all {
		if err := s.build(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
