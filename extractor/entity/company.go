package entity

import (
	"slices"
	"strings"
	"unicode/utf8"

	"xinwen/news"
	"xinwen/news/han"
)

// legalEndings end the full name of a company, longest first.
var legalEndings = []string{"集团股份有限公司", "股份有限公司", "有限责任公司", "集团有限公司", "有限公司", "股份公司", "集团公司", "株式会社", "公司", "集团"}

// trades are words between a company's own name and its legal form.
var trades = []string{
	"集成电路制造", "集成电路", "半导体", "微电子", "光电", "电子", "科技", "技术", "设备", "制造", "材料", "精密", "精测", "智能", "信息", "通信", "通讯",
	"网络", "软件", "系统", "控股", "投资", "实业", "工业", "股份", "集团", "国际", "发展", "新材料", "新能源", "汽车", "电器", "电机", "数据", "云计算", "生物", "医药",
	"化学", "化工", "机械", "自动化", "能源", "证券", "基金管理", "创业投资", "资本", "贸易", "工程", "产业", "封装", "测试", "设计", "存储", "仪器", "装备", "照明", "显示", "传感",
}

// legalForms takes the legal form behind a company's name into its mention:
// 台积电公司, Micron Technology, Inc.
func (t *tagging) legalForms() {
	for i := 0; i < len(t.list); i++ {
		f := t.list[i]
		if f.kind != news.Org {
			continue
		}
		if f.start < len(t.s) && strings.HasPrefix(t.s[f.start:f.end], "the ") && strings.Count(t.s[f.start:f.end], " ") > 1 {
			f.start += len("the ")
			t.list[i].start = f.start
		}
		t.shorten(f)
		if end, name := t.department(f); end > f.end {
			x := t.unknown(news.Org, f.start, end, f.score)
			x.name = name
			t.add(x)
			continue
		}
		if end := max(t.legalEnd(f.end), t.legalEndLatin(f.end)); end > f.end {
			f.end = end
			if t.add(f); hasHan(t.s[f.start:end]) {
				t.learnCompany(f.start, f.start+len(withoutLegal(t.s[f.start:end])), f.start+t.town(t.s[f.start:end]), f)
			}
		}
	}
}

// withoutLegal returns a name without its Chinese legal form.
func withoutLegal(name string) string {
	for _, e := range legalEndings {
		if s, ok := strings.CutSuffix(name, e); ok {
			return s
		}
	}
	return name
}

// legalEnd returns where the Chinese legal form at i ends, 0 if there is none.
func (t *tagging) legalEnd(i int) int {
	j, words := i, 0
	if e := t.bracketed(j); e > 0 {
		j = e
	}
	for words < 5 {
		e := prefixOf(t.s[j:], trades)
		if e == 0 {
			break
		}
		j += e
		words++
		if e := t.bracketed(j); e > 0 {
			j = e
		}
	}
	if e := prefixOf(t.s[j:], legalEndings); e > 0 {
		form := t.s[j : j+e]
		if (form == "公司" || form == "集团") && words > 1 {
			return 0
		}
		return j + e
	}
	if words > 0 && strings.HasSuffix(t.s[i:j], "集团") {
		return j
	}
	return 0
}

// bracketed returns the end of a place in brackets at i: （上海）.
func (t *tagging) bracketed(i int) int {
	if i >= len(t.s) || t.s[i] != '(' {
		return 0
	}
	j := strings.IndexByte(t.s[i:], ')')
	if j < 0 || j > 13 || !hasHan(t.s[i:i+j]) {
		return 0
	}
	return i + j + 1
}

func prefixOf(s string, list []string) int {
	best := 0
	for _, w := range list {
		if len(w) > best && strings.HasPrefix(s, w) {
			best = len(w)
		}
	}
	return best
}

var legalLatin = []string{"inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "limited", "llc", "plc", "gmbh", "ag", "nv", "sa", "se", "lp", "pte", "kk", "bhd"}

// legalEndLatin is legalEnd for Inc., Corp., Co., Ltd.
func (t *tagging) legalEndLatin(i int) int {
	end := 0
	for range 3 {
		j := i
		if j < len(t.s) && t.s[j] == ',' {
			j++
		}
		if j >= len(t.s) || t.s[j] != ' ' || !t.upper(j+1) {
			break
		}
		j++
		w := j
		for w < len(t.s) && t.s[w] >= 'a' && t.s[w] <= 'z' {
			w++
		}
		word := t.s[j:w]
		if strings.HasPrefix(t.s[j:], "n.v.") || strings.HasPrefix(t.s[j:], "s.a.") {
			end, i = j+4, j+4
			continue
		}
		if !slices.Contains(legalLatin, word) || !t.wordEnd(w) {
			break
		}
		if w < len(t.s) && t.s[w] == '.' && len(word) < 6 {
			w++
		}
		end, i = w, w
	}
	return end
}

// withoutLegalLatin returns a name without its English legal forms: Dye & Durham
// Ltd. is Dye & Durham.
func withoutLegalLatin(name string) string {
	for {
		k := strings.LastIndexAny(name, " ,")
		if k < 1 || !slices.Contains(legalLatin, strings.ToLower(strings.Trim(name[k+1:], "."))) {
			return name
		}
		name = strings.TrimRight(name[:k], " ,")
	}
}

// stops are words that no company's name has inside; they end the walk to its
// left.
var stops = []string{
	"的", "和", "与", "及", "在", "由", "对", "向", "是", "将", "了", "被", "把", "从", "据", "等", "系", "即", "让", "给", "使", "获", "到", "其", "以", "并", "而", "也", "于", "称", "该", "这", "那",
	"投资", "收购", "旗下", "客户", "包括", "日前", "近日", "宣布", "委托", "名为", "成为", "作为", "成立", "设立", "通过", "关于", "公司", "企业", "股东", "厂商", "年", "月", "日", "例如", "供应商", "原", "前", "任", "总部",
	"表示", "指出", "入股", "控股子", "全资子", "上市", "龙头", "大厂", "商", "发布", "推出", "来自", "加入", "创办", "出任", "担任", "就职", "毕业", "针对", "根据", "按照", "如", "则", "且", "或", "还", "都", "又", "已", "曾", "因", "跟", "同", "比", "所", "者", "着", "过",
	"违反", "涉嫌", "欢迎", "前往", "走进", "允许", "规定", "支持", "记者", "来到", "基层", "会见", "走访", "帮助", "要求", "希望", "鼓励", "推动", "承认", "告知", "进入", "考入", "隶属", "联合", "携手", "牵头", "借助", "帝国",
}

// left walks from i to where a name must begin; firm says that it is a mark or a
// word no name has, not only the length.
func (t *tagging) left(i, most int) (start int, firm bool) {
	start = i
	for n := 0; ; n++ {
		r, w := utf8.DecodeLastRuneInString(t.s[:start])
		if w == 0 {
			return start, true
		}
		if !han.IsHan(r) && !wordRune(r) {
			if r == ')' || r == '(' {
				if k := strings.LastIndexByte(t.s[:start], '('); r == ')' && k >= 0 && start-k < 16 && hasHan(t.s[k:start]) && k > 0 && n > 0 {
					start = k
					continue
				}
			}
			return start, true
		}
		for _, w := range stops {
			if strings.HasSuffix(t.s[:start], w) {
				return start, true
			}
		}
		if k := t.at(start - w); k < len(t.list) && t.list[k].start < start {
			switch f := &t.list[k]; f.kind {
			case news.Place:
				if f.end == start && n > 0 {
					return t.placeRun(k), true
				}
				return start, f.end == start
			case news.Org:
				if n > 0 {
					return f.start, true
				}
				return start, true
			default:
				return start, true
			}
		}
		if n >= most {
			return start, false
		}
		start -= w
	}
}

// placeRun returns the start of the places that stand together up to list[k].
func (t *tagging) placeRun(k int) int {
	for k > 0 && t.list[k-1].kind == news.Place && t.list[k-1].end == t.list[k].start {
		k--
	}
	return t.list[k].start
}

// shortEndings end the short name of an organisation. weak ones need a cue
// behind the name.
var shortEndings = []struct {
	text string
	weak bool
}{
	{"证券", false},
	{"银行", false},
	{"大学", false},
	{"研究院", false},
	{"研究所", false},
	{"集团", false},
	{"资本", true},
	{"半导体", true},
	{"微电子", true},
	{"科技", true},
	{"电子", true},
	{"通信", true},
	{"光电", true},
	{"精密", true},
	{"材料", true},
	{"股份", true},
	{"国际", true},
	{"汽车", true},
	{"软件", true},
	{"创投", false},
	{"投顾", false},
	{"投信", false},
	{"协会", false},
	{"学会", false},
	{"基金会", false},
	{"实验室", true},
	{"周刊", false},
	{"日报", false},
	{"时报", false},
	{"新闻网", false},
}

// generic characters and words show that what stands before an ending is no
// name: 功率半导体, 新科技, 第三代半导体.
var generic = []string{
	"一", "二", "三代", "四", "五", "个", "家", "些", "种", "类", "新", "大", "小", "各", "多", "某", "我", "你", "他", "本", "此", "每", "全", "性", "化", "用", "型", "式", "级", "高", "低", "不", "有", "无", "可", "能",
	"功率", "车", "国产", "全球", "国内", "海外", "外资", "商业", "私人", "消费", "金融", "工业", "医疗", "航空", "先进", "成熟", "传统", "基础", "核心", "关键", "科研", "中央", "世界", "量子", "未来", "信息", "名牌", "重点", "著名", "知名", "顶尖", "公立", "私立", "民营", "国有", "央企", "上述", "相关", "主要", "设备", "存储", "模拟", "数字", "逻辑", "射频", "网络", "移动", "卫星", "光", "无线", "通用", "智能", "电动", "发展", "创新", "国家", "政府", "行业", "产业", "投资", "管理", "系统", "开源", "游戏", "操作", "应用", "办公", "半导体", "芯片", "电子", "研发", "联合", "合作", "参与", "支持", "推动", "入门", "更", "最", "很",
}

// deeds follow the name of an organisation that acts or is told of.
var deeds = []string{
	"表示", "指出", "宣布", "透露", "称", "认为", "强调", "推出", "发布", "完成", "获", "成立", "创始人", "创办人", "董事长", "总经理", "总裁", "ceo", "执行长", "副总", "首席", "财报", "营收", "股价", "预计", "预估", "分析师", "发言人", "正式", "计划", "拟", "(",
	"说", "昨", "今", "公告", "旗下", "董事", "研究员", "投资", "收购", "签", "统计", "报告", "报道", "报导",
}

// companies finds organisations by the last words of their names.
func (t *tagging) companies() {
	if !hasHan(t.s) {
		return
	}
	for _, legal := range [...]string{"有限公司", "有限责任公司"} {
		t.each(legal, func(i int) {
			begin := i
			if strings.HasSuffix(t.s[:i], "股份") {
				begin -= len("股份")
			}
			start, _ := t.left(begin, 22)
			if utf8.RuneCountInString(t.s[start:begin]) < 2 {
				return
			}
			f := t.unknown(news.Org, start, i+len(legal), scoreLegal)
			core, known := t.core(start, begin)
			if known != nil {
				f.entity, f.name, f.score = known.entity, known.name, known.score
			}
			if !t.add(f) {
				return
			}
			t.learnCompany(start, begin, core, f)
		})
	}
	for _, e := range shortEndings {
		t.each(e.text, func(i int) {
			end := i + len(e.text)
			if !t.free(i, end) {
				return
			}
			if e.text == "大学" && t.university(i, end) {
				return
			}
			start, firm := t.left(i, 5)
			core := start
			if k := t.at(start); k < len(t.list) && t.list[k].start == start && t.list[k].kind == news.Place {
				for k < len(t.list) && t.list[k].kind == news.Place && t.list[k].start == core && t.list[k].end <= i {
					core = t.list[k].end
					k++
				}
			}
			n := utf8.RuneCountInString(t.s[core:i])
			if !firm || n < 2 || n > 4 || !hasHan(t.s[core:i]) {
				return
			}
			name := t.s[core:i]
			if slices.Contains(trades, name) || slices.ContainsFunc(generic, func(g string) bool { return strings.Contains(name, g) }) {
				return
			}
			if e.weak && prefixOf(t.s[end:], deeds) == 0 || !e.weak && (strings.HasPrefix(t.s[end:], "业") || strings.HasPrefix(t.s[end:], "股") || strings.HasPrefix(t.s[end:], "毕业")) {
				return
			}
			if k := t.at(start); k < len(t.list) && t.list[k].start < end && t.list[k].kind == news.Org {
				return // 三星半导体: the name has it already
			}
			if f := t.unknown(news.Org, start, end, scoreWord); t.add(f) {
				t.learn(t.s[start:end], f)
			}
		})
	}
}

// countries are places whose universities are many.
var countries = set(`中国 美国 日本 韩国 英国 德国 法国 印度 俄罗斯 加拿大 澳大利亚 澳洲 荷兰 以色列 意大利 西班牙 欧洲 亚洲 非洲 大陆 台湾 香港 海外 新加坡 马来西亚 越南`)

// core returns where a company's own name begins behind its town, and the entity
// that the lexicon gives that name, if any.
func (t *tagging) core(start, end int) (int, *found) {
	core := start
	for k := t.at(start); k < len(t.list) && t.list[k].start < end; k++ {
		f := t.list[k]
		if f.kind == news.Org && f.start == start {
			return start + t.town(t.s[start:f.end]), &f
		}
		if f.kind == news.Place && f.start == core {
			core = f.end
			continue
		}
		if f.kind == news.Org && f.start == core {
			return core, &f
		}
		break
	}
	return core, nil
}

// town returns the length of the place that a name begins with, 0 if none or
// if too little is left.
func (t *tagging) town(name string) int {
	n := 0
	for i := range name {
		if k := utf8.RuneCountInString(name[:i]); k < 2 || utf8.RuneCountInString(name[i:]) < 2 {
			continue
		} else if k > 4 {
			break
		}
		for _, id := range t.lex.Lookup(name[:i]) {
			if strings.HasPrefix(id, string(news.Place)+":") {
				n = i
			}
		}
	}
	return n
}

// shorten learns the first two words of a company's English name of three and
// more: Advanced Micro.
func (t *tagging) shorten(f found) {
	words := strings.Split(t.s[f.start:f.end], " ")
	if len(words) < 3 || hasHan(t.s[f.start:f.end]) || len(words[0]) < 4 || len(words[1]) < 4 || orgWords[words[1]] && words[1] != "semiconductor" || len(t.lex.Lookup(words[0]+" "+words[1])) > 0 {
		return
	}
	t.forms = append(t.forms, learnt{text: words[0] + " " + words[1], of: f, latin: true, alone: true})
}

// learnCompany learns the short forms of a full name: 东莞天域半导体科技有限公司
// is also 东莞天域半导体, 天域半导体 and 天域.
func (t *tagging) learnCompany(start, end, core int, f found) {
	for cut := end; ; {
		for _, s := range [...]int{start, core} {
			if utf8.RuneCountInString(t.s[s:cut]) >= 2 && hasHan(t.s[s:cut]) && s < cut {
				if n := utf8.RuneCountInString(t.s[core:cut]); n >= 2 {
					t.learn(t.s[s:cut], f)
				}
			}
		}
		next := 0
		for _, w := range trades {
			if strings.HasSuffix(t.s[core:cut], w) && len(w) > next {
				next = len(w)
			}
		}
		if next == 0 {
			return
		}
		cut -= next
		if cut <= core {
			return
		}
	}
}

// tickers finds the company before a ticker in brackets: 金宝(2312), X(688981.SH).
func (t *tagging) tickers() {
	t.each("(", func(i int) {
		j := strings.IndexByte(t.s[i:min(len(t.s), i+24)], ')')
		if j < 4 {
			return
		}
		symbol := strings.TrimSpace(t.s[i+1 : i+j])
		if !ticker(symbol) {
			return
		}
		end := i
		for end > 0 && t.s[end-1] == ' ' {
			end--
		}
		start, firm := t.left(end, 7)
		if !firm || start == end {
			return
		}
		n := utf8.RuneCountInString(t.s[start:end])
		if !hasHan(t.s[start:end]) || n < 2 || n > 8 {
			return
		}
		if k := t.at(start); k < len(t.list) && t.list[k].start < end && t.list[k].kind != news.Place {
			return
		}
		ids := t.lex.Lookup(symbol)
		if len(symbol) < 6 && len(ids) == 0 {
			return // a number
		}
		f := t.unknown(news.Org, start, end, scoreCue)
		if len(ids) == 1 {
			if e, ok := t.lex.Entity(ids[0]); ok && e.Kind == news.Org {
				f.entity, f.name, f.score = e.ID, e.En, 0.9
			}
		}
		if t.add(f) {
			t.learn(t.s[start:end], f)
		}
	})
}

// ticker reports whether s is the symbol of a listed company: four to six
// digits, with or without an exchange.
func ticker(s string) bool {
	digits := 0
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	switch rest := s[digits:]; {
	case digits < 4 || digits > 6:
		return false
	case rest == "":
		return digits != 4 || s[:2] != "19" && s[:2] != "20"
	default:
		rest = strings.TrimLeft(rest, ".-")
		switch rest {
		case "tw", "two", "sh", "sz", "ss", "hk", "ks", "kq", "t", "bj", "jp", "us":
			return true
		}
		return false
	}
}
