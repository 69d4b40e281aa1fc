package entity

import (
	"strings"

	"xinwen/news"
)

// sciences may stand between a university and its institute.
var sciences = []string{"微电子", "电子", "计算机", "物理", "材料", "化学", "集成电路", "自动化", "半导体", "信息", "技术", "科学", "工程", "与", "人工智能", "光电", "软件", "机械", "电机", "纳米", "国家", "智能", "产业"}

// scienceNames are those sciences in English that institutes are of.
var scienceNames = map[string]string{
	"微电子": "Microelectronics", "电子": "Electronics", "计算机": "Computer Science", "物理": "Physics", "材料": "Materials", "化学": "Chemistry", "集成电路": "Integrated Circuits",
	"自动化": "Automation", "半导体": "Semiconductors", "人工智能": "Artificial Intelligence", "光电": "Optoelectronics", "软件": "Software", "机械": "Mechanical Engineering",
	"电机": "Electrical Engineering", "纳米": "Nanotechnology", "材料科学与工程": "Materials Science and Engineering", "计算机科学与技术": "Computer Science and Technology",
	"电子工程": "Electronic Engineering", "计算技术": "Computing Technology", "自动化技术": "Automation",
}

// departments are the last words of parts of a university, with their names in
// English.
var departments = []string{"研究院", "研究所", "研究中心", "实验室", "学院", "所", "系"}

var departmentNames = map[string]string{"研究院": "Institute", "研究所": "Institute", "研究中心": "Research Center", "学院": "School", "所": "Institute", "系": "Department"}

// department returns the end of the institute behind a university, and its
// English name if that is known: 清华大学微电子所.
func (t *tagging) department(f found) (end int, english string) {
	name := t.s[f.start:f.end]
	if !strings.HasSuffix(name, "大学") && !strings.HasSuffix(name, "学院") && !strings.HasSuffix(name, "科学院") && !strings.HasSuffix(name, "中科院") {
		return 0, ""
	}
	j := f.end
	for {
		n := prefixOf(t.s[j:], sciences)
		if n == 0 {
			break
		}
		j += n
	}
	if j == f.end {
		return 0, ""
	}
	n := prefixOf(t.s[j:], departments)
	if n == 0 {
		return 0, ""
	}
	science, of := scienceNames[t.s[f.end:j]], departmentNames[t.s[j:j+n]]
	if f.name != "" && science != "" && of != "" {
		english = f.name + " " + of + " of " + science
	}
	return j + n, english
}

// agencies act for the place before them: 广东省发改委.
var agencies = []string{
	"发展和改革委员会", "发展改革委", "发改委", "人民政府", "市政府", "省政府", "县政府", "区政府", "州政府", "政府", "工业和信息化局", "工业和信息化厅", "工信局", "工信厅", "经信局", "经信委",
	"经信厅", "科技局", "科技厅", "科委", "商务局", "商务厅", "财政局", "财政厅", "教育局", "环保局", "市场监管局", "统计局", "证监局", "国资委", "法院", "高等法院", "地方法院", "经济发展局",
}

// places joins a place and the agency of its government.
func (t *tagging) places() {
	for i := 0; i < len(t.list); i++ {
		f := t.list[i]
		if f.kind != news.Place || !hasHan(t.s[f.start:f.end]) {
			continue
		}
		j := f.end
		for _, w := range [...]string{"省", "市", "县", "州"} {
			if strings.HasPrefix(t.s[j:], w) {
				j += len(w)
			}
		}
		if n := prefixOf(t.s[j:], agencies); n > 0 {
			x := t.unknown(news.Org, f.start, j+n, scoreCue)
			if k := t.at(j); k < len(t.list) && t.list[k].start == j && t.list[k].end >= j+n && !strings.HasSuffix(t.s[f.start:j], "省") && !strings.HasSuffix(t.s[f.start:j], "市") {
				continue // 中国 and 国家发改委 are two
			}
			if agency := agencyNames[t.s[j:j+n]]; f.name != "" && agency != "" {
				x.name = strings.TrimSuffix(f.name, " Province") + " " + agency
			}
			t.add(x)
		}
	}
}

// agencyNames are the English names of agencies.
var agencyNames = map[string]string{
	"发展和改革委员会": "Development and Reform Commission", "发展改革委": "Development and Reform Commission", "发改委": "Development and Reform Commission",
	"人民政府": "government", "市政府": "government", "省政府": "government", "县政府": "government", "区政府": "government", "州政府": "government", "政府": "government",
	"工业和信息化局": "Bureau of Industry and Information Technology", "工信局": "Bureau of Industry and Information Technology",
	"工业和信息化厅": "Department of Industry and Information Technology", "工信厅": "Department of Industry and Information Technology",
	"经信局": "Bureau of Economy and Information Technology", "经信委": "Commission of Economy and Information Technology", "经信厅": "Department of Economy and Information Technology",
	"科技局": "Bureau of Science and Technology", "科技厅": "Department of Science and Technology", "科委": "Science and Technology Commission",
	"商务局": "Bureau of Commerce", "商务厅": "Department of Commerce", "财政局": "Bureau of Finance", "财政厅": "Department of Finance", "统计局": "Bureau of Statistics",
	"证监局": "Securities Regulatory Bureau", "国资委": "State-owned Assets Supervision and Administration Commission", "高等法院": "High Court", "地方法院": "District Court",
}

// fields are what universities of a place are named for.
var fields = []string{"理工", "科技", "工业", "交通", "师范", "医科", "财经", "农业", "邮电", "电子科技", "航空航天", "外国语", "政法", "工商", "海洋", "化工", "林业", "中医药"}

// university takes the university that is named for the place before it: 云南大学,
// 北京科技大学. 美国大学 is no name.
func (t *tagging) university(i, end int) bool {
	from, field := i, ""
	for _, f := range fields {
		if strings.HasSuffix(t.s[:i], f) && len(f) > len(field) {
			from, field = i-len(f), f
		}
	}
	k := t.at(from) - 1
	if k < 0 || t.list[k].end != from || t.list[k].kind != news.Place || field == "" && countries[t.s[t.list[k].start:from]] {
		return false
	}
	return t.add(t.unknown(news.Org, t.list[k].start, end, scoreWord))
}
