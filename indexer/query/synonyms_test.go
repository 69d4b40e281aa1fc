package query_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/han"
)

// TestSynonymsFindEachOther takes pairs of words of chip news, one of each side of
// the strait, and expects each to find a text that has only the other.
func TestSynonymsFindEachOther(t *testing.T) {
	e, l := load(t)
	pairs := strings.Fields(`芯片 晶片 制程 工艺 内存 記憶體 光罩 掩膜 晶圆代工 晶圓代工 硅 矽 数据中心 資料中心 服务器 伺服器 软件 軟體
		硬件 硬體 固件 韌體 质量 品質 良率 良品率 封测 封測 晶体管 電晶體 集成电路 積體電路 光刻机 微影設備 光刻胶 光阻 硅片 矽晶圓
		碳化硅 碳化矽 激光 雷射 传感器 感測器 摄像头 鏡頭 屏幕 螢幕 带宽 頻寬 网络 網路 互联网 網際網路 笔记本电脑 筆電 人工智能 人工智慧
		智能手机 智慧型手機 自动驾驶 自駕 云计算 雲端運算 首席执行官 執行長 董事长 董座 射频 射頻 功率器件 功率元件 闪存 快閃記憶體
		芯粒 小晶片 裸片 裸晶 刻蚀 蝕刻 外延 磊晶 离子注入 離子佈植 先进制程 先進工藝 二极管 二極體 显卡 顯示卡 主板 主機板 固态硬盘 固態硬碟`)
	for i := 0; i < len(pairs); i += 2 {
		for _, p := range [][2]string{{pairs[i], pairs[i+1]}, {pairs[i+1], pairs[i]}} {
			d := e.Document(&news.Article{ID: "a", Lang: "zh", Title: "演示", Text: "这里说的是" + p[1] + "的事情。"})
			for _, n := range []query.Node{query.Text{Value: p[0]}, query.Phrase{Value: p[0]}, query.Text{Field: "text", Value: p[0]}} {
				m, err := e.Compile(n)
				if err != nil {
					t.Fatal(err)
				}
				if !m.Match(d) {
					t.Errorf("%s does not find %s", n, p[1])
				}
			}
			c, err := query.Lower(query.Expansion{Lexicon: l, NoSynonyms: true}.Expand(query.Text{Value: p[0]}), e.Analyzer(), l)
			if err != nil {
				t.Fatal(err)
			}
			if query.NewMatcher(c).Match(d) && han.FoldString(p[0]) != han.FoldString(p[1]) && !strings.Contains(han.FoldString(p[1]), han.FoldString(p[0])) {
				t.Errorf("%s finds %s without synonyms", p[0], p[1])
			}
		}
	}
}

func TestSynonymListIsLargeAndClean(t *testing.T) {
	words, sets := query.SynonymList()
	if sets < 120 {
		t.Errorf("got %d sets of synonyms, want at least 120", sets)
	}
	seen := make(map[string]bool)
	for _, w := range words {
		if seen[w] {
			t.Errorf("%s is there twice", w)
		}
		if seen[w] = true; w != han.FoldString(w) {
			t.Errorf("%s is not folded", w)
		}
	}
}

func TestExpandAddsSynonyms(t *testing.T) {
	text := func(s string) query.Node { return query.Text{Value: s} }
	for _, tt := range []struct {
		query string
		want  query.Node
	}{
		{"晶片", query.Or{Nodes: []query.Node{text("晶片"), text("芯片")}}},
		{"晶片涨势", query.Or{Nodes: []query.Node{text("晶片涨势"), text("芯片涨势")}}},
		{`title:"晶片"`, query.Or{Nodes: []query.Node{query.Phrase{Field: "title", Value: "晶片"}, query.Phrase{Field: "title", Value: "芯片"}}}},
		{"-晶片", query.Not{Node: query.Or{Nodes: []query.Node{text("晶片"), text("芯片")}}}},
		{"没有", text("没有")},
	} {
		n, err := query.Parse(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, query.Expand(n, nil)); d != "" {
			t.Errorf("%s: want -, got +:\n%s", tt.query, d)
		}
	}
}
