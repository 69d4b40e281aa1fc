package entity

import (
	"strings"
	"time"
)

var monthNames = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}

var weekdayNames = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

// monthName reads a month, in full or short, at i.
func (p *scanner) monthName(i int) (int, int) {
	if i >= len(p.s) || !p.upper(i) {
		return 0, 0
	}
	for m, name := range monthNames {
		if e := p.has(i, name); e > 0 && p.wordEnd(e) {
			return m + 1, e
		}
		if e := p.has(i, name[:3]); e > 0 {
			if m == 8 && p.has(i, "sept") > 0 {
				e++
			}
			if p.wordEnd(e) && m != 4 {
				if e < len(p.s) && p.s[e] == '.' {
					e++
				}
				return m + 1, e
			}
		}
	}
	return 0, 0
}

// word reads what begins with a word of letters.
func (p *scanner) word(i int) int {
	s := p.s
	switch s[i] {
	case 'j', 'f', 'm', 'a', 's', 'o', 'n', 'd':
		if m, e := p.monthName(i); e > 0 {
			if f := p.monthDate(i, m, e); f > 0 {
				return f
			}
		}
	}
	switch s[i] {
	case 'm', 't', 'w', 'f', 's':
		if p.upper(i) {
			for d, name := range weekdayNames {
				if e := p.has(i, name); e > 0 && p.wordEnd(e) {
					return p.englishDay(i, d+1, 0, false, e)
				}
			}
		}
	}
	switch s[i] {
	case 'u', 'n', 'h', 's', 'c', 'a', 'r', 'j', 't':
		for _, x := range signPrefixes {
			if e := p.has(i, x.text); e > 0 && (x.currency != "INR" || p.upper(i)) {
				return p.prefixed(i, p.space(e), x.currency)
			}
		}
	}
	switch s[i] {
	case 'r', 'u', 'e', 'c', 'k', 'j', 'g', 'h':
		if e, k := p.one(i, "rmb", "usd", "eur", "cny", "krw", "jpy", "gbp", "hkd"); e > 0 {
			return p.prefixed(i, p.space(e), []string{"CNY", "USD", "EUR", "CNY", "KRW", "JPY", "GBP", "HKD"}[k])
		}
	}
	switch s[i] {
	case 'q':
		if q, e := p.quarter(i); e > 0 {
			return p.englishQuarter(i, q, e)
		}
	case 'h':
		if e, k := p.one(i, "h1 ", "h2 "); e > 0 {
			if y, f := p.fourDigits(e); f > 0 {
				return p.date(i, f, valueHalf(y, k+1))
			}
		}
	case 'f', 's', 't', 'l', 'n', 'y', 'e':
		if f := p.englishRelative(i); f > 0 {
			return f
		}
	}
	switch s[i] {
	case 'o', 't', 'f', 's', 'e', 'n', 'h':
		return p.worded(i)
	case 'm':
		if e := p.has(i, "mid-"); e > 0 {
			if y, f := p.fourDigits(e); f > 0 && p.wordEnd(f) {
				return p.date(e, f, valueYear(y))
			}
		}
	}
	return 0
}

// monthDate reads what follows an English month.
func (p *scanner) monthDate(start, m, e int) int {
	j := p.space(e)
	if f := p.has(j, "quarter"); f > 0 && m%3 == 0 && p.wordEnd(f) { // the June quarter
		return p.date(start, f, valueQuarter(p.nearQuarter(m/3), m/3))
	}
	if j == e {
		if m == 5 || m == 3 { // May and March are words too
			return 0
		}
		return p.date(start, e, valueMonth(p.nearMonth(m), m))
	}
	if y, f := p.fourDigits(j); f > 0 {
		return p.date(start, f, valueMonth(y, m))
	}
	if d, f := p.small(j, 2); f == 0 || d < 1 || d > 31 {
		if j+2 < len(p.s) && p.s[j] >= '0' && p.s[j] <= '9' { // 17th
			d, f = int(p.s[j]-'0'), j+1
			if p.s[f] >= '0' && p.s[f] <= '9' {
				d, f = 10*d+int(p.s[f]-'0'), f+1
			}
			if g, _ := p.one(f, "st", "nd", "rd", "th"); g > 0 && p.wordEnd(g) && d >= 1 && d <= 31 {
				return p.dayOf(start, m, d, g)
			}
		}
	} else {
		g, _ := p.one(f, "st", "nd", "rd", "th")
		if g == 0 {
			g = f
		}
		if p.wordEnd(g) {
			return p.dayOf(start, m, d, g)
		}
	}
	if f := p.has(j, "of "); f > 0 {
		if y, g := p.fourDigits(f); g > 0 {
			return p.date(start, g, valueMonth(y, m))
		}
	}
	if (m == 5 || m == 3) && !p.after(start, "in", "since", "by", "until", "from", "last", "this", "next", "early", "late", "mid", "of", "through", "between", "before", "after", "end") {
		return 0
	}
	return p.date(start, e, valueMonth(p.nearMonth(m), m))
}

// dayOf reads a year behind November 17.
func (p *scanner) dayOf(start, m, d, e int) int {
	j := e
	if f := p.has(j, ","); f > 0 {
		j = f
	}
	if y, f := p.fourDigits(p.space(j)); f > 0 {
		return p.date(start, f, valueDay(y, m, d))
	}
	return p.date(start, e, valueDay(p.nearMonth(m), m, d))
}

// after reports whether one of the words stands before i.
func (p *scanner) after(i int, words ...string) bool {
	if i == 0 || p.s[i-1] != ' ' && p.s[i-1] != '-' {
		return false
	}
	before := p.s[:i-1]
	for _, w := range words {
		if n := len(before) - len(w); n >= 0 && before[n:] == w && (n == 0 || !wordRune(rune(before[n-1]))) {
			return true
		}
	}
	return false
}

func (p *scanner) englishDay(start, d, week int, given bool, e int) int {
	if !p.known() {
		return p.date(start, e, "")
	}
	if !given && p.ahead(start) {
		today := (int(p.ctx.Date.Weekday())+6)%7 + 1
		return p.date(start, e, day(p.ctx.Date.AddDate(0, 0, (d-today+7)%7)))
	}
	return p.date(start, e, p.dayOfWeek(d, week, given))
}

// ahead reports whether the words of the sentence before i speak of what is to
// come.
func (p *scanner) ahead(i int) bool {
	before := p.s[max(0, i-70):i]
	if k := strings.LastIndexAny(before, ".;\n"); k >= 0 {
		before = before[k:]
	}
	if strings.HasSuffix(before, "last ") {
		return false
	}
	for _, w := range [...]string{" will ", " due ", " set to ", " scheduled ", " expected to ", " plans to ", " ahead of ", " upcoming ", " is to ", " are to "} {
		if k := strings.LastIndex(before, w); k >= 0 && !strings.Contains(before[k:], " said ") {
			return true
		}
	}
	return false
}

// englishQuarter reads the year behind q2 or the second quarter.
func (p *scanner) englishQuarter(start, q, e int) int {
	j := p.space(e)
	for _, t := range [...]string{"of fiscal ", "of fy", "of ", "fiscal year ", "fiscal ", "fy "} {
		if f := p.has(j, t); f > 0 {
			j = f
			break
		}
	}
	if f := p.has(j, "fy"); f > 0 {
		j = f
	}
	if y, f := p.fourDigits(j); f > 0 {
		return p.date(start, f, valueQuarter(y, q))
	}
	if f, k := p.one(j, "this year", "last year", "next year"); f > 0 && p.wordEnd(f) {
		return p.date(start, f, valueQuarter(p.year([]int{0, -1, 1}[k]), q))
	}
	return p.date(start, e, valueQuarter(p.nearQuarter(q), q))
}

// englishRelative reads today, last year, second half, third quarter.
func (p *scanner) englishRelative(i int) int {
	if e, k := p.one(i, "today", "yesterday", "tomorrow"); e > 0 && p.wordEnd(e) {
		if e < len(p.s) && p.s[e] == '\'' && k == 0 {
			return 0 // today's technology
		}
		if !p.known() {
			return p.date(i, e, "")
		}
		return p.date(i, e, day(p.ctx.Date.AddDate(0, 0, []int{0, -1, 1}[k])))
	}
	if e, k := p.one(i, "first", "second", "third", "fourth"); e > 0 && e < len(p.s) && (p.s[e] == ' ' || p.s[e] == '-') {
		if f := p.has(e+1, "quarter"); f > 0 && p.wordEnd(f) {
			return p.englishQuarter(i, k+1, f)
		}
		if f := p.has(e+1, "half of "); f > 0 && k < 2 {
			if g := p.half(i, k+1, f); g > 0 {
				return g
			}
		}
		if f := p.has(e+1, "half"); f > 0 && k < 2 && p.wordEnd(f) && p.after(i, "the") && p.s[e] == ' ' && p.known() && p.has(f, " of the ") == 0 {
			return p.date(i, f, valueHalf(p.year(0), k+1))
		}
	}
	if e := p.has(i, "latter half of "); e > 0 {
		return p.half(i, 2, e)
	}
	if e, _ := p.one(i, "fiscal year ", "fiscal ", "fy"); e > 0 {
		if y, f := p.fourDigits(p.space(e)); f > 0 {
			return p.date(i, f, valueYear(y))
		}
	}
	if e := p.has(i, "end of "); e > 0 {
		if f, k := p.one(e, "this year", "last year", "next year"); f > 0 && p.wordEnd(f) {
			return p.date(i, f, valueYear(p.year([]int{0, -1, 1}[k])))
		}
	}
	e, k := p.one(i, "this ", "last ", "next ")
	if e == 0 {
		return 0
	}
	n := []int{0, -1, 1}[k]
	f, unit := p.one(e, "year", "month", "week", "quarter")
	if f > 0 && p.wordEnd(f) {
		switch unit {
		case 0:
			return p.date(i, f, valueYear(p.year(n)))
		case 1:
			if !p.known() {
				return p.date(i, f, "")
			}
			t := time.Date(p.ctx.Date.Year(), p.ctx.Date.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
			return p.date(i, f, valueMonth(t.Year(), int(t.Month())))
		case 2:
			return p.date(i, f, p.week(n))
		default:
			if !p.known() {
				return p.date(i, f, "")
			}
			x := p.ctx.Date.Year()*4 + (int(p.ctx.Date.Month())+2)/3 - 1 + n
			return p.date(i, f, valueQuarter(x/4, x%4+1))
		}
	}
	for d, name := range weekdayNames {
		if f := p.has(e, name); f > 0 && p.wordEnd(f) {
			if k == 1 { // last Thursday: the last before today
				return p.englishDay(i, d+1, 0, false, f)
			}
			return p.englishDay(i, d+1, n, true, f)
		}
	}
	if k != 0 {
		if m, f := p.monthName(e); f > 0 && p.known() {
			y := p.year(0)
			if now := int(p.ctx.Date.Month()); k == 1 && m >= now {
				y--
			} else if k == 2 && m <= now {
				y++
			}
			return p.date(i, f, valueMonth(y, m))
		}
	}
	return 0
}

// half reads the year of a half.
func (p *scanner) half(start, h, i int) int {
	if y, e := p.fourDigits(i); e > 0 {
		return p.date(start, e, valueHalf(y, h))
	}
	if e, k := p.one(i, "this year", "the year", "last year", "next year"); e > 0 && p.wordEnd(e) {
		return p.date(start, e, valueHalf(p.year([]int{0, 0, -1, 1}[k]), h))
	}
	return 0
}
