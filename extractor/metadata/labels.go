package metadata

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"xinwen/extractor/pattern"
)

// role is what a label makes of the name behind it.
type role uint8

const (
	noRole role = iota
	authorRole
	editorRole
	reporterRole
	creditRole
	otherRole // ends a name but is not kept: 时间, 阅读, 责任校对 …
)

// labels are the words before a name, longest first where one begins another.
// A label needs a colon, bar or slash behind it unless bare is set.
var labels = []struct {
	text string
	role role
	bare bool
}{
	{"稿件来源", creditRole, false},
	{"文章来源", creditRole, false},
	{"信息来源", creditRole, false},
	{"新闻来源", creditRole, false},
	{"内容来源", creditRole, false},
	{"本文来源", creditRole, false},
	{"来源于", creditRole, false},
	{"来源", creditRole, false},
	{"來源", creditRole, false},
	{"文章來源", creditRole, false},
	{"資料來源", otherRole, false},
	{"资料来源", otherRole, false},
	{"数据来源", otherRole, false},
	{"图片来源", otherRole, false},
	{"圖片來源", otherRole, false},
	{"图源", otherRole, false},
	{"转载自", creditRole, true},
	{"轉載自", creditRole, true},
	{"转自", creditRole, true},
	{"轉自", creditRole, true},
	{"摘自", creditRole, true},
	{"出处", creditRole, false},
	{"出處", creditRole, false},
	{"稿源", creditRole, false},
	{"消息来源", otherRole, false},
	{"责任编辑", editorRole, false},
	{"責任編輯", editorRole, false},
	{"执行主编", editorRole, false},
	{"执行编辑", editorRole, false},
	{"值班编辑", editorRole, false},
	{"本文编辑", editorRole, false},
	{"网络编辑", editorRole, false},
	{"责编", editorRole, false},
	{"責編", editorRole, false},
	{"编辑", editorRole, false},
	{"編輯", editorRole, false},
	{"主编", editorRole, false},
	{"编审", editorRole, false},
	{"核稿", otherRole, false},
	{"采访人员", reporterRole, false},
	{"特约记者", reporterRole, true},
	{"见习记者", reporterRole, true},
	{"实习记者", reporterRole, true},
	{"本报记者", reporterRole, true},
	{"本网记者", reporterRole, true},
	{"本刊记者", reporterRole, true},
	{"特派記者", reporterRole, true},
	{"記者", reporterRole, true},
	{"记者", reporterRole, true},
	{"採訪", reporterRole, false},
	{"采访", reporterRole, false},
	{"原标题", otherRole, false},
	{"文章作者", authorRole, false},
	{"本文作者", authorRole, false},
	{"原作者", authorRole, false},
	{"原创作者", authorRole, false},
	{"作者简介", otherRole, false},
	{"作者單位", otherRole, false},
	{"作者单位", otherRole, false},
	{"作者", authorRole, false},
	{"楼主", authorRole, false},
	{"樓主", authorRole, false},
	{"发帖人", authorRole, false},
	{"发帖者", authorRole, false},
	{"發帖人", authorRole, false},
	{"发信人", authorRole, false},
	{"發信人", authorRole, false},
	{"送交者", authorRole, false},
	{"提交者", authorRole, false},
	{"投稿人", authorRole, false},
	{"上传者", authorRole, false},
	{"整理者", authorRole, false},
	{"专栏作家", authorRole, false},
	{"專欄作家", authorRole, false},
	{"撰稿", authorRole, false},
	{"撰文", authorRole, false},
	{"供稿", authorRole, false},
	{"执笔人", authorRole, false},
	{"执笔", authorRole, false},
	{"撰稿人", authorRole, false},
	{"通讯作者", authorRole, false},
	{"实习生", reporterRole, true},
	{"特约撰稿", authorRole, true},
	{"通讯员", authorRole, true},
	{"編譯", authorRole, false},
	{"编译", authorRole, false},
	{"文", authorRole, false},
	{"发布者", authorRole, false},
	{"發布者", authorRole, false},
	{"时间", otherRole, false},
	{"時間", otherRole, false},
	{"日期", otherRole, false},
	{"发布时间", otherRole, false},
	{"发布于", otherRole, true},
	{"阅读", otherRole, true},
	{"浏览", otherRole, true},
	{"瀏覽", otherRole, true},
	{"点击", otherRole, true},
	{"评论", otherRole, true},
	{"字号", otherRole, true},
	{"字体", otherRole, true},
	{"人气", otherRole, false},
	{"收藏", otherRole, true},
	{"分享", otherRole, true},
	{"打印", otherRole, true},
	{"校对", otherRole, false},
	{"审核", otherRole, false},
	{"监制", otherRole, false},
	{"视频", otherRole, false},
	{"摄影", otherRole, false},
	{"攝影", otherRole, false},
	{"图", otherRole, false},
	{"我要", otherRole, true},
	{"关键词", otherRole, false},
	{"标签", otherRole, false},
	{"發佈", otherRole, true},
	{"发布", otherRole, true},
	{"更新", otherRole, true},
	{"关注", otherRole, true},
	{"微信", otherRole, true},
	{"手机看", otherRole, true},
	{"手机查看", otherRole, true},
	{"參考", otherRole, false},
	{"专栏", otherRole, false},
	{"大字", otherRole, true},
	{"小字", otherRole, true},
	{"举报", otherRole, true},
	{"跟贴", otherRole, true},
	{"点赞", otherRole, true},
}

const colons = ":：/／|｜丨∕ǀ"

// named is a name found behind a label.
type named struct {
	role role
	text string
	bare bool // the label had no colon
}

// sep stands for the border of an inline element in the text that is read.
const sep = '\x1f'

// line returns the text of block i with a mark where inline elements begin and
// end.
func (r *reader) line(i int) string {
	b := &r.Doc.Blocks[i]
	if len(b.Cuts) == 0 {
		return b.Text
	}
	var s strings.Builder
	last := 0
	for _, c := range b.Cuts {
		if c > last && c < len(b.Text) {
			s.WriteString(b.Text[last:c])
			s.WriteRune(sep)
			last = c
		}
	}
	s.WriteString(b.Text[last:])
	return s.String()
}

// labelAt returns the label that s begins with, how long it is with its colon,
// and whether there was a colon.
func labelAt(s string) (role, int, bool) {
	for i := range labels {
		l := &labels[i]
		if !strings.HasPrefix(s, l.text) {
			continue
		}
		n := len(l.text)
		rest := s[n:]
		t := strings.TrimLeft(rest, " \u3000\u00a0\x1f")
		if r, size := utf8.DecodeRuneInString(t); t != "" && strings.ContainsRune(colons, r) && (l.role != otherRole || r == ':' || r == '：') {
			return l.role, n + len(rest) - len(t) + size, true
		}
		if l.bare || (l.role == creditRole || l.role == authorRole) && len(l.text) == len("来源") {
			return l.role, n, false
		}
	}
	return noRole, 0, false
}

// reSpaced matches labels that are set wide: 作　者：.
var reSpaced = pattern.MustCompile(`(作|来|來|编|編|记|記)[ \x{3000}\x{a0}]{1,6}(者|源|辑|輯)([ \x{3000}\x{a0}]*[:：])`)

// readNames finds the labelled names in one line.
func readNames(s string) []named {
	s = reSpaced.ReplaceAllString(s, "$1$2$3")
	var out []named
	prev := rune(' ')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		role, n, colon := noRole, 0, false
		if r > 0x2e80 {
			role, n, colon = labelAt(s[i:])
		}
		// 文 and 图 label a name only at the start of a part: 文/张三.
		if role != noRole && (strings.HasPrefix(s[i:], "文") || strings.HasPrefix(s[i:], "图")) && unicode.Is(unicode.Han, prev) && n < 8 {
			role = noRole
		}
		signed := role == reporterRole || role == authorRole
		if role != noRole && !colon && !(signed && len(s) < 160) && prev != ' ' && prev != sep && !strings.ContainsRune("（(【[|｜/／ 　，,。；;\"”》", prev) {
			role = noRole
		}
		if role == noRole {
			prev = r
			i += size
			continue
		}
		i += n
		name, used := readName(s[i:], role, colon)
		if !colon && name != "" && !bareName(role, name, s) {
			name = ""
		}
		if name != "" {
			out = append(out, named{role, name, !colon})
		}
		i += used
		prev = ' '
	}
	return out
}

// readName returns the name at the start of s, and how much of s it took.
func readName(s string, role role, colon bool) (string, int) {
	start := len(s) - len(strings.TrimLeft(s, " \u3000\u00a0\x1f《"))
	t := s[start:]
	latin := false
	if r, _ := utf8.DecodeRuneInString(t); r < 0x2e80 {
		latin = true
	}
	if _, n, _ := labelAt(t); n > len("文/") {
		return "", start // the field is empty, the next label follows
	}
	i, words := 0, 0
	suffix := ""
loop:
	for i < len(t) {
		r, size := utf8.DecodeRuneInString(t[i:])
		switch {
		case role == creditRole && r == sep && placeSuffix(t[i+1:]) > 0:
			suffix = t[i+1 : i+1+placeSuffix(t[i+1:])]
			break loop
		case role == creditRole && (r == '(' || r == '（') && i > 0:
			// 第一财经日报(上海): the place belongs to the name.
			if n := placeSuffix(t[i:]); n > 0 {
				i += n
			}
			break loop
		case r == sep, strings.ContainsRune("，,。；;（()）【】[]|｜》：:", r), r == '／' && role != authorRole:
			break loop
		case r == '/' && role == reporterRole:
			break loop
		case unicode.IsDigit(r) && i == 0 && (role != creditRole || reStartDate.MatchString(t)), strings.HasPrefix(t[i:], "20") && len(t) > i+4 && i > 0 && !latin:
			break loop
		case r == ' ' || r == '\u3000' || r == '\u00a0':
			rest := strings.TrimLeft(t[i:], " \u3000\u00a0")
			next, _ := utf8.DecodeRuneInString(rest)
			if _, n, _ := labelAt(rest); n > 0 || unicode.IsDigit(next) {
				break loop
			}
			// Chinese names of people may follow each other with a space; a
			// medium's name ends at it.
			w := strings.IndexAny(rest, " \u3000\u00a0\x1f，,。；;（(|｜")
			if w < 0 {
				w = len(rest)
			}
			wl := utf8.RuneCountInString(rest[:w])
			if !latin && (role == creditRole || wl < 2 || wl > 4 || !hanOnly(rest[:w])) {
				break loop
			}
			if words++; words > 5 {
				break loop
			}
		default:
			if role != creditRole || i > 6 {
				if _, n, c := labelAt(t[i:]); n > 0 && i > 0 && c && r != '文' && r != '图' {
					break loop
				}
			}
		}
		i += size
	}
	name := strings.Trim(t[:i], " \u3000\u00a0、/-—·\t")
	name = strings.TrimRight(name, "》")
	if suffix != "" {
		name += suffix
		i += 1 + len(suffix)
	}
	limit := 12
	if role == creditRole {
		limit = 24
	}
	n := utf8.RuneCountInString(name)
	if words > 0 && role != creditRole {
		limit = 40 // several people
	}
	if latin {
		limit *= 3
	}
	if n < 2 || n > limit && colon || !colon && role != creditRole && n > 9 {
		if n > 0 && !colon {
			return "", 0
		}
		return "", start + i
	}
	return name, start + i
}

// placeSuffix returns the length of a bracketed place at the start of s.
func placeSuffix(s string) int {
	x := rePlace.FindString(s)
	return len(x)
}

var (
	rePlace     = pattern.MustCompile(`^[（(]\p{Han}{2,4}[)）]`)
	reStartDate = pattern.MustCompile(`^\d+(?:[-/.:年月日]|\s|$)`)
)

// bareName reports whether a name that follows its label without a colon is to
// be believed: a person for 记者 张三, a short field among others for 来源CSDN|.
func bareName(role role, name, line string) bool {
	switch role {
	case reporterRole:
		for _, n := range splitNames(name) {
			if !isPerson(n) {
				return false
			}
		}
		return true
	case authorRole:
		for _, n := range splitNames(name) {
			if !isPerson(n) {
				return false
			}
		}
		return len(line) < 160
	case creditRole:
		return len(line) < 240 && !strings.ContainsAny(name, "于自是的、")
	}
	return true
}

func hanOnly(s string) bool {
	for _, r := range s {
		if !unicode.Is(unicode.Han, r) && r != '·' {
			return false
		}
	}
	return s != ""
}
