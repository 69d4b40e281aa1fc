package extractor

import (
	"bufio"
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xinwen/news/lexicon"
)

// seedPage puts the seed article, which is plain text as a bad scraper left it,
// into a page of the kind it came from, and returns the article's paragraphs.
func seedPage(t *testing.T) (page string, paragraphs []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", "seed", "eepw-2025-11-17.txt"))
	if err != nil {
		t.Skip("the seed article is not beside the project")
	}
	lines := strings.Split(string(data), "\n")
	var b strings.Builder
	b.WriteString("<html><head><meta charset=\"utf-8\">")
	state := "spam"
	title := ""
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if l == "" {
			continue
		}
		e := html.EscapeString(l)
		switch {
		case state == "spam":
			b.WriteString("</head><body><p>" + e + "</p>")
			state = "head"
		case state == "head" && strings.HasPrefix(l, "EEPW"):
			b.WriteString("<div class=\"crumb\">" + e + "</div>")
			title = strings.TrimSpace(l[strings.LastIndex(l, ">")+1:])
		case state == "head" && l == title:
			b.WriteString("<title>" + e + "-電子產品世界</title><h1>" + e + "</h1>")
		case state == "head" && strings.HasPrefix(l, "作者"):
			b.WriteString("<p class=\"info\">" + e + "</p><div class=\"text\">")
			state = "body"
		case state == "head":
			b.WriteString("<h2>" + e + "</h2>")
		case state == "body" && l == "評論":
			b.WriteString("</div><div class=\"pl\"><h3>" + e + "</h3><p>說得很對，不過我覺得樓上的網友太樂觀。</p></div>")
			state = "tail"
		case state == "body":
			b.WriteString("<p>" + e + "</p>")
			paragraphs = append(paragraphs, l)
		default:
			b.WriteString("<div><h3>" + e + "</h3><ul><li><a href=\"/1\">英偉達財報會前瞻</a></li><li><a href=\"/2\">光刻機出口再收緊</a></li></ul></div>")
		}
	}
	b.WriteString("</body></html>")
	return b.String(), paragraphs
}

func TestSeedArticleIsExtracted(t *testing.T) {
	page, paragraphs := seedPage(t)
	x := newExtractor(t, Options{})
	a, err := x.Extract(htmlPage("article/202511/1", page))
	if err != nil {
		t.Fatal(err)
	}
	if want := "面對中國AI對手,英偉達卡緊“產能”和“存儲”的脖子"; a.Title != want {
		t.Errorf("title: got %q, want %q", a.Title, want)
	}
	if got := a.Published.Format("2006-01-02"); got != "2025-11-17" {
		t.Errorf("published: got %s, want 2025-11-17", got)
	}
	if len(a.Authors) != 0 || a.Credit != "" {
		t.Errorf("authors and credit: got %q, %q, want none: their fields are empty", a.Authors, a.Credit)
	}
	for _, p := range paragraphs {
		if squeeze(p) != "" && !strings.Contains(squeeze(a.Text), squeeze(p)) {
			t.Errorf("paragraph lost: %.60q", p)
		}
	}
	for _, spam := range []string{"久久", "新聞中心", "EEPW首頁", "收藏", "樓上的網友", "相關推薦", "前瞻", "技術專區", "關閉"} {
		if strings.Contains(a.Text, spam) {
			t.Errorf("the text has %q, which is not of the article", spam)
		}
	}
	for _, code := range []string{"lost-link-text", "converted-script"} {
		if !strings.Contains(strings.Join(a.Warnings, "\n"), code+":") {
			t.Errorf("warnings: got %q, want %s", a.Warnings, code)
		}
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

func TestSeedEntitiesAreFoundWithTheirCounts(t *testing.T) {
	_, paragraphs := seedPage(t)
	f, err := os.Open(filepath.Join("..", "..", "shared", "data", "seed", "entities.jsonl"))
	if err != nil {
		t.Skip("the seed's entities are not beside the project")
	}
	defer func() { _ = f.Close() }() // opened for reading
	lex, err := lexicon.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	x := newExtractor(t, Options{Lexicon: lexicon.NewStore(lex)})
	counts := make(map[string]int)
	for _, m := range x.Annotate("", strings.Join(paragraphs, "\n"), "zh", fetched) {
		counts[m.Surface]++
	}
	quantity := map[string]bool{"DATE": true, "MONEY": true, "PERCENT": true, "NODE": true}
	known, unknown := 0, 0
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		var e struct {
			Surface, Type string
			CountBody     int `json:"count_body"`
		}
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.CountBody == 0 {
			continue
		}
		if !quantity[e.Type] && len(lex.Lookup(e.Surface)) == 0 {
			unknown++
			continue
		}
		known++
		if counts[e.Surface] != e.CountBody {
			t.Errorf("%s %q: got %d, want %d", e.Type, e.Surface, counts[e.Surface], e.CountBody)
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d surfaces found with their counts, %d are not in the lexicon", known, unknown)
}
