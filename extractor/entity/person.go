package entity

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"xinwen/news"
	"xinwen/news/han"
)

// surnames of Chinese people, folded to Simplified.
const surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段漕钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜简蓝游连古池巫骆饶"

var doubleSurnames = []string{"欧阳", "司马", "上官", "诸葛", "司徒", "东方", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "张简", "范姜"}

// titlesBefore stand before a person's name.
var titlesBefore = []string{
	"董事长", "总裁", "总经理", "首席执行官", "执行长", "创始人", "创办人", "教授", "院士", "分析师", "主席", "部长", "发言人", "副总", "负责人", "经理", "博士", "主任", "工程师", "研究员", "秘书长", "董座",
	"财务长", "科学家", "合伙人", "首席技术官", "首席财务官", "首席运营官", "技术长", "营运长", "运营长", "总监", "局长", "司长", "院长", "所长", "校长", "处长", "署长", "市长", "县长", "省长", "州长", "总统", "总理", "议员", "委员",
	"记者", "编辑", "专家", "顾问", "主管", "ceo", "cto", "cfo", "coo", "经济学家", "策略师", "董事", "会长", "理事长", "秘书", "次长", "厅长", "行长", "书记", "大使", "老板", "掌门人", "共同创办人", "协理", "首席技术长", "长官", "律师", "高管",
}

// sayings follow a person's name.
var sayings = []string{
	"表示", "指出", "称", "说", "透露", "认为", "强调", "坦言", "介绍", "补充", "预测", "预计", "预估", "分析", "告诉", "宣布", "解释", "回应", "直言", "曾", "也", "今", "昨", "日前", "在", "则", "将", "出任", "担任", "接任", "先生", "女士", "博士",
	"教授", "院士", "公开", "近日", "当时", "还", "亲自", "率", "卸任", "辞职", "离职", "受访", "提到", "提及", "谈", "进一步", "证实", "否认", "呼吁", "重申", "承诺", "撰文", "发文", "此前", "自曝", "感叹", "笑",
}

// speaking are the sayings that are enough without a title.
var speaking = []string{"表示", "指出", "透露", "认为", "强调", "坦言", "补充道", "直言", "告诉", "受访", "说", "称", "博士", "先生", "女士", "教授", "院士"}

// notGiven are characters that no given name has.
const notGiven = "地得着过吗呢的是在了和与为有不将也就都说称表指这那他她们我你个家从对向被把让给及等或而但则已曾还更很最其该此后前上下出入到来去会能可要以所于年月日时分数量期公司部门产业市场技术人员们士将等"

// people finds persons by titles, verbs of saying, given names and middle dots.
func (t *tagging) people() {
	if hasHan(t.s) {
		t.foreign()
		for _, w := range titlesBefore {
			t.each(w, func(i int) { t.chinese(i+len(w), true) })
		}
		for _, w := range speaking {
			t.each(w, func(i int) { t.before(i) })
		}
	}
	t.surnames()
}

// chinese takes the Chinese name at i.
func (t *tagging) chinese(i int, title bool) bool {
	s := t.s[i:]
	if prefixOf(s, sayings) > 0 || prefixOf(s, titlesBefore) > 0 {
		return false // 教授强调: 强 is a surname too
	}
	n := prefixOf(s, doubleSurnames)
	if n == 0 {
		r, w := utf8.DecodeRuneInString(s)
		if w == 0 || !strings.ContainsRune(surnames, r) {
			return false
		}
		n = w
	}
	if prefixOf(s[n:], titlesBefore) > 0 {
		return false // 魏教授
	}
	j, given := i+n, 0
	best := 0
	for given < 2 {
		r, w := utf8.DecodeRuneInString(t.s[j:])
		if w == 0 || !han.IsHan(r) || strings.ContainsRune(notGiven, r) {
			break
		}
		j += w
		given++
		switch {
		case prefixOf(t.s[j:], sayings) > 0:
			best = j
		case title && t.ends(j):
			best = j
		}
		if best == j && given == 1 && prefixOf(t.s[j:], sayings) > 0 {
			break
		}
	}
	if best == 0 || !t.free(i, best) || commonWord(t.s[i:best]) {
		return false
	}
	return t.person(i, best)
}

func (t *tagging) person(start, end int) bool {
	f := t.unknown(news.Person, start, end, scoreCue)
	if !t.add(f) {
		return false
	}
	t.learn(t.s[start:end], f)
	return true
}

// ends reports whether nothing that a name could go on with stands at i.
func (t *tagging) ends(i int) bool {
	r, n := utf8.DecodeRuneInString(t.s[i:])
	if n == 0 || !han.IsHan(r) {
		return true
	}
	return strings.ContainsRune("的是在了和与为将也就都则已曾及等以从向对被把于与今昨", r)
}

// before takes the Chinese name that ends at i, before a verb of saying: it
// must begin behind a mark.
func (t *tagging) before(i int) {
	j, n := i, 0
	for n < 4 {
		r, w := utf8.DecodeLastRuneInString(t.s[:j])
		if w == 0 || !han.IsHan(r) || strings.ContainsRune(notGiven, r) && n < 3 {
			break
		}
		j -= w
		n++
	}
	if n != 3 {
		return // two characters are too often a word
	}
	r, w := utf8.DecodeLastRuneInString(t.s[:j])
	if w > 0 && han.IsHan(r) {
		return
	}
	if t.free(j, i) && !commonWord(t.s[j:i]) {
		t.chinese(j, false)
	}
}

// commonWord tells words that look like names: 高管们, 方面, 马上.
func commonWord(s string) bool {
	for _, w := range [...]string{
		"方面", "高层", "高管", "高官", "任何", "关于", "管理", "安全", "成本", "成功", "时代", "时间", "华尔", "文章", "文件", "向外", "金融", "石油", "康复", "江湖", "国", "省", "市", "县", "媒", "商", "者", "团", "员", "院", "局", "厅", "司", "师", "厂", "会", "组", "层", "网", "报", "长", "社",
		"经济", "单位", "解释", "连续", "强烈", "常常", "万一", "路透", "万物", "成员", "游戏", "马斯", "白宫", "华为", "任天", "古代", "何种", "项目", "温和", "阳光", "易于", "史上", "相", "则", "多次", "集团", "资", "业", "学", "法", "方",
	} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// surnames learns the surnames of the persons named in full: Huang after Jensen
// Huang, and 黄 before a verb of saying after 黄仁勋.
func (t *tagging) surnames() {
	names := make(map[string]*found) // surname -> person, nil if two have it
	for i := range t.list {
		f := &t.list[i]
		if f.kind != news.Person {
			continue
		}
		s := t.s[f.start:f.end]
		var last string
		if hasHan(s) {
			if n := utf8.RuneCountInString(s); n < 2 || n > 3 || strings.Contains(s, "·") {
				continue
			}
			_, w := utf8.DecodeRuneInString(s)
			last = s[:w]
			if !strings.Contains(surnames, last) {
				continue
			}
		} else {
			k := strings.LastIndexByte(s, ' ')
			if k < 0 || len(s)-k < 3 {
				continue
			}
			last = s[k+1:]
		}
		if x, ok := names[last]; ok && (x == nil || x.entity != f.entity) {
			names[last] = nil
			continue
		}
		c := *f
		names[last] = &c
	}
	for _, last := range slices.Sorted(maps.Keys(names)) {
		f := names[last]
		if f == nil {
			continue
		}
		if !hasHan(last) {
			t.forms = append(t.forms, learnt{text: last, of: *f, latin: true, alone: true})
			continue
		}
		for _, verb := range speaking {
			t.each(verb, func(i int) {
				if i -= len(last); i < 0 || !strings.HasPrefix(t.s[i:], last) {
					return
				}
				if r, w := utf8.DecodeLastRuneInString(t.s[:i]); w > 0 && han.IsHan(r) || !t.free(i, i+len(last)) {
					return
				}
				x := *f
				x.start, x.end, x.score = i, i+len(last), min(x.score, scoreCue)
				t.add(x)
			})
		}
	}
}
