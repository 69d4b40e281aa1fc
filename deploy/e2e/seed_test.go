package e2e

import (
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"xinwen/deploy/simweb"
	"xinwen/news/weburl"
)

const (
	seedDir = "../../../shared/data/seed"
	seedURL = "http://www.seed-demo.example/article/202511/472001.htm"
)

// seedPage makes a page of its own template around a text as a scraper left it:
// spam line, section, breadcrumb, title, a line with author, time and credit,
// the body, and what follows it.
func seedPage(t *testing.T, text string) (page, title string, body []string) {
	t.Helper()
	var lines []string
	for l := range strings.SplitSeq(text, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	end := slices.Index(lines, "評論")
	if len(lines) < 10 || end < 0 {
		t.Fatal("the seed text has another form")
	}
	spam, section, crumb, title, about, body, tail := lines[0], lines[1], lines[2], lines[3], lines[4], lines[5:end], lines[end:]
	var b strings.Builder
	div := func(class, text string) {
		b.WriteString(`<div class="` + class + `">` + html.EscapeString(text) + "</div>\n")
	}
	b.WriteString(`<!DOCTYPE html><html><head><meta charset="utf-8"><title>` + html.EscapeString(title) + "-演示</title></head><body>\n")
	div("top", spam)
	div("channel", section)
	div("bread", crumb)
	b.WriteString("<h1>" + html.EscapeString(title) + "</h1>\n")
	div("authorTimeSource", about)
	b.WriteString(`<div id="contentDiv">` + "\n")
	for _, p := range body {
		b.WriteString("<p>" + html.EscapeString(p) + "</p>\n")
	}
	b.WriteString("</div>\n")
	for _, l := range tail {
		b.WriteString("<h3>" + html.EscapeString(l) + `</h3><div class="box"><a href="/a.htm">相關文章一則</a> <a href="/b.htm">相關文章二則</a></div>` + "\n")
	}
	b.WriteString("</body></html>\n")
	return b.String(), title, body
}

func TestSeedArticleIsFoundByEveryName(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(seedDir, "eepw-2025-11-17.txt"))
	if err != nil {
		t.Skip("no seed text at ../shared/data/seed")
	}
	page, title, body := seedPage(t, string(text))
	dir := t.TempDir()
	index, err := json.Marshal([]map[string]string{{
		"id": "seed", "file": "seed.html", "encoding": "utf-8", "declared_charset": "utf-8", "site": "seed", "title": title, "url": seedURL,
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"seed.html": []byte(page), "index.json": index} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	web := startWeb(t, simweb.Options{NoDemo: true, Folder: dir})
	c := start(t, prepare(t, web, simweb.SourceOptions{Delay: delay}))
	c.Until(demoTime, func() string { return short(c.Count(), 1) })
	a, err := c.Article(weburl.ID(seedURL))
	if err != nil {
		t.Fatal(err)
	}
	if a.Title != title {
		t.Errorf("title: got %q, want %q", a.Title, title)
	}
	if got := day(a.Published, "Asia/Shanghai"); got != "2025-11-17" {
		t.Errorf("published: got %s, want 2025-11-17", got)
	}
	if len(a.Authors) > 0 || a.Credit != "" {
		t.Errorf("authors %q, credit %q: the page leaves both empty", a.Authors, a.Credit)
	}
	for _, fault := range textFaults(a.Text, strings.Join(body, "\n")) {
		t.Error(fault)
	}
	for _, spam := range []string{"久久", "相關推薦", "技術專區", "關閉", "收藏"} {
		if strings.Contains(a.Text, spam) {
			t.Errorf("%q is in the text", spam)
		}
	}
	for _, q := range []string{"英伟达", "英偉達", "輝達", "NVIDIA", "黄仁勋", "黃仁勳", "黃仁勛"} {
		if len(c.Search(q)) != 1 {
			t.Errorf("search for %s does not find the article", q)
		}
	}
	// The date is in no zone but the source's; a day either way is wrong.
	if a.Published.Before(time.Date(2025, 11, 16, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("published: %s", a.Published)
	}
}
