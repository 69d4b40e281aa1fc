package entity

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news/lexicon"
)

// names are the surfaces of the mentions that have an entity, with it.
func names(g *Gazetteer, text string) []string {
	var out []string
	runes := []rune(text)
	for _, m := range g.Annotate(text, Context{}) {
		if string(runes[m.Start:m.End]) != m.Surface {
			out = append(out, "surface is not what stands there: "+m.Surface)
		}
		if m.Entity != "" {
			out = append(out, strings.ReplaceAll(m.Surface, "\n", "|")+"="+m.Entity)
		}
	}
	return out
}

func TestNamesBrokenOverLinesAreWhole(t *testing.T) {
	g := New(testLexicon(t))
	chen := Provisional("person", "格奥尔格·布兰德")
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"han", "扩产\n昨天的消息说，投资将在明天开始。星穹\n河半导体没有说投资多少。它的客户是汽\n车厂，后来没有说明天是不是开工，说了也\n不一定，明天开工。", []string{"星穹|河半导体=org:xinghe"}},
		{
			"hant-second-line", "擴產\n昨天的消息說，投資將在明天開始，星穹河\n半導體沒有說投資多少。它的客戶是星\n穹河半導體，後來沒有說明天是不是開工，\n不一定。",
			[]string{"星穹河|半導體=org:xinghe", "星|穹河半導體=org:xinghe"},
		},
		{
			"latin", "Growth\nThe shares rose by a third, as the company Xinghe\nSemiconductor and its customer Quxing\nQuantum had said. The market did not follow, and\nrose.",
			[]string{"Xinghe|Semiconductor=org:xinghe", "Quxing|Quantum=org:quxing"},
		},
		{
			"middle-dot", "访问\n昨天的消息说，投资将在明天开始，格奥尔格\n·布兰德没有说投资多少。它的客户是格奥尔\n格·布兰德。他没有说今天的投资是不是够。",
			[]string{"格奥尔格|·布兰德=" + chen, "格奥尔|格·布兰德=" + chen},
		},
		{"list", "名单\n星穹\n河半导体\n昨天", nil},
		{"paragraphs", "扩产\n昨天的消息说，投资将在明天开始，格奥没有说投资多少。它的客户是汽车厂，明天开工，昨天也开工了，后天还要再开工，下周停工，星穹\n河半导体", nil},
		{"title", "星穹\n河半导体说，投资将在明天开始，我们没有\n说投资多少。它的客户是汽车厂。明天开工\n我们没有说投资多少，明天开工", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(names(g, c.text), c.want); diff != "" {
				t.Errorf("names differ (-got +want):\n%s", diff)
			}
		})
	}
}

func FuzzUnwrap(f *testing.F) {
	f.Add("扩产\n昨天的消息说，投资将在明天开始。台积\n电没有说投资多少。它的客户是昨天的汽\n车厂，后来没有说明天是不是开工，说了也\n不一定，明天开工。")
	f.Add("Growth\nThe shares rose by a third, as Applied\nMaterials had said in 2025, and the old\nmarket did not follow, and fell in early\nNovember.")
	lex, err := lexicon.Builtin()
	if err != nil {
		f.Fatal(err)
	}
	g := New(lex)
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 1<<12 {
			return
		}
		u := unwrap(s)
		if got, want := strings.NewReplacer("\n", "", " ", "").Replace(u.text), strings.NewReplacer("\n", "", " ", "").Replace(s); got != want {
			t.Fatalf("got %q, want %q but for breaks", got, want)
		}
		runes := []rune(s)
		for _, m := range g.Annotate(s, Context{}) {
			if m.Start < 0 || m.End > len(runes) || m.Start >= m.End {
				t.Fatalf("mention %+v lies outside", m)
			}
			if got := string(runes[m.Start:m.End]); got != m.Surface && strings.ToValidUTF8(m.Surface, "\ufffd") == m.Surface {
				t.Fatalf("got surface %q, want %q", m.Surface, got)
			}
		}
	})
}
