package simweb

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"xinwen/news"
)

// Article is the truth about one article of the demo web: what a perfect crawl
// and extraction of its page finds.
type Article struct {
	// Name is unique in the demo web and part of the URL.
	Name string
	URL  string
	// Source is the ID of the site, Publisher its name.
	Source    string
	Publisher string
	Title     string
	// Text has one line per paragraph.
	Text string
	// Lang and Script are as in news.Article.
	Lang   string
	Script string
	// Published is zero where neither page nor feed tells it; DateOnly says
	// that the page tells the day alone.
	Published time.Time
	DateOnly  bool
	// Authors, Reporter, Editor and Credit are empty where the site's pages do
	// not show them.
	Authors  []string
	Reporter string
	Editor   string
	Credit   string
	// Keywords are the words that pages link inside the text.
	Keywords []string
	// Event is the same for articles about one event.
	Event string
	// Parts is over how many pages the site spreads it; below 2 it is on one.
	Parts int
}

// frontMatter is the head of an article file.
type frontMatter struct {
	Name     string   `yaml:"name"`
	Site     string   `yaml:"site"`
	Title    string   `yaml:"title"`
	Age      string   `yaml:"age"` // before Options.Now, as "26h" or "3d4h"; some minutes join it
	Authors  []string `yaml:"authors"`
	Reporter string   `yaml:"reporter"`
	Editor   string   `yaml:"editor"`
	Credit   string   `yaml:"credit"`
	Keywords []string `yaml:"keywords"`
	Event    string   `yaml:"event"`
	Parts    int      `yaml:"parts"`
}

// parseArticle reads an article file: YAML between two lines "---", then
// paragraphs separated by empty lines.
func parseArticle(name string, data []byte, now time.Time, sites map[string]*site) (*Article, error) {
	rest, ok := bytes.CutPrefix(data, []byte("---\n"))
	head, body, ok2 := bytes.Cut(rest, []byte("\n---\n"))
	if !ok || !ok2 {
		return nil, fmt.Errorf("%s: the file must start with front matter between two lines ---", name)
	}
	var f frontMatter
	if err := yaml.UnmarshalWithOptions(head, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := sites[f.Site]
	if s == nil {
		return nil, fmt.Errorf("%s: no site %q in sites.yaml", name, f.Site)
	}
	if f.Name+".md" != path.Base(name) {
		return nil, fmt.Errorf("%s: name %q differs from the file's", name, f.Name)
	}
	age, err := parseAge(f.Age)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// Not all at the same minute of the hour.
	published := now.Add(-age - minutes(f.Name)).Truncate(time.Minute)
	var paragraphs []string
	for p := range strings.SplitSeq(strings.TrimSpace(string(body)), "\n\n") {
		p = strings.ReplaceAll(strings.TrimSpace(p), "\n", joint(s.Lang))
		paragraphs = append(paragraphs, fillDates(p, published.In(s.zone), s.Lang))
	}
	return &Article{
		Name:      f.Name,
		Source:    f.Site,
		Title:     fillDates(f.Title, published.In(s.zone), s.Lang),
		Text:      strings.Join(paragraphs, "\n"),
		Published: published,
		Authors:   f.Authors,
		Reporter:  f.Reporter,
		Editor:    f.Editor,
		Credit:    f.Credit,
		Keywords:  f.Keywords,
		Event:     f.Event,
		Parts:     f.Parts,
	}, nil
}

// joint is what stands for a line break inside a paragraph.
func joint(lang string) string {
	if lang == "en" {
		return " "
	}
	return ""
}

func parseAge(s string) (time.Duration, error) {
	days := 0
	rest := s
	if d, r, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.Atoi(d)
		if err != nil {
			return 0, fmt.Errorf("age %q: write it as 26h or 3d4h30m", s)
		}
		days, rest = n, r
	}
	var d time.Duration
	if rest != "" {
		var err error
		if d, err = time.ParseDuration(rest); err != nil {
			return 0, fmt.Errorf("age %q: write it as 26h or 3d4h30m", s)
		}
	}
	return time.Duration(days)*24*time.Hour + d, nil
}

// minutes are some that a name decides, less than an hour.
func minutes(name string) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	return time.Duration(h.Sum32()%60) * time.Minute
}

var dateField = regexp.MustCompile(`\{(day|month|year|quarter)([+-]\d+)?\}`)

// fillDates replaces {day-3}, {month-1}, {year+1} and {quarter-1} by dates
// counted from the time of publication, so that a text never contradicts it.
func fillDates(text string, published time.Time, lang string) string {
	return dateField.ReplaceAllStringFunc(text, func(field string) string {
		m := dateField.FindStringSubmatch(field)
		n := 0
		if m[2] != "" {
			n, _ = strconv.Atoi(m[2]) // the expression admits digits alone
		}
		first := time.Date(published.Year(), published.Month(), 1, 0, 0, 0, 0, published.Location())
		switch m[1] {
		case "day":
			return dayName(published.AddDate(0, 0, n), lang)
		case "month":
			return monthName(first.AddDate(0, n, 0), lang)
		case "year":
			return strconv.Itoa(published.Year() + n)
		default:
			return quarterName(first.AddDate(0, 3*n, 0), lang)
		}
	})
}

func dayName(t time.Time, lang string) string {
	if lang == "en" {
		return t.Format("January 2")
	}
	return t.Format("1月2日")
}

func monthName(t time.Time, lang string) string {
	if lang == "en" {
		return t.Format("January")
	}
	return t.Format("1月")
}

func quarterName(t time.Time, lang string) string {
	q := (int(t.Month()) - 1) / 3
	switch lang {
	case "en":
		return [...]string{"first", "second", "third", "fourth"}[q] + " quarter"
	case "zh-Hant":
		return "第" + [...]string{"一", "二", "三", "四"}[q] + "季"
	default:
		return "第" + [...]string{"一", "二", "三", "四"}[q] + "季度"
	}
}

// langScript splits a site's lang into the two fields of an article.
func langScript(lang string) (string, string) {
	switch lang {
	case "zh-Hans":
		return "zh", news.ScriptHans
	case "zh-Hant":
		return "zh", news.ScriptHant
	default:
		return "en", news.ScriptLatn
	}
}

// readArticles reads every article file of dir and hands it to its site.
func readArticles(fsys fs.FS, dir string, now time.Time, sites map[string]*site) error {
	names, err := fs.Glob(fsys, path.Join(dir, "*.md"))
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		a, err := parseArticle(name, data, now, sites)
		if err != nil {
			return err
		}
		s := sites[a.Source]
		s.complete(a)
		s.articles = append(s.articles, a)
	}
	return nil
}
