package entity

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// relative reads 今年…, 去年同期, 昨天.
func (p *scanner) relative(i int) int {
	if e, k := p.one(i, "去年", "今年", "明年", "前年", "当年", "同年"); e > 0 {
		if k >= 4 {
			return 0
		}
		return p.inYear(i, p.year([]int{-1, 0, 1, -2}[k]), e, e)
	}
	if e, k := p.one(i, "昨(", "今(", "明("); e > 0 { // 昨(16)日
		if d, f := p.small(e, 2); f > 0 {
			if g := p.has(f, ")日"); g > 0 {
				if !p.known() {
					return p.date(i, g, "")
				}
				return p.date(i, g, day(p.nearDay(d, p.ctx.Date.AddDate(0, 0, k-1))))
			}
		}
	}
	if e, k := p.one(i, "前天", "昨天", "昨日", "昨晚", "今天", "今日", "今早", "今晚", "明天", "明日"); e > 0 {
		next, _ := utf8.DecodeRuneInString(p.s[e:])
		if strings.ContainsRune("头", next) && e < len(p.s) {
			return 0
		}
		if !p.known() {
			return p.date(i, e, "")
		}
		return p.date(i, e, day(p.ctx.Date.AddDate(0, 0, []int{-2, -1, -1, -1, 0, 0, 0, 0, 1, 1}[k])))
	}
	return 0
}

// nearDay returns the day of the month nearest to t, within a week of it, else t.
func (p *scanner) nearDay(d int, t time.Time) time.Time {
	for n := range 8 {
		for _, x := range [...]time.Time{t.AddDate(0, 0, -n), t.AddDate(0, 0, n)} {
			if x.Day() == d {
				return x
			}
		}
	}
	return t
}

// around reads 本月3日, 上季度, 下周, 上半年.
func (p *scanner) around(i int) int {
	if e, k := p.one(i, "上半年", "下半年"); e > 0 {
		y := p.year(0)
		return p.date(i, e, valueHalf(y, k+1))
	}
	n := 0
	e, k := p.one(i, "本", "上", "下")
	switch k {
	case 1:
		n = -1
	case 2:
		n = 1
	}
	if k != 0 {
		if f, _ := p.one(e, "个", "一"); f > 0 {
			e = f
			if f, _ := p.one(e, "个"); f > 0 {
				e = f
			}
		}
	}
	if f, _ := p.one(e, "月"); f > 0 {
		y, m := 0, 0
		if p.known() {
			t := time.Date(p.ctx.Date.Year(), p.ctx.Date.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
			y, m = t.Year(), int(t.Month())
		}
		return p.monthly(i, y, max(m, 1), f)
	}
	if f, _ := p.one(e, "季度", "财季", "季"); f > 0 {
		y, q := 0, 1
		if p.known() {
			x := p.ctx.Date.Year()*4 + (int(p.ctx.Date.Month())+2)/3 - 1 + n
			y, q = x/4, x%4+1
		}
		return p.date(i, f, valueQuarter(y, q))
	}
	if f, _ := p.one(e, "周", "星期", "礼拜"); f > 0 {
		if g := p.weekday(i, e, n); g > 0 {
			return g
		}
		next, _ := utf8.DecodeRuneInString(p.s[f:])
		if strings.ContainsRune("期转边围年", next) && f < len(p.s) {
			return 0
		}
		return p.date(i, f, p.week(n))
	}
	if f := p.has(e, "年度"); f > 0 && k != 2 {
		return p.date(i, f, valueYear(p.year(n)))
	}
	if f := p.has(i, "上年"); f > 0 && !strings.HasSuffix(p.s[:i], "以") && p.dayEnds(f) {
		if r, _ := utf8.DecodeRuneInString(p.s[f:]); r != '代' && r != '纪' {
			return p.inYear(i, p.year(-1), f, f)
		}
	}
	return 0
}

func (p *scanner) week(n int) string {
	if !p.known() {
		return ""
	}
	y, w := p.ctx.Date.AddDate(0, 0, 7*n).ISOWeek()
	return fmt.Sprintf("%04d-W%02d", y, w)
}

// weekday reads 周四, 星期四 at i; the mention begins at start. Without a word
// for the week it is the last such day.
func (p *scanner) weekday(start, i, week int) int {
	e, _ := p.one(i, "星期", "礼拜", "周")
	if e == 0 {
		return 0
	}
	r, w := utf8.DecodeRuneInString(p.s[e:])
	d := hanDigit(r)
	if r == '日' || r == '天' {
		d = 7
	}
	if d < 1 || d > 7 || r == '两' {
		return 0
	}
	if i == start { // 周一 can begin a name or follow 每 and 上周
		prev, _ := utf8.DecodeLastRuneInString(p.s[:i])
		next, _ := utf8.DecodeRuneInString(p.s[e+w:])
		if strings.ContainsRune("每一两三几多各", prev) || strings.ContainsRune("围鸿仕岁家边", next) && e+w < len(p.s) {
			return 0
		}
	}
	if !p.known() {
		return p.date(start, e+w, "")
	}
	return p.date(start, e+w, p.dayOfWeek(d, week, start != i))
}

// dayOfWeek resolves a weekday from 1 (Monday): in the given week, or the last
// one.
func (p *scanner) dayOfWeek(d, week int, given bool) string {
	now := p.ctx.Date
	today := (int(now.Weekday())+6)%7 + 1
	if given {
		return day(now.AddDate(0, 0, d-today+7*week))
	}
	back := (today - d + 7) % 7
	return day(now.AddDate(0, 0, -back))
}
