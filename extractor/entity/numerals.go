package entity

import (
	"strings"

	"xinwen/news"
)

var (
	smallNumbers = []string{
		"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen",
		"seventeen", "eighteen", "nineteen",
	}
	tenNumbers = []string{"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}
)

// englishNumber reads a number in words below a hundred at i: twenty-five.
func (p *scanner) englishNumber(i int) (v float64, end int) {
	e := i
	for e < len(p.s) && 'a' <= p.s[e] && p.s[e] <= 'z' {
		e++
	}
	word := p.s[i:e]
	for n, w := range smallNumbers {
		if w == word {
			return float64(n), e
		}
	}
	for n, w := range tenNumbers {
		if w != word || w == "" {
			continue
		}
		if e < len(p.s) && (p.s[e] == '-' || p.s[e] == ' ') {
			for k := 1; k < 10; k++ {
				if f := p.has(e+1, smallNumbers[k]); f > 0 && p.wordEnd(f) {
					return float64(10*n + k), f
				}
			}
		}
		return float64(10 * n), e
	}
	return 0, 0
}

// worded reads an amount or percentage in words: two million dollars, three
// percent, half a percent.
func (p *scanner) worded(i int) int {
	v, e := p.englishNumber(i)
	if e == 0 {
		if e = p.has(i, "half a"); e == 0 || !p.wordEnd(e) {
			return 0
		}
		v = 0.5
	}
	if f := p.percent(i, v, e); f > 0 {
		return f
	}
	if v == 0.5 {
		return 0
	}
	x, f := p.scales(e)
	if cur, g := p.currency(f); g > 0 && (f > e || strings.HasSuffix(p.s[:g], "s")) {
		return p.add(i, g, news.Money, "", cur+" "+format(v*x), 1)
	}
	return 0
}

// negative reports whether a minus stands before a number at i, and no range.
func (p *scanner) negative(i int) bool {
	if i == 0 {
		return false
	}
	if strings.HasSuffix(p.s[:i], "负") {
		return true
	}
	if p.s[i-1] != '-' {
		return false
	}
	before := strings.TrimSuffix(p.s[:i], "-")
	return before == "" || !strings.ContainsAny(before[len(before)-1:], "%0123456789abcdefghijklmnopqrstuvwxyz-~)")
}
