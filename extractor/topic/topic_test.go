package topic

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
)

func ids(list []news.Topic) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.ID)
	}
	return out
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		name, title, text string
		mentions          []news.Mention
		want              []string
	}{
		{"export-control", "新的出口管制生效", "多家公司进入实体清单，出口许可停发。", nil, []string{ExportControl}},
		{"traditional", "記憶體合約價再漲", "合約價與現貨價都漲價，記憶體廠樂觀。", nil, []string{Prices, Memory}},
		{"english", "Chipmaker sued over trade secrets", "The lawsuit alleges infringement of two patents.", nil, []string{Litigation}},
		{"entities", "Orders rise", "Orders rise.", []news.Mention{
			{Start: 0, End: 6, Surface: "HBM4", Kind: news.Tech, Entity: "tech:hbm4"},
			{Start: 14, End: 16, Surface: "SK hynix", Kind: news.Org, Entity: "org:sk-hynix"},
		}, nil},
		{"inside-a-word", "Fabulous fabric", "Fabulous fabrics in fabrication.", nil, nil},
		{"too-little", "A day", "The price of a launch.", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &news.Article{Title: c.title, Text: c.text, Mentions: c.mentions}
			if diff := cmp.Diff(ids(Of(a)), c.want); diff != "" {
				t.Errorf("topics differ (-got +want):\n%s", diff)
			}
		})
	}
}

func TestEvidenceIsAsWritten(t *testing.T) {
	a := &news.Article{Title: "晶圓廠擴產", Text: "擴產後產能倍增。"}
	got := Of(a)
	if len(got) != 1 {
		t.Fatalf("got %v, want one topic", got)
	}
	if diff := cmp.Diff(got[0], news.Topic{ID: Capacity, Score: 0.76, Evidence: []string{"擴產", "晶圓廠", "產能"}}); diff != "" {
		t.Errorf("topic differs (-got +want):\n%s", diff)
	}
}

func TestTermsAreOnce(t *testing.T) {
	for r, list := range terms {
		seen := make(map[term]bool)
		for _, x := range list {
			k := term{text: x.text, topic: x.topic}
			if seen[k] {
				t.Errorf("%s: %q (%c) is listed twice", rules[x.topic].id, x.text, r)
			}
			seen[k] = true
		}
	}
}

func BenchmarkOf(b *testing.B) {
	text := ""
	for range 20 {
		text += "晶圓廠擴產後產能倍增，記憶體合約價調漲，公司說。The fab said that revenue rose and prices fell. 其他的文字沒有題目，只是文字而已。"
	}
	a := &news.Article{Title: "晶圓廠擴產", Text: text}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Of(a)
	}
}
