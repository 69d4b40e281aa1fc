package suggest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/entity"
	"xinwen/news"
	"xinwen/news/lexicon"
)

func collect(t *testing.T, texts ...string) []Name {
	t.Helper()
	lex, err := lexicon.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	g := entity.New(lex)
	var c Collector
	for i, text := range texts {
		a := &news.Article{Title: "快讯", Text: text, Source: string(rune('a' + i))}
		a.Mentions = g.Annotate(a.Content(), entity.Context{Lang: "zh", Hant: strings.Contains(text, "體")})
		c.Add(a)
	}
	return c.Names(2)
}

func TestUnknownNamesAreCounted(t *testing.T) {
	names := collect(
		t,
		"苏州澜溪苇半导体科技有限公司宣布融资，台积电没有评论。",
		"蘇州瀾溪葦半導體科技有限公司宣布擴產。蘇州瀾溪葦半導體科技有限公司的客戶不多。",
		"青禾原微电子科技有限公司只来一次。",
	)
	if len(names) != 1 {
		t.Fatalf("got %+v, want one name", names)
	}
	got := names[0]
	if len(got.Contexts) != 2 || !strings.Contains(got.Contexts[0], "宣布融资") {
		t.Errorf("got contexts %q, want those of two articles", got.Contexts)
	}
	got.Contexts, got.ID = nil, ""
	want := Name{Kind: news.Org, Articles: 2, Mentions: 3, Sources: 2, Surfaces: []string{"蘇州瀾溪葦半導體科技有限公司", "苏州澜溪苇半导体科技有限公司"}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("name differs (-got +want):\n%s", diff)
	}
}

func TestStubsAreLexiconFiles(t *testing.T) {
	builtin, err := lexicon.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "suggested.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	names := []Name{
		{Kind: news.Org, Articles: 3, Surfaces: []string{"瀾溪葦半導體", "澜溪苇", "Lanxiwei \"LXW\""}, Contexts: []string{"a: b\"c"}},
		{Kind: news.Person, Articles: 2, Surfaces: []string{"乔穆岩"}},
		{Kind: news.Person, Articles: 2, Surfaces: []string{"乔木岩"}},
		{Kind: news.Org, Articles: 2, Surfaces: []string{"英伟达二号"}, English: "NVIDIA"},
		{Kind: news.Org, Articles: 2, Surfaces: []string{"Zelvora & Durnham"}, English: "Zelvora & Durnham"},
	}
	if err := WriteYAML(f, names, builtin); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	lex, err := lexicon.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for form, want := range map[string]string{"澜溪苇半导体": "org:lanxiwei-lxw", "乔穆岩": "person:qiao-muyan", "乔木岩": "person:qiao-muyan-2", "Zelvora & Durnham": "org:zelvora-durnham", "英伟达二号": "org:nvidia-2"} {
		if got := lex.Lookup(form); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %v, want %s", form, got, want)
		}
	}
}
