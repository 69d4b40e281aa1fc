package metadata

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinwen/extractor/pattern"
)

var (
	reBy       = pattern.MustCompile(`(?i)^(?:written\s+|posted\s+|reported\s+|words\s+|story\s+|text\s+)?by:?\s+(.{3,90})$`)
	reTWReport = pattern.MustCompile(`^[［\[〔【（(]?\s*(?:記者|记者|編譯|编译|特派員|特派记者|特派記者)\s*([\p{Han}]{2,4}(?:、[\p{Han}]{2,4})*)\s*[／/](?:綜合|台北|臺北|新北|[\p{Han}]{2,6})?(?:報導|报道|專電|電)?`)
	// 許若白／新竹 2025-11-14
	reSlash   = pattern.MustCompile(`^\s*([\p{Han}]{2,4})\s*[／/]\s*(?:[\p{Han}]{2,6})?(?:報導|报道|專電)?\s*(?:$|[\d|｜])`)
	reParen   = pattern.MustCompile(`[（(]\s*(?:记者|記者)?\s*([\p{Han}]{2,4})\s*[\p{Han}]{0,6}(?:报道|報導|報道|电|電)\s*[)）]\s*$`)
	reTWParen = pattern.MustCompile(`[（(](?:\p{Han}{2,6}社)?(?:記者|记者)([\p{Han}]{2,7})(?:\d{1,2}日(?:電|电)|[／/].{2,8})?[)）]`)
)

// joinLabel appends the next block to one that ends in a label.
func (r *reader) joinLabel(i int, s string) string {
	t := strings.TrimRight(s, " \x1f")
	if len(t) > 60 || !(strings.HasSuffix(t, "：") || strings.HasSuffix(t, ":")) || i+1 >= len(r.Doc.Blocks) {
		return s
	}
	if next := &r.Doc.Blocks[i+1]; next.Units < 30 && !next.Hidden {
		return s + r.line(i+1)
	}
	return s
}

// head reads the forms that open a body: 記者張三／台北報導, （中央社記者張三…）.
func head(s string) []named {
	if len(s) > 400 {
		s = strings.ToValidUTF8(s[:400], "")
	}
	s = strings.ReplaceAll(s, string(sep), "")
	if x := reTWReport.FindStringSubmatch(s); x != nil {
		return []named{{role: reporterRole, text: x[1]}}
	}
	if x := reSlash.FindStringSubmatch(s); x != nil && isPerson(x[1]) {
		return []named{{role: authorRole, text: x[1]}}
	}
	if x := reTWParen.FindStringSubmatchIndex(s); x != nil && x[0] < 60 {
		return []named{{role: reporterRole, text: withoutPlace(s[x[2]:x[3]])}}
	}
	// 新京报讯（记者 陆一夫）
	if i := strings.IndexAny(s, "（("); i >= 0 && i < 60 {
		if j := strings.IndexAny(s[i:], "）)"); j > 0 && j < 150 && (strings.Contains(s[i:i+j], "记者") || strings.Contains(s[i:i+j], "記者")) {
			_, n := utf8.DecodeRuneInString(s[i:])
			return readNames(s[i+n : i+j])
		}
	}
	return nil
}

// withoutPlace cuts the place from a name before it: 許若白新竹.
func withoutPlace(s string) string {
	runes := []rune(s)
	switch n := len(runes); {
	case n == 4 && !slices.Contains(compoundSurnames, string(runes[:2])):
		return string(runes[:2])
	case n > 4:
		return string(runes[:3])
	}
	return s
}

// tail reads the last bracket of a paragraph: （记者 张三 责任编辑：李四）, （作者：王五）.
func tail(s string) []named {
	s = strings.TrimRight(s, " \x1f。")
	if x := reParen.FindStringSubmatch(s); x != nil && isPerson(x[1]) {
		return []named{{role: reporterRole, text: x[1]}} // （张三 上海报道）
	}
	for _, br := range [...][2]string{{"（", "）"}, {"(", ")"}, {"【", "】"}, {"[", "]"}} {
		if strings.HasSuffix(s, br[1]) {
			if i := strings.LastIndex(s, br[0]); i >= 0 && len(s)-i < 240 {
				inner := s[i+len(br[0]) : len(s)-len(br[1])]
				if out := readNames(inner); len(out) > 0 {
					return out
				}
				if names := splitNames(strings.TrimSpace(inner)); len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return !isPerson(n) || utf8.RuneCountInString(n) < 3 && len(names) == 1 }) {
					return []named{{role: authorRole, text: strings.Join(names, " ")}}
				}
			}
		}
	}
	return nil
}

// byline returns the names behind By, "" if s is no such line.
func byline(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 160 {
		return ""
	}
	x := reBy.FindStringSubmatch(strings.ReplaceAll(s, string(sep), " "))
	if x == nil {
		return ""
	}
	name := strings.TrimSpace(reByEnd.ReplaceAllString(x[1], ""))
	if name == "" || !unicode.IsUpper([]rune(name)[0]) && !hasHan(name) || len(strings.Fields(name)) > 9 {
		return ""
	}
	return name
}
