package entity

import (
	"strings"
	"unicode/utf8"
)

// numericDate reads dates that begin with a digit.
func (p *scanner) numericDate(i int) int {
	s := p.s
	v, e := p.digits(i)
	if e == 0 || v != float64(int(v)) || strings.ContainsAny(s[i:e], ".,") {
		if y, m, d, f := p.dotted(i); f > 0 {
			return p.date(i, f, valueDay(y, m, d))
		}
		return 0
	}
	n := int(v)
	if e-i == 4 && n >= 1900 && n <= 2100 {
		return p.yearly(i, n, e)
	}
	if e-i > 2 {
		return 0
	}
	if f := p.period2(i, n, e); f > 0 {
		return f
	}
	j := p.space(e)
	if n >= 1 && n <= 12 {
		if f := p.has(j, "月"); f > 0 {
			return p.monthly(i, p.nearMonth(n), n, f)
		}
	}
	if n >= 1 && n <= 31 {
		if f, _ := p.one(j, "日", "号"); f > 0 && p.aloneDay(i, f) {
			if !p.known() {
				return p.date(i, f, "")
			}
			y, m := p.ctx.Date.Year(), int(p.ctx.Date.Month())
			if n > p.ctx.Date.Day()+3 {
				if m--; m == 0 {
					y, m = y-1, 12
				}
			}
			return p.date(i, f, valueDay(y, m, n))
		}
		// 17 November 2025, 17th November 2025
		k := p.space(e)
		if f, _ := p.one(e, "st ", "nd ", "rd ", "th "); f > 0 {
			k = f
		}
		if k > e {
			if m, f := p.monthName(k); f > 0 {
				if y, g := p.fourDigits(p.space(f)); g > 0 {
					return p.date(i, g, valueDay(y, m, n))
				}
				return p.date(i, f, valueDay(p.nearMonth(m), m, n))
			}
		}
	}
	return 0
}

// period2 reads what follows the number of a quarter or half: 2Q25, 1H 2026.
func (p *scanner) period2(start, n, e int) int {
	if e-start != 1 || e >= len(p.s) || p.s[e] != 'q' && p.s[e] != 'h' || n < 1 || n > 4 || p.s[e] == 'h' && n > 2 {
		return 0
	}
	value := valueQuarter
	if p.s[e] == 'h' {
		value = valueHalf
	}
	j := p.space(e + 1)
	if y, f := p.fourDigits(j); f > 0 && p.wordEnd(f) {
		return p.date(start, f, value(y, n))
	}
	if y, f := p.small(e+1, 2); f == e+3 && y >= 10 && p.wordEnd(f) {
		return p.date(start, f, value(2000+y, n))
	}
	return 0
}

// aloneDay reports whether 13日 is a day: not 13日元, not the 12 of 3月12日.
func (p *scanner) aloneDay(start, end int) bool {
	r, _ := utf8.DecodeRuneInString(p.s[end:])
	if end < len(p.s) && strings.ContainsRune("元圆本币线楼店机院馆厅仓", r) {
		return false
	}
	if strings.HasSuffix(p.s[:end], "号") {
		return strings.HasSuffix(strings.TrimRight(p.s[:start], " "), "月")
	}
	return true
}

// dotted reads 2025.11.17, whose first part looks like a fraction.
func (p *scanner) dotted(i int) (y, m, d, end int) {
	s := p.s
	if i+8 > len(s) || !isDigits(s[i:i+4]) || s[i+4] != '.' {
		return 0, 0, 0, 0
	}
	y, e := p.small(i, 4)
	m, e2 := p.small(e+1, 2)
	if e2 == 0 || e2 >= len(s) || s[e2] != '.' {
		return 0, 0, 0, 0
	}
	d, e3 := p.small(e2+1, 2)
	if e3 == 0 || y < 1900 || y > 2100 || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, 0, 0, 0
	}
	return y, m, d, e3
}

// small reads up to max digits.
func (p *scanner) small(i, max int) (v, end int) {
	j := i
	for j < len(p.s) && j < i+max && '0' <= p.s[j] && p.s[j] <= '9' {
		v = 10*v + int(p.s[j]-'0')
		j++
	}
	if j == i || j < len(p.s) && '0' <= p.s[j] && p.s[j] <= '9' {
		return 0, 0
	}
	return v, j
}

func (p *scanner) fourDigits(i int) (int, int) {
	v, e := p.small(i, 4)
	if e-i != 4 || v < 1900 || v > 2100 {
		return 0, 0
	}
	return v, e
}

// yearly reads what follows a year in four digits.
func (p *scanner) yearly(start, y, e int) int {
	s := p.s
	// 2025-11-17, 2025/11/17
	if e < len(s) && (s[e] == '-' || s[e] == '/') {
		if m, f := p.small(e+1, 2); f > 0 && m >= 1 && m <= 12 && f < len(s) && s[f] == s[e] {
			if d, g := p.small(f+1, 2); g > 0 && d >= 1 && d <= 31 {
				return p.date(start, g, valueDay(y, m, d))
			}
		}
	}
	// 2023-2025 is a span of years.
	if f, _ := p.one(e, "-", "~"); f > 0 {
		if z, g := p.fourDigits(f); g > 0 && z > y && z < y+50 && y > 1950 {
			if h := p.has(g, "年"); h > 0 {
				g = h
			}
			return p.date(start, g, valueYear(y)+"/"+valueYear(z))
		}
	}
	j := p.space(e)
	if f, _ := p.one(j, "财年", "会计年度", "年度"); f > 0 {
		return p.inYear(start, y, f, f)
	}
	if f := p.has(j, "年"); f > 0 {
		r, _ := utf8.DecodeRuneInString(s[f:])
		if strings.ContainsRune("代", r) && f < len(s) {
			return 0
		}
		return p.inYear(start, y, f, f)
	}
	// 2024上半年, 2025Q3
	if f := p.inYear(start, y, j, 0); f > 0 {
		return f
	}
	return 0
}

// inYear reads a part of year y at i: a month, quarter, half, beginning or end.
// If there is none it takes the year up to whole, unless that is 0.
func (p *scanner) inYear(start, y, i, whole int) int {
	j := p.space(i)
	if e := p.has(j, "的"); e > 0 {
		if f, _ := p.one(e, "上半年", "下半年", "第"); f > 0 {
			j = e
		}
	}
	if e, k := p.one(j, "上半年", "下半年", "h1", "h2"); e > 0 && (k < 2 || p.wordEnd(e)) {
		return p.date(start, e, valueHalf(y, k%2+1))
	}
	if e := p.has(j, "前"); e > 0 {
		if q, f := p.quarter(e); f > 0 && q > 1 && p.has(e, "第") == 0 {
			return p.date(start, f, firstQuarters(y, q))
		}
	}
	if q, e := p.quarter(j); e > 0 {
		return p.date(start, e, valueQuarter(y, q))
	}
	if m, e := p.month(j); e > 0 {
		return p.monthly(start, y, m, e)
	}
	if e, _ := p.one(i, "年底", "年初", "年末", "年中", "底", "初", "末", "中", "全年", "上旬", "春", "夏", "秋", "冬"); e > 0 && whole > 0 {
		r, _ := utf8.DecodeRuneInString(p.s[e:])
		if !(strings.HasSuffix(p.s[i:e], "中") && strings.ContainsRune("国芯美华东西南北微信科", r)) && !(strings.HasSuffix(p.s[i:e], "初") && r == '步') && !(strings.HasSuffix(p.s[i:e], "末") && r == '代') {
			if !strings.HasSuffix(p.s[i:e], "全年") {
				return p.date(start, e, valueYear(y))
			}
		}
	}
	if whole == 0 {
		return 0
	}
	if e, _ := p.one(whole, "同期", "同月", "同季"); e > 0 {
		return p.date(start, e, p.samePeriod(y))
	}
	return p.date(start, whole, valueYear(y))
}

// firstQuarters are the first n quarters of a year.
func firstQuarters(y, n int) string {
	if y == 0 {
		return ""
	}
	return valueQuarter(y, 1) + "/" + valueQuarter(y, n)
}

// samePeriod is the last period that was read, in year y.
func (p *scanner) samePeriod(y int) string {
	if y == 0 {
		return ""
	}
	if len(p.period) > 4 {
		return valueYear(y) + p.period[4:]
	}
	return valueYear(y)
}

// month reads 11月, 十一月, with 份.
func (p *scanner) month(i int) (int, int) {
	m, e := p.small(i, 2)
	if e == 0 {
		v, _, f := p.hanNumber(i)
		m, e = int(v), f
	}
	if e == 0 || m < 1 || m > 12 {
		return 0, 0
	}
	e = p.has(p.space(e), "月")
	return m, e
}

// monthly reads what follows a month: a day, 份, 初, 底.
func (p *scanner) monthly(start, y, m, e int) int {
	j := p.space(e)
	d, f := p.small(j, 2)
	if f == 0 {
		v, _, g := p.hanNumber(j)
		d, f = int(v), g
	}
	if f > 0 && d >= 1 && d <= 31 {
		if g, _ := p.one(p.space(f), "日", "号"); g > 0 && p.dayEnds(g) {
			return p.date(start, g, valueDay(y, m, d))
		}
	}
	if f, _ := p.one(e, "份"); f > 0 {
		e = f
	}
	if f, _ := p.one(e, "底", "初", "末", "上旬", "中旬", "下旬", "中"); f > 0 {
		r, _ := utf8.DecodeRuneInString(p.s[f:])
		if !(strings.HasSuffix(p.s[:f], "中") && strings.ContainsRune("国芯美华东", r)) {
			e = f
		}
	}
	// 3月 is no month in 3月期 or 个月.
	return p.date(start, e, valueMonth(y, m))
}

func (p *scanner) dayEnds(i int) bool {
	r, _ := utf8.DecodeRuneInString(p.s[i:])
	return i >= len(p.s) || !strings.ContainsRune("元圆币", r)
}

// quarter reads 第二季度, 二季度, 第3季, 首季, q2.
func (p *scanner) quarter(i int) (int, int) {
	j := i
	if e := p.has(j, "第"); e > 0 {
		j = e
	}
	if e, _ := p.one(j, "首季度", "首季"); e > 0 {
		return 1, e
	}
	if j < len(p.s) && p.s[j] == 'q' && j+1 < len(p.s) && p.s[j+1] >= '1' && p.s[j+1] <= '4' && p.wordEnd(j+2) {
		return int(p.s[j+1] - '0'), j + 2
	}
	q, e := p.small(p.space(j), 1)
	if e == 0 {
		r, w := utf8.DecodeRuneInString(p.s[j:])
		if q = hanDigit(r); q < 0 {
			return 0, 0
		}
		e = j + w
	}
	if q < 1 || q > 4 {
		return 0, 0
	}
	if f, _ := p.one(p.space(e), "季度", "财季", "季"); f > 0 {
		return q, f
	}
	return 0, 0
}

// plainYear reads a year by itself, as English writes it.
func (p *scanner) plainYear(start int, v float64, e int) int {
	if e-start != 4 || v < 1980 || v > 2049 || !isDigits(p.s[start:e]) || !p.wordEnd(e) {
		return 0
	}
	if e+1 < len(p.s) && strings.ContainsRune("-/~.,:", rune(p.s[e])) && p.s[e+1] >= '0' && p.s[e+1] <= '9' {
		return 0
	}
	prev, _ := utf8.DecodeLastRuneInString(strings.TrimRight(p.s[:start], " "))
	next, _ := utf8.DecodeRuneInString(strings.TrimLeft(p.s[e:], " "))
	if p.ctx.Lang == "zh" && (next > 0x2e80 || prev > 0x2e80) || strings.ContainsRune("$€£¥#-/.:", prev) || next == '%' {
		return 0
	}
	return p.date(start, e, valueYear(int(v)))
}

// hanDate reads dates that begin with a Chinese character.
func (p *scanner) hanDate(i int, r rune) int {
	switch r {
	case '前':
		if q, e := p.quarter(i + len("前")); e > 0 && q > 1 && p.has(i, "前第") == 0 {
			return p.date(i, e, firstQuarters(p.year(0), q))
		}
		return p.relative(i)
	case '今', '去', '明', '昨', '当', '同':
		return p.relative(i)
	case '本', '上', '下':
		return p.around(i)
	case '第', '首':
		if q, e := p.quarter(i); e > 0 {
			return p.date(i, e, valueQuarter(p.nearQuarter(q), q))
		}
	case '民':
		if e := p.has(i, "民国"); e > 0 {
			if y, f := p.small(p.space(e), 3); f > 0 {
				if g := p.has(p.space(f), "年"); g > 0 {
					return p.inYear(i, y+1911, g, g)
				}
			}
		}
	case '年':
		prev, _ := utf8.DecodeLastRuneInString(p.s[:i])
		if e, _ := p.one(i, "年底", "年初", "年末", "年中"); e > 0 && !('0' <= prev && prev <= '9') && !strings.ContainsRune("今去明前后当同每多几半全上周十百千", prev) && hanDigit(prev) < 0 {
			next, _ := utf8.DecodeRuneInString(p.s[e:])
			if !(strings.HasSuffix(p.s[i:e], "中") && strings.ContainsRune("国期芯", next)) {
				return p.date(i, e, valueYear(p.year(0)))
			}
		}
	case '月':
		if e, _ := p.one(i, "月底", "月初"); e > 0 {
			prev, _ := utf8.DecodeLastRuneInString(p.s[:i])
			if !strings.ContainsRune("个本上下当每", prev) && p.known() {
				return p.date(i, e, valueMonth(p.year(0), int(p.ctx.Date.Month())))
			}
		}
	case '周', '星', '礼':
		return p.weekday(i, i, 0)
	case '一', '二', '三', '四', '五', '六', '七', '八', '九', '十':
		if y, e := p.hanYear(i); e > 0 {
			return p.inYear(i, y, e, e)
		}
		if q, e := p.quarter(i); e > 0 && strings.HasSuffix(p.s[i:e], "度") {
			return p.date(i, e, valueQuarter(p.nearQuarter(q), q))
		}
		if m, e := p.month(i); e > 0 {
			prev, _ := utf8.DecodeLastRuneInString(p.s[:i])
			if !strings.ContainsRune("个近几数", prev) {
				return p.monthly(i, p.nearMonth(m), m, e)
			}
		}
	}
	return 0
}

// hanYear reads 二〇二五年.
func (p *scanner) hanYear(i int) (int, int) {
	y, j := 0, i
	for range 4 {
		r, w := utf8.DecodeRuneInString(p.s[j:])
		d := hanDigit(r)
		if d < 0 || r == '两' {
			return 0, 0
		}
		y = 10*y + d
		j += w
	}
	if e := p.has(j, "年"); e > 0 && y >= 1900 && y <= 2100 {
		return y, e
	}
	return 0, 0
}
