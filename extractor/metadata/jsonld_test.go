package metadata

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/dom"
)

func headOf(script, more string) *Head {
	return ReadHead(dom.Parse(`<html><head>` + more + `<script type="application/ld+json">` + script + `</script></head><body><p>x</p></body></html>`))
}

func TestStructuredDataIsReadInEveryForm(t *testing.T) {
	const plain = `{"@type":"NewsArticle","headline":"晶圆厂动工","datePublished":"2025-11-10","author":{"@type":"Person","name":"方知行"}}`
	for _, c := range []struct{ name, script string }{
		{"plain", plain},
		{"array", `[{"@type":"WebSite","name":"芯火"},` + plain + `]`},
		{"graph", `{"@context":"https://schema.org","@graph":[{"@type":"Organization","name":"芯火"},` + plain + `]}`},
		{"graph-with-references", `{"@graph":[{"@type":"NewsArticle","headline":"晶圆厂动工","datePublished":"2025-11-10","author":{"@id":"#a"}},{"@type":"Person","@id":"#a","name":"方知行"}]}`},
		{"main-entity", `{"@type":"WebPage","mainEntity":` + plain + `}`},
		{"several-types", strings.Replace(plain, `"NewsArticle"`, `["CreativeWork","NewsArticle"]`, 1)},
		{"type-as-address", strings.Replace(plain, `"NewsArticle"`, `"http://schema.org/NewsArticle"`, 1)},
		{"author-string", strings.Replace(plain, `{"@type":"Person","name":"方知行"}`, `"方知行"`, 1)},
		{"author-list", strings.Replace(plain, `{"@type":"Person","name":"方知行"}`, `[{"@type":"Person","name":["方知行"]}]`, 1)},
		{"comment", "<!--\n" + plain + "\n-->"},
		{"cdata", "//<![CDATA[\n" + plain + "\n//]]>"},
		{"semicolon", plain + ";"},
		{"line-break-in-string", strings.Replace(plain, "晶圆厂动工", "晶圆厂\n动工", 1)},
		{"trailing-comma", strings.TrimSuffix(plain, "}") + ",}"},
		{"missing-comma", strings.Replace(plain, `,"datePublished"`, ` "datePublished"`, 1)},
		{"missing-brace", strings.TrimSuffix(plain, "}}")},
		{"single-quotes", strings.ReplaceAll(plain, `"`, `'`)},
		{"bare-keys", strings.NewReplacer(`"headline"`, `headline`, `"author"`, `author`).Replace(plain)},
		{"two-values", `{"@type":"BreadcrumbList"}` + "\n" + plain},
		{"escapes", strings.Replace(plain, "晶圆", `\u6676\u5706`, 1)},
		{"bad-escape", strings.Replace(plain, "晶圆", `\晶\圆`, 1)},
		{"entities", strings.ReplaceAll(plain, `"`, "&quot;")},
		{"byte-order-mark", "\ufeff" + plain},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := headOf(c.script, "").Article
			got.Headline = strings.ReplaceAll(got.Headline, " ", "")
			want := Structured{Headline: "晶圆厂动工", Published: "2025-11-10", Authors: []Person{{Name: "方知行"}}}
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("article differs (-got +want):\n%s", diff)
			}
		})
	}
}

func TestQuotesInsideAStringDoNotEndIt(t *testing.T) {
	h := headOf(`{"@type":"Article","headline":"称 "供不应求" 的产能","datePublished":"2025-11-10"}`, "")
	if h.Article.Headline != `称 "供不应求" 的产能` || h.Article.Published != "2025-11-10" {
		t.Errorf("got %q, %q", h.Article.Headline, h.Article.Published)
	}
}

func TestOfSeveralArticlesTheOneOnThisPageCounts(t *testing.T) {
	const two = `[{"@type":"NewsArticle","headline":"别的","url":"https://a.example/1"},{"@type":"NewsArticle","headline":"这篇","mainEntityOfPage":{"@id":"https://a.example/2#main"}}]`
	if h := headOf(two, `<link rel="canonical" href="https://a.example/2">`); h.Article.Headline != "这篇" {
		t.Errorf("got %q, want 这篇", h.Article.Headline)
	}
	if h := headOf(two, ""); h.Article.Headline != "别的" {
		t.Errorf("without an address: got %q, want the first", h.Article.Headline)
	}
}

func TestOtherObjectsAreKeptApart(t *testing.T) {
	h := headOf(`[{"@type":"WebPage","name":"页面","datePublished":"2025-11-01"},{"@type":"Organization","name":"芯火"},{"@type":"Comment","author":"路人"}]`, "")
	if h.Article.Headline != "" || h.Page.Published != "2025-11-01" || len(h.Page.Authors) != 0 {
		t.Errorf("got %+v and %+v", h.Article, h.Page)
	}
	o := headOf(`{"@type":"Article","headline":"x","author":{"@type":"NewsMediaOrganization","name":"芯火"}}`, "").Article.Authors
	if len(o) != 1 || !o[0].Organisation {
		t.Errorf("got %+v, want an organisation", o)
	}
}

func FuzzStructured(f *testing.F) {
	for _, s := range []string{
		`{"@type":"NewsArticle","headline":"x","author":[{"name":"y"}]}`, `{"@graph":[{"@id":"#a","name":"b"},{"author":{"@id":"#a"},"@type":"Article"}]}`,
		`[[[[{"a":'b',}`, `{"a":"\ud83d\ude00\ud800"}`, `{"@type"`, `"`, `{:}`, `[}]{`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := parseLoose(s)
		_ = fmt.Sprint(v)
		h := &Head{Meta: map[string]string{}, Script: map[string]string{}}
		h.structured(s)
		if len(h.Article.Authors) > 20 || len(h.Page.Authors) > 20 {
			t.Errorf("%d authors", len(h.Article.Authors))
		}
		for _, a := range h.Article.Authors {
			if a.Name == "" {
				t.Error("an author without a name")
			}
		}
	})
}
