package entity

import (
	"fmt"
	"strings"
	"time"

	"xinwen/news"
)

func (p *scanner) date(start, end int, value string) int {
	if strings.Contains(value, "-") && len(value) <= 7 {
		p.period = value
	}
	return p.add(start, end, news.Date, "", value, 1)
}

func (p *scanner) known() bool { return !p.ctx.Date.IsZero() }

// year returns the article's year plus n, 0 if it is unknown.
func (p *scanner) year(n int) int {
	if !p.known() {
		return 0
	}
	return p.ctx.Date.Year() + n
}

func valueYear(y int) string {
	if y == 0 {
		return ""
	}
	return fmt.Sprintf("%04d", y)
}

func valueMonth(y, m int) string {
	if y == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", y, m)
}

func valueDay(y, m, d int) string {
	if y == 0 || m == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d)
}

func valueQuarter(y, q int) string {
	if y == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-Q%d", y, q)
}

func valueHalf(y, h int) string {
	if y == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-H%d", y, h)
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

// nearMonth returns the year in which month m is nearest to the article, the
// past first.
func (p *scanner) nearMonth(m int) int {
	if !p.known() {
		return 0
	}
	switch diff := m - int(p.ctx.Date.Month()); {
	case diff > 5:
		return p.year(-1)
	case diff < -10:
		return p.year(1)
	}
	return p.year(0)
}

func (p *scanner) nearQuarter(q int) int {
	if !p.known() {
		return 0
	}
	switch diff := q - (int(p.ctx.Date.Month())+2)/3; {
	case diff > 2:
		return p.year(-1)
	case diff < -2:
		return p.year(1)
	}
	return p.year(0)
}
