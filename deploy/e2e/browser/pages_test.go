package browser

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// pages are the addresses of every page, by name.
func (d *desk) pages() []struct{ name, path string } {
	q := url.QueryEscape("台积电 AND 涨价")
	return []struct{ name, path string }{
		{"search", "/?q=" + url.QueryEscape("台积电")},
		{"newest", "/"},
		{"fault", "/?q=" + url.QueryEscape("台积电 AND (涨价")},
		{"article", "/article/" + d.article},
		{"revisions", "/article/" + d.article + "/revisions"},
		{"story", "/story/" + d.story},
		{"entity", "/entity/org:tsmc"},
		{"trends", "/trends"},
		{"compare", "/trends?c=NVIDIA&c=TSMC&c=HBM&days=30"},
		{"alerts", "/alerts"},
		{"editor", "/alerts/test?q=" + q},
		{"why", "/alerts/why?id=hostile&article=" + d.article},
		{"deliveries", "/deliveries"},
		{"sources", "/sources"},
		{"pipeline", "/pipeline"},
		{"settings", "/settings"},
		{"help", "/help"},
		{"guide", "/guide"},
		{"nowhere", "/nowhere"},
	}
}

// readers are both themes and the languages. The rules of accessibility are tested
// at one width of each.
var readers = []struct {
	name string
	reader
	tag        string
	accessible int
	// pages are those to look at; nil means all.
	pages []string
}{
	{"en-light", reader{lang: "en"}, "en", narrow, nil},
	{"zh-Hans-dark", reader{lang: "zh-CN", dark: true}, "zh-Hans", wide, nil},
	{"zh-Hant-light", reader{lang: "zh-TW"}, "zh-Hant", narrow, []string{"search", "editor", "settings", "guide"}},
}

func TestPagesInBothThemesAndLanguages(t *testing.T) {
	d := open(t)
	t.Parallel()
	axe := axeSource()
	if axe == "" {
		t.Log("axe.min.js of axe-core is not in bin: the rules of accessibility are not tested")
	}
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) {
			b := d.tab(t, r.reader)
			for _, p := range d.pages() {
				if r.pages != nil && !slices.Contains(r.pages, p.name) {
					continue
				}
				for _, width := range []int{wide, narrow} {
					b.resize(width)
					b.visit(p.path)
					state := value[struct {
						Lang, Title   string
						Wide, Visible float64
						Main          bool
					}](b, `({lang: document.documentElement.lang, title: document.title, main: !!document.querySelector("main h1"),
						wide: document.documentElement.scrollWidth, visible: document.documentElement.clientWidth})`)
					name := fmt.Sprintf("%s-%d", p.name, width)
					if state.Lang != r.tag {
						t.Errorf("%s: got language %q, want %q", name, state.Lang, r.tag)
					}
					if !state.Main || state.Title == "" || strings.Contains(state.Title, "owned") {
						t.Errorf("%s: got %+v, want a page with a heading", name, state)
					}
					if state.Wide > state.Visible {
						t.Errorf("%s: got a page %v wide in a window of %v: %s", name, state.Wide, state.Visible, b.widest())
					}
					b.picture(r.name + "-" + name)
					if axe != "" && width == r.accessible {
						b.accessible(name, axe)
					}
				}
			}
		})
	}
}

// widest returns the element that sticks out most.
func (b *tab) widest() string {
	b.t.Helper()
	return value[string](b, `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && getComputedStyle(e).position !== "absolute").map(e => e.tagName + "." + e.className + " " + Math.round(e.getBoundingClientRect().right)).slice(0, 3).join("; ")`)
}

// axeSource returns the script of axe-core, "" if it is not there.
func axeSource() string {
	source, err := os.ReadFile("../../../bin/axe.min.js")
	if err != nil {
		return ""
	}
	return string(source)
}

// accessible fails for every rule of axe-core that a page breaks.
func (b *tab) accessible(name, axe string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](axe)); err != nil {
		b.t.Fatal(err)
	}
	broken, err := evaluate[[]struct {
		ID, Help string
		Nodes    []string
	}](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + " " + (n.any[0]?.message || ""))}))).then(JSON.stringify)`, chromedp.EvalAwaitPromise)
	if err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	for _, v := range broken {
		b.t.Errorf("%s: %s (%s): %s", name, v.ID, v.Help, strings.Join(v.Nodes, " | "))
	}
}
