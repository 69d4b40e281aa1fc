package extractor

import (
	"slices"
	"strings"
	"unicode/utf8"

	"xinwen/extractor/pattern"
	"xinwen/news/han"
)

// maxGaps bounds the gaps of one article.
const maxGaps = 100

// gaps returns the places in code points where the text of a link seems to be
// missing, as a publisher's system leaves them when it drops links: quotes around
// nothing, a preposition before 的 or a mark, an article before a comma.
func gaps(s string) []int {
	var out []int
	var before, prev rune
	at, offset := 0, 0
	for i, r := range s {
		lost := false
		switch r {
		case '”':
			lost = prev == '“' || prev == ' ' && before == '“'
		case '」':
			lost = prev == '「'
		case '』':
			lost = prev == '『'
		case '》':
			lost = prev == '《'
		case '，', '。', '、', '；':
			lost = (prev == '和' || prev == '与' || prev == '與') && han.IsHan(before) && !strings.ContainsRune(endsInAnd, before)
		case '的':
			lost = han.IsHan(before) && ((prev == '和' || prev == '与' || prev == '與') && !strings.ContainsRune(endsInAnd, before) ||
				(prev == '从' || prev == '從' || prev == '向') && !strings.ContainsRune(endsInTo, before))
		}
		if (prev == '对' || prev == '對') && !strings.ContainsRune("绝絕反针針相面应應核校配成派敌敵作不一查比", before) {
			lost = lost || needsObject(s[i:])
		}
		if lost && len(out) < maxGaps {
			out = append(out, at)
		}
		before, prev = prev, r
		at++
	}
	if strings.Contains(s, " ,") || strings.Contains(s, " .") || strings.Contains(s, " ;") {
		at, offset = 0, 0
		for _, m := range latinGap.FindAllStringSubmatchIndex(s, maxGaps) {
			at += utf8.RuneCountInString(s[offset:m[2]])
			offset = m[2]
			out = append(out, at)
		}
	}
	slices.Sort(out)
	return out[:min(len(out), maxGaps)]
}

// endsInAnd and endsInTo are what makes a word of 和, 与, 从 and 向: 总和, 参与,
// 服从, 面向.
const (
	endsInAnd = "总總饱飽温溫暖柔缓緩平祥谐諧参參给給赠贈授赋賦之求零议議请請亲親中人共随隨调調不媾讲講违違附融协協验驗掺摻"
	endsInTo  = "方走去转轉倾傾动動趋趨意志内內面指导導流单單取外反何服顺順盲屈听聽跟遵侍随隨航朝偏双雙多逆横橫纵縱径徑轴軸定风風"
)

// afterObject are words that need something between 对 and themselves.
var afterObject = strings.Fields("来说 來說 来讲 來講 而言 的依赖 的依賴 情有独钟 情有獨鐘 情有獨鍾 感兴趣 感興趣 不感兴趣 不感興趣")

func needsObject(s string) bool {
	for _, w := range afterObject {
		if strings.HasPrefix(s, w) {
			return true
		}
	}
	return false
}

// latinGap matches a word that needs another after it, before a mark; the group
// is where that is missing.
var latinGap = pattern.MustCompile(`(?i)\b(?:the|an?|of|by|with|from|and|at|for|between) ()[,.;](?:\s|$)`)
