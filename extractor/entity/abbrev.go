package entity

import (
	"sort"
	"strings"
	"unicode/utf8"

	"xinwen/news"
	"xinwen/news/han"
)

// directions are words after which one character names a place: 对美, 赴日.
const directions = "对赴访驻在抵输销来涉旅离返自由从向经援全与"

// joins stand between two abbreviations: 美、日、韩与台.
const joins = "、与和及跟/"

// abbrevActors follow an abbreviation that acts by its officials.
var abbrevActors = []string{"方", "政府", "国会", "商务部", "财政部", "总统", "财长", "官员", "两国", "双方", "三国", "多国", "贸易", "关系", "关税", "出口", "进口"}

// abbrevWords are the characters that make a word of an abbreviation before
// them: 美元 and 美股 are no places.
var abbrevWords = map[rune]string{
	'美': "元股金学丽好容味术食妙女债妆化感的团满观誉联媒商资芝",
	'日': "元圆股语文益前后常子期程内夜报媒志照历均渐记用光落俱企资系",
	'韩': "元股语文媒剧系企资商",
	'台': "币股媒商资语面上下阶风式词账灯柱企干胞",
	'欧': "元股系企资商",
	'英': "镑文语里寸尺雄才俊",
	'德': "文语性行",
	'法': "文语律院规案定则令庭制治学官人",
	'华': "为容人侨裔语文商东南西北中硕虹润丽",
	'印': "刷象章证花制钞发刻",
	'俄': "语文",
	'中': "间心期部外文午断央等级学小长段游标旬低高止介继转型值",
	'港': "元股币口商媒资",
	'荷': "兰包",
	'加': "征息大强快码入工密速剧热拿深重上以油班盟注",
	'新': "的型增兴品闻一年建能材技",
	'意': "义见外思图味识愿向",
	'以': "来及后前上下内外为至便",
	'西': "部方安",
	'马': "上",
	'泰': "铢",
	'越': "来",
	'星': "期球",
	'澳': "元",
	'伊': "士始",
}

// wordAbbrevs are the characters that make a word of an abbreviation behind
// them: 其中, 方法.
var wordAbbrevs = map[rune]string{
	'中': "其之当集高初年月期手眼心空水海程途家业个上下适折命",
	'法': "方办立宪司合违执依律全刑商税手做想说看书魔无用技疗此规算",
	'美': "完优精健唯甜",
	'日': "近今昨明次当每生节假周工翌即本同终往平",
	'台': "平舞电柜站月后前阳吧一两三几每这那多",
}

// abbreviates reports whether the neighbours of a one-character hit show that it
// is the abbreviation of a place.
func (m *matcher) abbreviates(h hit) bool {
	if !m.stands(h.start, h.end) {
		return false
	}
	before, n := utf8.DecodeLastRuneInString(m.text[:h.start])
	after, w := utf8.DecodeRuneInString(m.text[h.end:])
	if strings.ContainsRune(directions, before) && n > 0 && !(before == '在' && m.text[h.start:h.end] == "中") {
		return true
	}
	if m.abbrevEnds(h.start) || w > 0 && m.abbrevBegins(h.end) {
		return true
	}
	if n > 0 && strings.ContainsRune(joins, before) && (m.abbrevEnds(h.start-n) || m.placeEnds(h.start-n)) {
		return true
	}
	if w > 0 && strings.ContainsRune(joins, after) && m.abbrevBegins(h.end+w) {
		return true
	}
	if n == 0 || !han.IsHan(before) {
		for _, a := range abbrevActors {
			if strings.HasPrefix(m.text[h.end:], a) {
				return true
			}
		}
	}
	return false
}

// abbrevBegins reports whether an abbreviation stands at i by itself.
func (m *matcher) abbrevBegins(i int) bool {
	r, n := utf8.DecodeRuneInString(m.text[i:])
	return m.g.abbrevs[r] && m.stands(i, i+n)
}

// abbrevEnds reports whether an abbreviation that stands by itself ends at i.
func (m *matcher) abbrevEnds(i int) bool {
	r, n := utf8.DecodeLastRuneInString(m.text[:i])
	return n > 0 && m.g.abbrevs[r] && m.stands(i-n, i)
}

// stands reports whether the character at start:end belongs to no longer name
// or word.
func (m *matcher) stands(start, end int) bool {
	r, _ := utf8.DecodeRuneInString(m.text[start:end])
	rest := m.text[end:]
	after, w := utf8.DecodeRuneInString(rest)
	if w > 0 && strings.ContainsRune(abbrevWords[r], after) && !strings.HasPrefix(rest, "元首") && !strings.HasPrefix(rest, "上市") {
		return false
	}
	before, n := utf8.DecodeLastRuneInString(m.text[:start])
	if n > 0 && (strings.ContainsRune(wordAbbrevs[r], before) || r == '华' && m.g.abbrevs[before]) {
		return false
	}
	if r == '中' && strings.HasPrefix(rest, "华") {
		return false
	}
	for i := m.from(start - 48); i < len(m.hits) && m.hits[i].start <= start; i++ {
		if x := m.hits[i]; x.end > start && x.end-x.start > end-start {
			return false
		}
	}
	return true
}

// placeEnds reports whether the name of a place ends at i.
func (m *matcher) placeEnds(i int) bool {
	for k := m.from(i - 48); k < len(m.hits) && m.hits[k].start < i; k++ {
		if p := &m.g.patterns[m.hits[k].pattern]; m.hits[k].end == i && p.entity.Kind == news.Place && !p.form.Abbrev {
			return true
		}
	}
	return false
}

// from returns the index of the first hit that starts at i or later.
func (m *matcher) from(i int) int {
	return sort.Search(len(m.hits), func(k int) bool { return m.hits[k].start >= i })
}
