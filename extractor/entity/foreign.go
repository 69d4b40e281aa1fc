package entity

import (
	"slices"
	"strings"
	"unicode/utf8"

	"xinwen/news"
	"xinwen/news/han"
)

// translit are the characters that foreign names are written with.
const translit = "阿埃艾安奥巴白班邦保鲍贝本比彼宾波博伯勃布查德达戴丹道登迪蒂丁顿多恩尔法菲费芬佛弗福夫盖甘高戈格葛古哈海汉豪赫亨霍基吉加贾杰金卡凯坎康考科克肯库夸拉莱兰朗劳勒雷李里利丽莉连廉林琳隆卢鲁伦罗洛马麦曼芒梅门蒙米密明摩莫姆穆纳娜南瑙内尼涅宁纽农努诺欧帕派潘佩皮珀普奇齐钱乔切琼丘让热日荣儒瑞若萨塞桑瑟森沙莎山珊绍舍申史士施斯思苏索塔泰坦唐汤特提图托陀瓦万旺威维韦魏温文沃乌伍武西希锡夏肖辛休修雪逊雅亚扬耶叶伊依因英尤约泽扎詹珍芝朱兹祖佐谢舒叙菜蕾露妮娅妲黛翠翰裘沁滕腾廷庭柴策茨措迈孟默慕墨奈诗什蔡凡范方冯富冈根龚郭果华怀惠简江姜杨叔孙台陶许卜玛弥拜芙坤蓬缇琪厄昂翁奎彭赛帖萝璐杜治历津撒茹捷洪毛吕庞匡寇侯罕楚松晓钦琴胡孔柳章哲丝察各立汗路东席吐"

// notFirst are those of translit that begin no name: 主席哈维尔, 股东约翰.
const notFirst = "东席士"

// articles begin parts that go on with a name that may stand alone: 阿勒沙特.
var articles = []string{"阿勒", "阿尔", "艾尔", "本", "伊本", "德", "冯", "范", "圣", "勒", "拉"}

// notPersons follow names with a middle dot that are of something else.
var notPersons = []string{"架构", "公司", "集团", "大学", "奖", "实验室", "银行", "号", "\"号"}

// goingOn begin with a character of translit and are no part of a name.
var goingOn = []string{
	"提交", "提出", "提议", "提供", "提名", "提起", "达成", "达到", "立即", "明确", "明年", "明天", "本月", "本周", "本人", "本次", "加入", "加大", "加快", "基本", "安排", "大使", "来", "兼",
}

// maxPart is how many characters one part of a foreign name has at most.
const maxPart = 8

// foreign finds names of several parts: 蒂姆·库克, 让-克洛德·特里谢,
// 约翰·F·肯尼迪. Taiwan joins parts by a full stop too: 普特拉詹．辛格.
func (t *tagging) foreign() {
	for _, joint := range [...]string{"·", "."} {
		t.each(joint, func(i int) {
			if start, last, end := t.parts(i); end > 0 && t.free(i, i+len(joint)) {
				t.foreigner(start, i, last, end)
			}
		})
	}
}

// foreigner takes the name from start to end whose first part ends at first and
// whose last begins at last.
func (t *tagging) foreigner(start, first, last, end int) {
	if prefixOf(t.s[end:], notPersons) > 0 {
		return
	}
	f := t.unknown(news.Person, start, end, scoreCue)
	if k := slices.IndexFunc(t.forms, func(l learnt) bool { return l.text == t.s[start:end] }); k >= 0 {
		f.entity, f.name = t.forms[k].of.entity, t.forms[k].of.name
	}
	if !t.add(f) {
		return
	}
	t.learn(t.s[start:end], f)
	t.learn(t.s[last:end], f)
	t.learn(t.s[start:first]+"·"+t.s[last:end], f)
}

// parts returns where the name around the joint at i begins and ends, and where
// its last part begins; end is 0 if there is none.
func (t *tagging) parts(i int) (start, last, end int) {
	start = t.partBefore(i)
	if before := t.s[:start]; start == i || strings.HasSuffix(before, "·") || strings.HasSuffix(before, ".") && start > 1 && t.initial(start-2) {
		return 0, 0, 0 // the chain was read from its first joint on
	}
	end = i
	for {
		n := t.joint(end)
		if n == 0 {
			break
		}
		e := t.partAfter(end + n)
		if e == 0 {
			break
		}
		last, end = end+n, e
	}
	if last == 0 || utf8.RuneCountInString(t.s[i:end]) < 3 || !hasHan(t.s[last:end]) {
		return 0, 0, 0
	}
	return start, last, end
}

// joint returns the length of what joins two parts at i, 0 if nothing does: a
// middle dot, or a full stop behind an initial or between Chinese characters.
func (t *tagging) joint(i int) int {
	switch {
	case strings.HasPrefix(t.s[i:], "·"):
		return len("·")
	case i == 0 || i+1 >= len(t.s) || t.s[i] != '.':
		return 0
	}
	n := len(".")
	if t.initial(i - 1) {
		if t.s[i+n] == ' ' {
			n++
		}
		if i+n < len(t.s) && t.initial(i+n) {
			return n
		}
	} else if before, _ := utf8.DecodeLastRuneInString(t.s[:i]); !strings.ContainsRune(translit, before) {
		return 0
	}
	if behind, _ := utf8.DecodeRuneInString(t.s[i+n:]); !strings.ContainsRune(translit, behind) {
		return 0
	}
	return n
}

// initial reports whether a capital letter stands alone at i.
func (t *tagging) initial(i int) bool {
	return t.s[i] >= 'a' && t.s[i] <= 'z' && t.upper(i) && t.wordBegin(i) && t.wordEnd(i+1)
}

// partBefore returns where the first part of a name begins that ends at i, i if
// none does. Names of the lexicon that stand before it are none of it
// (英特尔帕特·基辛格), and what has the name of a company is none (英特尔·福特).
func (t *tagging) partBefore(i int) int {
	if i > 0 && t.initial(i-1) {
		return i - 1
	}
	start := i
	for n := 0; n < maxPart; n++ {
		r, w := utf8.DecodeLastRuneInString(t.s[:start])
		if r == '-' && start < i {
			r, k := utf8.DecodeLastRuneInString(t.s[:start-w])
			if !strings.ContainsRune(translit, r) {
				break
			}
			w += k
		} else if w == 0 || !strings.ContainsRune(translit, r) {
			break
		}
		start -= w
	}
	for k := t.at(start); k < len(t.list) && t.list[k].start < i; k++ {
		switch f := &t.list[k]; {
		case f.end < i:
			start = f.end
		case f.kind == news.Org:
			return i
		}
	}
	for r, n := utf8.DecodeRuneInString(t.s[start:i]); n > 0 && strings.ContainsRune(notFirst, r); r, n = utf8.DecodeRuneInString(t.s[start:i]) {
		start += n
	}
	return start
}

// partAfter returns where the part of a name ends that begins at i, 0 if none
// does. Before another joint one unusual character is no end.
func (t *tagging) partAfter(i int) int {
	if i < len(t.s) && t.initial(i) {
		return i + 1
	}
	end, unusual := i, 0
	n := 0
	for j := i; n < maxPart; n++ {
		r, w := utf8.DecodeRuneInString(t.s[j:])
		if r == '-' && n > 0 {
			r, k := utf8.DecodeRuneInString(t.s[j+w:])
			if !strings.ContainsRune(translit, r) {
				break
			}
			w += k
		} else if !strings.ContainsRune(translit, r) {
			if unusual++; unusual > 1 || !han.IsHan(r) || strings.ContainsRune(notGiven, r) {
				break
			}
		} else if n > 1 && unusual == 0 && (prefixOf(t.s[j:], sayings) > 0 || prefixOf(t.s[j:], goingOn) > 0) {
			break
		}
		j += w
		if unusual == 0 {
			end = j
		} else if t.joint(j) > 0 {
			return j
		}
	}
	if end == i {
		return 0
	}
	if t.joint(end) > 0 {
		return end
	}
	return t.partEnd(i, end)
}

// partEnd returns where the last part of a name, from i to at most end, ends:
// before another name (约翰·福特英伟达), a date or an amount, and before 因, which
// begins a clause. With 二世 it goes on.
func (t *tagging) partEnd(i, end int) int {
	for k := t.at(i); k < len(t.list) && t.list[k].start < end; k++ {
		x := &t.list[k]
		if x.end > end || x.start != i && prefixOf(t.s[i:], articles) != x.start-i {
			end = x.start
		}
	}
	if end <= i {
		return 0
	}
	if strings.HasSuffix(t.s[:end], "因") && !t.ends(end) {
		end -= len("因")
	}
	r, n := utf8.DecodeRuneInString(t.s[end:])
	if strings.ContainsRune("一二三四五六七八九十", r) && strings.HasPrefix(t.s[end+n:], "世") && !strings.HasPrefix(t.s[end+n:], "世纪") {
		end += n + len("世")
	}
	return end
}
