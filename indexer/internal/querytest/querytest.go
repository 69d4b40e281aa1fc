// Package querytest makes random articles and queries that have much in common,
// for tests that compare two ways of matching. What it writes means nothing; it
// is made to stress segmentation, scripts, spaces and every kind of query leaf.
package querytest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"xinwen/indexer/query"
	"xinwen/news"
)

// Generator makes articles and queries. The same seed makes the same ones.
type Generator struct {
	*rand.Rand
	articles int
	// texts are contents of recent articles: queries cut phrases out of them.
	texts []string
}

// New returns a generator.
func New(seed uint64) *Generator {
	return &Generator{Rand: rand.New(rand.NewPCG(seed, 0x586e77656e))}
}

// entity is an entity of the built-in lexicon under some of its names.
type entity struct {
	id    string
	names []string
}

var entities = []entity{
	{"org:tsmc", []string{"台积电", "台積電", "TSMC"}},
	{"org:nvidia", []string{"英伟达", "英偉達", "輝達", "NVIDIA", "Nvidia"}},
	{"org:samsung-electronics", []string{"三星电子", "三星電子", "Samsung Electronics"}},
	{"org:sk-hynix", []string{"SK海力士", "SK 海力士", "SK hynix"}},
	{"org:smic", []string{"中芯国际", "中芯國際", "SMIC"}},
	{"person:jensen-huang", []string{"黄仁勋", "黃仁勳", "Jensen Huang"}},
}

var words = strings.Fields(`涨价 漲價 降价 先进 先進 封装 封裝 先进封装 芯片 晶片 芯片荒 荒漠 产能 產能 良率 制程 製程 工艺
	半导体 半導體 存储 存儲 存储芯片 内存 記憶體 设备 國產 国产化 南京 东路 南京东路 京东 日本 公司 今日 今日本 研究 研究生 生命
	起源 的 了 和 与 在 将 約 约 上 下 不 是 很 上调 下调 上涨 涨 跌 荒 股 市场 市場 投资人 需求 強勁 强劲 执行长 執行長 说 表示
	宣布 财报 財報 第三季度 同比 增长 工程师 晶圆厂 晶圓廠 高通 通过 提高 提高通过率 复杂 只有 皇后 后面 头发 发展`)

var latin = strings.Fields(`HBM3E HBM HBM4 A16 N2P GB200 NVL72 RTX5090 H20 3nm 5nm DDR5 CoWoS chip chips price prices the of AI GPU A股 4S店
	AT&T wafer-level 2025 10% 1,000 3.5 1.6T C++ U.S. Café ＧＰＵ ＨＢＭ３Ｅ ﬁrm naïve`)

var spaced = []string{"RTX 5090", "3 nm", "GPT-4", "HBM 3E", "GB200 NVL72", "chip maker's", "A 股", "SK  海力士"}

var (
	sources = []string{"demo-wire", "Chip-Daily", "测试源"}
	people  = []string{"王小明", "John Smith", "陳 大文"}
	topics  = []string{"export-control", "prices", "memory"}
	kinds   = []string{"org", "person", "tech"}
)

func pick[T any](g *Generator, list []T) T { return list[g.IntN(len(list))] }

var epoch = time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)

// Article returns a new article.
func (g *Generator) Article() *news.Article {
	g.articles++
	a := &news.Article{
		Version: news.Version, ID: fmt.Sprintf("art%d", g.articles), Revision: int64(g.articles),
		URL:    fmt.Sprintf("https://demo.example/%d?x=A", g.articles),
		Source: pick(g, sources), Lang: pick(g, []string{"zh", "zh", "en", ""}),
		Script:  pick(g, []string{news.ScriptHans, news.ScriptHant, news.ScriptMixed, news.ScriptLatn, ""}),
		Fetched: epoch.Add(time.Duration(g.IntN(30*24*60)) * time.Minute),
	}
	if g.IntN(4) > 0 {
		a.Published = epoch.Add(time.Duration(g.IntN(30*24)) * time.Hour)
	}
	if g.IntN(3) == 0 {
		a.Authors = []string{pick(g, people)}
		a.Topics = []news.Topic{{ID: pick(g, topics), Score: 0.5}}
	}
	if g.IntN(4) == 0 {
		a.Editor, a.Credit = pick(g, people), pick(g, []string{"示範通訊社", "Demo Agency"})
	}
	a.Title = g.write(a, g.IntN(8), "")
	a.Text = g.write(a, 10+g.IntN(80), a.Title+"\n")
	if len(g.texts) < 32 {
		g.texts = append(g.texts, a.Content())
	} else {
		g.texts[g.IntN(len(g.texts))] = a.Content()
	}
	return a
}

// write writes n words and adds the mentions among them to a; before is what
// stands before them in a's content.
func (g *Generator) write(a *news.Article, n int, before string) string {
	var b strings.Builder
	for range n {
		switch g.IntN(12) {
		case 0, 1:
			e := pick(g, entities)
			name := pick(g, e.names)
			if g.IntN(5) > 0 {
				start := utf8.RuneCountInString(before) + utf8.RuneCountInString(b.String())
				kind, _, _ := strings.Cut(e.id, ":")
				a.Mentions = append(a.Mentions, news.Mention{
					Start: start, End: start + utf8.RuneCountInString(name), Surface: name,
					Kind: news.Kind(kind), Entity: e.id, Score: 1,
				})
			}
			b.WriteString(name)
		case 2, 3:
			b.WriteString(pick(g, latin))
		case 4:
			b.WriteString(pick(g, spaced))
		default:
			b.WriteString(pick(g, words))
		}
		switch g.IntN(10) {
		case 0:
			b.WriteString(pick(g, []string{"，", "。", "、", "「", "」", "\n", "：", "-", ", ", "\u200b"}))
		case 1, 2:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// Query returns a random query in normal form.
func (g *Generator) Query() query.Node { return g.node(3) }

func (g *Generator) node(depth int) query.Node {
	if depth == 0 {
		return g.leaf()
	}
	switch g.IntN(10) {
	case 0, 1:
		return query.AllOf(g.nodes(depth)...)
	case 2, 3:
		return query.AnyOf(g.nodes(depth)...)
	case 4:
		return query.AllOf(g.node(depth-1), query.Except(g.node(depth-1)))
	case 5:
		if g.IntN(4) == 0 {
			return query.Except(g.node(depth - 1))
		}
	}
	return g.leaf()
}

func (g *Generator) nodes(depth int) []query.Node {
	nodes := make([]query.Node, 2+g.IntN(2))
	for i := range nodes {
		nodes[i] = g.node(depth - 1)
	}
	return nodes
}

func (g *Generator) leaf() query.Node {
	field := pick(g, []string{"", "", "", "", query.FieldTitle, query.FieldText})
	switch g.IntN(16) {
	case 0:
		return g.near()
	case 1:
		return query.Entity{Value: pick(g, pick(g, entities).names)}
	case 2:
		return query.Entity{Value: pick(g, entities).id}
	case 3:
		return g.keyword()
	case 4:
		return g.span()
	case 5, 6:
		return query.Prefix{Field: field, Value: g.prefix()}
	case 7, 8, 9:
		return query.Phrase{Field: field, Value: g.cut(12)}
	case 10:
		return query.Phrase{Field: field, Value: pick(g, words) + pick(g, []string{"", " ", "，"}) + pick(g, words)}
	case 11:
		return query.Text{Field: field, Value: pick(g, pick(g, entities).names)}
	case 12:
		if g.IntN(40) == 0 {
			return query.All{}
		}
		return query.Text{Field: field, Value: pick(g, latin)}
	case 13:
		return query.Text{Field: field, Value: pick(g, words) + pick(g, words)}
	case 14:
		return query.Text{Field: field, Value: g.cut(6)}
	}
	return query.Text{Field: field, Value: pick(g, words)}
}

// cut returns up to n characters out of a recent article, or a word.
func (g *Generator) cut(n int) string {
	if len(g.texts) > 0 {
		runes := []rune(pick(g, g.texts))
		from := g.IntN(len(runes))
		s := strings.TrimSpace(string(runes[from:min(len(runes), from+1+g.IntN(n))]))
		if strings.ContainsFunc(s, func(r rune) bool { return r > '一' && r < '鿿' || r > '0' && r < '9' || r > 'a' && r < 'z' }) {
			return s
		}
	}
	return pick(g, words)
}

func (g *Generator) prefix() string {
	w := []rune(pick(g, append(append([]string{}, words...), latin...)))
	return string(w[:1+g.IntN(len(w))])
}

func (g *Generator) near() query.Node {
	side := func(field string) query.Node {
		nodes := make([]query.Node, 1+g.IntN(2))
		for i := range nodes {
			switch g.IntN(6) {
			case 0:
				nodes[i] = query.Entity{Value: pick(g, entities).id}
			case 1:
				nodes[i] = query.Prefix{Field: field, Value: g.prefix()}
			case 2:
				nodes[i] = query.Phrase{Field: field, Value: g.cut(5)}
			default:
				nodes[i] = query.Text{Field: field, Value: pick(g, append(append([]string{}, words...), latin...))}
			}
		}
		return query.AnyOf(nodes...)
	}
	field := pick(g, []string{"", "", query.FieldTitle, query.FieldText})
	return query.Near{Distance: g.IntN(12), Left: side(field), Right: side(field)}
}

func (g *Generator) keyword() query.Node {
	field := pick(g, query.KeywordFields())
	value := ""
	switch field {
	case query.FieldSource:
		value = pick(g, sources)
	case query.FieldLang:
		value = pick(g, []string{"zh", "en", "zh-Hans", "zh-Hant"})
	case query.FieldScript:
		value = pick(g, []string{"Hans", "Hant", "mixed", "Latn"})
	case query.FieldKind:
		value = pick(g, kinds)
	case query.FieldID:
		value = fmt.Sprintf("art%d", 1+g.IntN(max(1, g.articles)))
	case query.FieldURL:
		value = fmt.Sprintf("https://demo.example/%d?x=A", 1+g.IntN(max(1, g.articles)))
	case query.FieldAuthor:
		value = pick(g, people)
	case query.FieldCredit:
		value = "示范通讯社"
	case query.FieldTopic:
		value = pick(g, topics)
	}
	return query.Keyword{Field: field, Value: value}
}

func (g *Generator) span() query.Node {
	r := query.Range{Field: pick(g, []string{query.FieldPublished, query.FieldFetched})}
	at := epoch.Add(time.Duration(g.IntN(30*24)) * time.Hour)
	if g.IntN(3) > 0 {
		r.From = at
	}
	if r.From.IsZero() || g.IntN(2) == 0 {
		r.To = at.Add(time.Duration(1+g.IntN(200)) * time.Hour)
	}
	return r
}
