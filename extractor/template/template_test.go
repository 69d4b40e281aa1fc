package template

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/dom"
)

func TestBuiltinTableParses(t *testing.T) {
	if _, err := Builtin(); err != nil {
		t.Fatal(err)
	}
}

func TestFindPrefersTheHostsTemplate(t *testing.T) {
	table, err := Parse([]byte(`
general:
  body: ["#endText", "div.post .body"]
hosts:
  paper.example:
    body: [".own"]
    time: [".own > .when"]
`))
	if err != nil {
		t.Fatal(err)
	}
	d := dom.Parse(`<div id="ENDTEXT">a</div><div class="post"><p class="body">b</p></div><p class="body">c</p><div class="own">d<p class="when">e</p></div>`)
	text := func(l []int) string {
		var out []string
		for _, e := range l {
			out = append(out, dom.Text(d.Elements[e].Node))
		}
		return strings.Join(out, "|")
	}
	f := table.Find(d, "news.paper.example:8080")
	got := []string{text(f.General[Body]), text(f.Site[Body]), text(f.Site[Time])}
	if diff := cmp.Diff(got, []string{"a|b", "de", "e"}); diff != "" {
		t.Errorf("found differs (-got +want):\n%s", diff)
	}
	if f := table.Find(d, "example"); f.Site != nil {
		t.Errorf("got %v for another host, want none", f.Site)
	}
}

func TestParseNamesTheFault(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"selector", "general:\n  body: ['..x']\n", "..x"},
		{"part", "hosts:\n  a.example:\n    bodi: ['.x']\n", "bodi"},
		{"key", "sites: {}\n", "sites"},
		{"tag", "general:\n  body: ['article']\n", "id or class"},
	} {
		if _, err := Parse([]byte(c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
	}
}

func TestBuiltinTableKnowsTheMetadataOfOutlets(t *testing.T) {
	table, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host, html string
		part       Part
		site       bool
	}{
		{"", `<div class="post_time_source">x</div>`, Time, false},
		{"", `<span id="pubtime_baidu">x</span>`, Time, false},
		{"", `<a id="ne_article_source">x</a>`, Credit, false},
		{"", `<span id="editor_baidu">x</span>`, Editor, false},
		{"", `<p class="show_author">x</p>`, Editor, false},
		{"", `<h1 id="activity-name">x</h1>`, Title, false},
		{"", `<a id="js_name">x</a>`, Publisher, false},
		{"news.sina.com.cn", `<div class="date-source"><span class="source">x</span></div>`, Credit, true},
		{"money.udn.com", `<div class="article-body__info">x</div>`, Author, true},
		{"www.ithome.com", `<span id="author_baidu">作者：<strong>x</strong></span>`, Author, true},
		{"www.36kr.com", `<a class="title-icon-item">y</a><div class="article-title-icon"><a class="title-icon-item">x</a></div>`, Author, true},
	} {
		d := dom.Parse(c.html)
		f := table.Find(d, c.host)
		found := f.General
		if c.site {
			found = f.Site
		}
		if len(found[c.part]) != 1 || dom.Text(d.Elements[found[c.part][0]].Node) != "x" {
			t.Errorf("%s on %q: got %v for %s, want the element with x", c.html, c.host, found[c.part], c.part)
		}
	}
}
