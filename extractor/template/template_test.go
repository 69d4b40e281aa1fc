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
