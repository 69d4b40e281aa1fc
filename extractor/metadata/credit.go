package metadata

import (
	"slices"
	"strings"

	"xinwen/extractor/dom"
	"xinwen/extractor/pattern"
	"xinwen/news"
)

// source votes for a medium.
func (s *signer) source(name, where string) {
	name = strings.Trim(name, " \t\u3000\x1f《》·|｜")
	if reClock.MatchString(name) {
		return
	}
	if strings.Contains(name, "://") || reJunkCredit.MatchString(name) || length(name) > 24 || length(name) < 1 {
		return
	}
	s.credit.vote(fold(name), name, where)
}

// mergePlaces gives the votes for a medium to the candidate that names its place
// too: 第一财经日报 and 第一财经日报(上海) are one.
func (s *signer) mergePlaces() {
	list := s.credit.Candidates
	for i := range list {
		for k := range list {
			if rest, ok := strings.CutPrefix(list[k].Value, list[i].Value); ok && rest != "" && len(rest) == placeSuffix(rest) {
				for _, v := range list[i].Votes {
					list[k].mark(v.Where)
				}
				list[i].Votes = nil
			}
		}
	}
	s.credit.Candidates = slices.DeleteFunc(list, func(c Candidate) bool { return len(c.Votes) == 0 })
}

var reBesideDate = pattern.MustCompile(`^(?:原创[\s\x1f]*)?[《]?([\p{Han}\w·]{2,16}?)[》]?[\s|｜·•\x1f]*(?:19|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}|^(?:19|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?(?:\s*\d{1,2}:\d{2}(?::\d{2})?)?[\s|｜\x1f]*《([\p{Han}\w·]{2,16})》|(?:19|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?\s*\d{1,2}:\d{2}(?::\d{2})?[\s|｜\x1f]+([\p{Han}\w·]{3,16})$|^(?:19|20)\d\d[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?[\s\x1f]+[·•|｜][\s\x1f]+([\p{Han}\w]{3,16})$`)

// besideDate returns the medium whose name stands before the date under the
// title: 中国网 2019-11-25 10:37.
func (r *reader) besideDate() string {
	if r.head < 0 {
		return ""
	}
	for _, i := range r.around {
		b := &r.Doc.Blocks[i]
		if i <= r.head || i > r.head+4 || r.first >= 0 && i >= r.first || b.Hidden || len(b.Text) > 90 {
			continue
		}
		s := r.line(i)
		x := reBesideDate.FindStringSubmatch(s)
		if x == nil {
			continue
		}
		name := x[1] + x[2] + x[3] + x[4]
		if _, n, _ := labelAt(name); n == 0 && (hasHan(name) || x[1] != "" && strings.HasPrefix(s, "原创")) && !isPerson(name) && !reJunkName.MatchString(name) && !reJunkCredit.MatchString(name) && !strings.ContainsAny(name, "时時日期于於") {
			return name
		}
	}
	return ""
}

var reClock = pattern.MustCompile(`\d{1,2}:\d{2}|\d{1,2}[-/月]\d{1,2}`)

var reJunkCredit = pattern.MustCompile(`(?i)^(?:网络|互联网|未知|不详|本[站网](?:站?原创)?|[本网]站原创|原创|转载|作者|时间|日期)$|^[\d\s:.-]+$`)

// reSourceClass matches the names of elements that hold the medium.
var reSourceClass = pattern.MustCompile(`(?:^|[\s_-])(?:source|media|origin|laiyuan)(?:[\s_-]?name)?(?:$|[\s_-])`)

// sourceClass votes for the medium that an element named for it holds.
func (s *signer) sourceClass(e *dom.Element) {
	if s.Script == news.ScriptLatn || e.End-e.First > 1 || s.head >= 0 && e.First <= s.head || s.first >= 0 && e.First >= s.first && e.First <= s.last {
		return
	}
	text := strings.TrimSpace(textOf(s.Doc, e))
	if length(text) > 20 || strings.ContainsAny(text, "：:") || len((&dater{zone: s.Zone}).scan(text)) > 0 {
		return
	}
	s.source(text, "byline source-class")
}
