package listpage

import (
	"regexp"
	"strconv"
	"time"
)

// A date on a list page, and the time of day that may follow.
var (
	fullDate  = regexp.MustCompile(`(20\d\d)\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?日?`)
	shortDate = regexp.MustCompile(`(?:^|[^\d/.:-])(\d{1,2})\s?[-/月]\s?(\d{1,2})(?:日|[^\d/.:-]|$)`)
	clock     = regexp.MustCompile(`^[T\s]{0,3}(\d{1,2}):(\d{2})(?::(\d{2}))?`)
)

// window is how far from a link a date may stand, in bytes.
const window = 200

// dateText reports whether a date stands near l.
func dateText(l *link) bool {
	_, ok := findDate(l, time.UTC, time.Time{})
	return ok
}

// dateNear returns the date that stands near l, zero if there is none or it is in
// the future.
func dateNear(l *link, loc *time.Location, now time.Time) time.Time {
	t, ok := findDate(l, loc, now)
	if !ok || t.After(now.Add(24*time.Hour)) {
		return time.Time{}
	}
	return t.UTC()
}

// findDate looks after the link, in it, and before it.
func findDate(l *link, loc *time.Location, now time.Time) (time.Time, bool) {
	after := l.after[:min(len(l.after), window)]
	before := l.before[max(0, len(l.before)-window):]
	for _, text := range append(append([]string{after}, l.texts...), before) {
		if t, ok := parseDate(text, loc, now); ok {
			return t, true
		}
	}
	return time.Time{}, false
}

func parseDate(text string, loc *time.Location, now time.Time) (time.Time, bool) {
	if m := fullDate.FindStringSubmatchIndex(text); m != nil {
		return at(number(text, m, 1), number(text, m, 2), number(text, m, 3), text[m[1]:], loc)
	}
	if m := shortDate.FindStringSubmatchIndex(text); m != nil {
		year := now.In(loc).Year()
		t, ok := at(year, number(text, m, 1), number(text, m, 2), text[m[5]:], loc)
		if ok && t.After(now.Add(48*time.Hour)) {
			t, ok = at(year-1, number(text, m, 1), number(text, m, 2), text[m[5]:], loc)
		}
		return t, ok
	}
	return time.Time{}, false
}

// number returns the i-th group of a match.
func number(text string, m []int, i int) int {
	n, _ := strconv.Atoi(text[m[2*i]:m[2*i+1]]) // the pattern allows digits only
	return n
}

// at returns a day with the time that rest starts with.
func at(year, month, day int, rest string, loc *time.Location) (time.Time, bool) {
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return time.Time{}, false
	}
	hour, minute, second := 0, 0, 0
	if m := clock.FindStringSubmatchIndex(rest); m != nil {
		hour, minute = number(rest, m, 1), number(rest, m, 2)
		if m[6] >= 0 {
			second = number(rest, m, 3)
		}
		if hour > 23 || minute > 59 || second > 59 {
			hour, minute, second = 0, 0, 0
		}
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, loc)
	return t, t.Day() == day // 31 June is no date
}
