package pattern

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNeededLiterals(t *testing.T) {
	for _, c := range []struct {
		expr string
		want []string
	}{
		{`发布(?:时间|日期)\s*[:：]`, []string{"发布日期", "发布时间"}},
		{`(?i)Copyright|\(c\)|©`, []string{"(c)", "copyright", "©"}},
		{`(?:19|20)\d\d-\d{1,2}`, []string{"19", "20"}},
		{`\d+`, nil},
		{`作者?`, []string{"作"}},
		{`(?:作者)?`, nil},
		{`^a*$`, nil},
		{`[间間]隔+x?`, []string{"间隔", "間隔"}},
		{`(?i)geändert`, []string{"geÄndert", "geändert"}},
		{`x(?:广告)+y`, []string{"x广告"}},
		{`.{0,3}|成人`, nil},
	} {
		tree, err := syntax.Parse(c.expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		got := useful(needed(tree.Simplify()))
		if diff := cmp.Diff(got, useful(c.want)); diff != "" {
			t.Errorf("%s: literals differ (-got +want):\n%s", c.expr, diff)
		}
	}
}

func TestMayIsSure(t *testing.T) {
	for _, c := range []struct {
		expr, text string
		want       bool
	}{
		{`(?i)desk`, "The DESK", true},
		{`(?i)desk`, "de\u017fk", true}, // ſ is an s, whatever its case
		{`(?i)desk`, "des\u212a", true}, // and this a k
		{`(?i)desk`, "a table", false},
		{`发布`, "2025年发", false},
		{`发布`, "于2025年发布", true},
		{`a.b`, "", true}, // nothing is known
		{`©`, "©", true},
	} {
		if got := MustCompile(c.expr).May(c.text); got != c.want {
			t.Errorf("%s in %q: got %v, want %v", c.expr, c.text, got, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	got := slices.Collect(MustCompile(`(?i)author|媒体|au`).Places("Author, 新媒体 au"))
	if diff := cmp.Diff(got, []int{0, 11, 18}); diff != "" {
		t.Errorf("places differ (-got +want):\n%s", diff)
	}
	if got := slices.Collect(MustCompile(`\d`).Places("12")); got != nil {
		t.Errorf("got %v where nothing is known", got)
	}
}

// Whatever the expression and the text, answers are those of package regexp.
func FuzzAnswers(f *testing.F) {
	for _, s := range [][2]string{
		{`(?i)(?:发布|發佈)?(?:时间|日期)\s*[:：]?\s*$`, "发布时间："},
		{`\b(?i:author_?name|author)["']?\s*=`, `AUTHOR='x'`},
		{`(a|b)+c{2,3}`, "abcc"},
		{`(?i)straße|ſtop`, "STRASSE stop"},
		{`[^a]x|\x{fffd}`, "bx\xff"},
		{`(?s)a.b`, "a\nb"},
		{`(?m)^ab$`, "x\nab\ny"},
		{`\Aab\z`, "ab"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		re, err := regexp.Compile(expr)
		if err != nil || len(expr) > 200 || len(text) > 1000 {
			return
		}
		p := MustCompile(expr)
		if diff := cmp.Diff(p.FindAllStringSubmatchIndex(text, -1), re.FindAllStringSubmatchIndex(text, -1)); diff != "" {
			t.Errorf("matches differ (-got +want):\n%s", diff)
		}
		if got, want := p.ReplaceAllString(text, "<$0>"), re.ReplaceAllString(text, "<$0>"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if diff := cmp.Diff(p.Split(text, 3), re.Split(text, 3)); diff != "" {
			t.Errorf("parts differ (-got +want):\n%s", diff)
		}
		if got, want := p.MatchString(text), re.MatchString(text); got != want {
			t.Errorf("match: got %v, want %v", got, want)
		}
	})
}
