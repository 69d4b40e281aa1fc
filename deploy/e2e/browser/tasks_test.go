package browser

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestSearchIsCompletedNarrowedAndSaved(t *testing.T) {
	b := open(t).tab(t, reader{lang: "en"})
	b.visit("/")
	b.focus("#q")
	b.press("t", "a", "i", "j", "i")
	b.until("suggestions", `document.querySelector("#q").getAttribute("aria-expanded") === "true"`)
	b.press(kb.ArrowDown)
	b.until("the first to be active", `document.getElementById(document.querySelector("#q").getAttribute("aria-activedescendant"))?.getAttribute("aria-selected") === "true"`)
	b.press(kb.Enter)
	b.until("it to be put in", `document.querySelector("#q").value === "entity:org:tsmc "`)
	b.follow(func() { b.press(kb.Enter) })
	total := value[string](b, `document.querySelector(".count").innerText`)
	b.follow(func() { b.click("aside a", "Traditional") })
	narrowed := value[string](b, `document.querySelector(".count").innerText`)
	if total == narrowed || !strings.Contains(narrowed, "article") {
		t.Errorf("got %q, then %q, want fewer", total, narrowed)
	}
	// A span of time is brushed over the histogram.
	box := value[struct{ X, Y, Width, Height float64 }](b, `document.querySelector("figure.chart svg").getBoundingClientRect().toJSON()`)
	at := func(part float64) (x, y float64) { return box.X + box.Width*part, box.Y + box.Height/2 }
	b.follow(func() {
		x, y := at(0.5)
		b.do(chromedp.MouseEvent(chromedp.MouseMoved, x, y), chromedp.MouseEvent(chromedp.MousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
		x, y = at(0.97)
		b.do(chromedp.MouseEvent(chromedp.MouseMoved, x, y, chromedp.ButtonLeft), chromedp.MouseEvent(chromedp.MouseReleased, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	})
	b.until("dates to be set", `new URL(location).searchParams.get("from") && new URL(location).searchParams.get("to")`)
	// The story of a hit is told in place.
	b.visit("/?q=HBM")
	b.click(".more-of-story a", "")
	b.until("the story", `document.querySelectorAll(".more-of-story .timeline li").length > 1`)
	// Chinese is shown in Simplified characters, and only shown so.
	b.visit("/?q=%E5%8F%B0%E7%A9%8D%E9%9B%BB")
	b.follow(func() { b.click(".characters a", "") })
	if text := value[string](b, `document.querySelector("#results .hits").innerText`); !strings.Contains(text, "台积电") || strings.Contains(text, "台積電") {
		t.Errorf("got %.300s, want it in Simplified characters", text)
	}
	if q := value[string](b, `document.querySelector("#q").value`); q != "台積電" {
		t.Errorf("got query %q, want it as it was typed", q)
	}
	// And in Traditional ones; what is marked stays marked.
	b.follow(func() { b.click(".characters a", "Traditional") })
	if text := value[string](b, `document.querySelector("#results .hits").innerText`); !strings.Contains(text, "台積電") || strings.Contains(text, "台积电") {
		t.Errorf("got %.300s, want it in Traditional characters", text)
	}
	if marks := value[[]string](b, `[...document.querySelectorAll(".hits h2 mark")].map(e => e.textContent).filter(s => !/TSMC/i.test(s))`); len(marks) == 0 || slices.ContainsFunc(marks, func(s string) bool { return s != "台積電" }) {
		t.Errorf("got marks on %q, want them on 台積電", marks)
	}
	b.picture("zh-Hant-characters-1440")
}

func TestAlertIsWrittenTestedSavedAndMuted(t *testing.T) {
	b := open(t).tab(t, reader{lang: "en"})
	b.visit("/alerts/test")
	b.focus("#test")
	b.write("台积电 AND 涨价")
	b.until("the test to follow", `document.querySelectorAll("#outcome .twofold rect").length > 0`)
	b.press(kb.End)
	b.write(")")
	b.until("the fault to follow", `document.querySelector("#outcome .query mark")?.textContent === ")"`)
	b.press(kb.Backspace)
	b.until("the test to follow again", `document.querySelectorAll("#outcome .twofold rect").length > 0`)
	b.focus("#name")
	b.press(kb.End)
	b.write("Price watch")
	b.follow(func() { b.click("button", "Save as an alert") })
	b.until("the list to say so", `document.querySelector(".said")?.innerText.includes("in force")`)
	b.follow(func() { b.click("button", "Mute for a day: Price watch") })
	b.until("it to be muted", element("tr", "Price watch")+`?.innerText.includes("muted")`)
	b.follow(func() { b.click("a", "Edit and test: Price watch") })
	b.until("it to be there to edit", `document.querySelector("#test").value === "台积电 AND 涨价"`)
	b.visit("/alerts")
	b.follow(func() { b.click("button", "Remove: Price watch") })
	b.until("it to be gone", "!"+element("tr", "Price watch"))
}

func TestArticleShowsCards(t *testing.T) {
	d := open(t)
	b := d.tab(t, reader{lang: "en"})
	b.visit("/article/" + d.article)
	b.focus("a.mention")
	b.until("the card", `!document.getElementById("card").hidden && document.activeElement.getAttribute("aria-describedby") === "card" && document.querySelector("#card .name")`)
	b.press(kb.Escape)
	b.until("the card to go", `document.getElementById("card").hidden`)
	b.follow(func() { b.press(kb.Enter) })
	b.until("the page of the entity", `location.pathname.startsWith("/entity/") && document.querySelector("h1")`)
}

func TestTrendsAreCompared(t *testing.T) {
	b := open(t).tab(t, reader{lang: "en"})
	b.visit("/trends")
	b.focus("#c0")
	b.write("NVIDIA")
	b.focus("#c1")
	b.write("台积电")
	b.press(kb.Escape) // the suggestions, if they are there
	b.follow(func() { b.press(kb.Enter) })
	b.until("two lines", `document.querySelectorAll(".plot canvas").length === 1 && document.querySelectorAll(".u-legend .u-series").length === 3`)
	b.until("shares", `document.querySelectorAll(".rows tbody tr").length === 2`)
}

func TestPipelineRenewsItselfAndRebuilds(t *testing.T) {
	b := open(t).tab(t, reader{lang: "en"})
	b.visit("/pipeline")
	b.follow(func() { b.click("button", "Build the index anew") })
	b.until("it to say so", `document.querySelector(".said")?.innerText.includes("rebuild has begun")`)
	b.until("the rebuild to be done", element("#live button", "anew"))
}

func TestOtherPagesDoTheirTask(t *testing.T) {
	d := open(t)
	b := d.tab(t, reader{lang: "en"})
	b.visit("/story/" + d.story)
	b.follow(func() { b.click(".timeline h2 a", "") })
	b.until("the article", `location.pathname.startsWith("/article/") && document.querySelector(".body p")`)
	b.visit("/entity/org:tsmc")
	b.until("aliases and the graph", `document.querySelectorAll(".aliases li").length > 3 && document.querySelectorAll(".graph circle").length > 3`)
	b.visit("/deliveries?rule=hostile")
	b.until("the log", `document.querySelector("main h1")`)
	b.visit("/sources")
	b.until("sources", `document.querySelectorAll(".rows tbody tr").length > 5`)
	b.visit("/help")
	b.follow(func() { b.click(".examples a", "") })
	b.until("an example to be followed", `location.pathname === "/" && document.querySelector("#q").value !== ""`)
	b.follow(func() { b.click(`a[hreflang="zh-Hant"]`, "") })
	b.until("another language", `document.documentElement.lang === "zh-Hant"`)
}

func TestKeyboardAloneIsEnough(t *testing.T) {
	b := open(t).tab(t, reader{lang: "en"})
	b.visit("/")
	b.press(kb.Tab) // from the top: the way to the results comes first
	b.until("the skip link", `document.activeElement.className === "skip"`)
	b.press("/")
	b.until("/ to ask", `document.activeElement.id === "q"`)
	b.write("HBM")
	b.press(kb.Escape)
	b.follow(func() { b.press(kb.Enter) })
	b.press("j", "j", "k")
	b.until("j and k to go through the list", `document.activeElement === document.querySelector(".hits h2 a")`)
	b.follow(func() { b.press("o") })
	b.until("o to open", `location.pathname.startsWith("/article/")`)
	b.follow(func() { b.press("?") })
	b.until("? to help", `location.pathname === "/help"`)
	// Every control can be reached, and shows that it has the focus.
	b.visit("/alerts/test?q=HBM")
	seen := 0
	for range 80 {
		b.press(kb.Tab)
		at := value[struct {
			Tag           string
			Visible, Ring bool
		}](b, `(e => ({tag: e.tagName + "." + e.className, visible: e.getBoundingClientRect().width > 0, ring: getComputedStyle(e).outlineStyle !== "none"}))(document.activeElement)`)
		if strings.HasPrefix(at.Tag, "BODY") {
			break
		}
		seen++
		if !at.Visible || !at.Ring {
			t.Errorf("control %d: got %+v, want one that shows its focus", seen, at)
		}
	}
	if seen < 20 {
		t.Errorf("got to %d controls, want all of the page", seen)
	}
}

func TestPagesWorkWithoutScript(t *testing.T) {
	d := open(t)
	b := d.tab(t, reader{lang: "en", noScript: true})
	visible := func(css string) {
		t.Helper()
		b.until(css, element(css, "")+`?.getBoundingClientRect().height > 0`)
	}
	b.visit("/")
	b.focus("#q")
	b.write("HBM")
	b.press(kb.Enter)
	visible(".hits mark")
	b.click(".hits h2 a", "")
	visible(".reading .body p")
	b.visit("/alerts/test?q=HBM")
	visible("#outcome .twofold")
	b.visit("/trends?c=NVIDIA&c=TSMC")
	visible("svg.lines")
}

// hostileArticle brings an article in that is hostile in all that an import may
// say, and returns its ID.
func (d *desk) hostileArticle(t *testing.T) string {
	t.Helper()
	line := map[string]string{"id": "hostile", "title": "Quuxite " + hostile, "text": "Quuxite made by 台积电. " + hostile + "\n" + hostile, "lang": "en", "source": "import"}
	if err := call(t.Context(), http.MethodPost, d.base+"/v1/articles", line, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var found struct{ Hits []struct{ ID string } }
		if err := call(ctx, http.MethodGet, d.base+"/v1/search?q=Quuxite", nil, &found); err == nil && len(found.Hits) == 1 {
			return found.Hits[0].ID
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the hostile article cannot be found")
		}
	}
}

// header returns the header of what a path answers.
func (d *desk) header(t *testing.T, path string) http.Header {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close() // only its header counts
	return res.Header
}

func TestHostileNamesAreInert(t *testing.T) {
	d := open(t)
	b := d.tab(t, reader{lang: "en"})
	article := "/article/" + d.hostileArticle(t)
	for _, path := range []string{"/?q=Quuxite", article, article + "/revisions", "/sources?status=%3Cscript%3E", "/alerts", "/alerts/test?id=hostile", "/deliveries?rule=hostile", "/?q=%22%3E%3Cscript%3Edocument.title%3D'owned'%3C%2Fscript%3E", "/trends?c=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E"} {
		b.visit(path)
		state := value[struct {
			Title    string
			Elements int
		}](b, `({title: document.title, elements: document.querySelectorAll("img, script:not([src^='/static/']), iframe").length})`)
		if strings.HasPrefix(state.Title, "owned") || state.Elements > 0 {
			t.Errorf("%s: got %+v, want nothing of it to run", path, state)
		}
	}
	// What is no page must not be taken for one.
	for _, path := range []string{"/feeds/search.rss?q=Quuxite", "/feeds/search.atom?q=Quuxite", "/feeds/search.json?q=Quuxite", "/v1/export?q=Quuxite", "/v1/search?q=Quuxite", "/v1/search?q=((%3Cscript%3E", "/suggest?q=%3Cscript%3E", "/v1" + strings.Replace(article, "/article/", "/articles/", 1), "/nowhere.json"} {
		header := d.header(t, path)
		if kind := header.Get("Content-Type"); strings.Contains(kind, "html") || kind == "" || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got type %q, %q, want one that browsers run nothing of", path, kind, header.Get("X-Content-Type-Options"))
		}
	}
	for _, path := range []string{"/", "/alerts", "/static/suggest.js"} {
		header := d.header(t, path)
		policy := header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: got policy %q", path, policy)
		}
	}
}
