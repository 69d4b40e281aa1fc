package bleve

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A time is indexed twice: exactly, as a doc value to sort by, and as the
// terms of its day, month and year (in UTC), of which a range is made up.

// encodeTime returns t as a term of fixed length that sorts as t does: seconds
// and nanoseconds in base 36.
func encodeTime(t time.Time) string {
	seconds := min(max(t.Unix(), -secondsOffset), secondsOffset-1)
	return base36(uint64(seconds+secondsOffset), 8) + base36(uint64(t.Nanosecond()), 6)
}

// secondsOffset makes the seconds of all years up to 9999 positive.
const secondsOffset = 1 << 38

func base36(n uint64, digits int) string {
	s := strconv.FormatUint(n, 36)
	return strings.Repeat("0", max(digits-len(s), 0)) + s
}

// decodeTime returns the time that a term stands for.
func decodeTime(s string) (time.Time, error) {
	if len(s) != 14 {
		return time.Time{}, fmt.Errorf("time in the index: %q", s)
	}
	seconds, err := strconv.ParseUint(s[:8], 36, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("time in the index: %w", err)
	}
	nanos, err := strconv.ParseUint(s[8:], 36, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("time in the index: %w", err)
	}
	return time.Unix(int64(seconds)-secondsOffset, int64(nanos)).UTC(), nil
}

func dayTerm(t time.Time) string   { return t.Format("d20060102") }
func monthTerm(t time.Time) string { return t.Format("m200601") }
func yearTerm(t time.Time) string  { return t.Format("y2006") }

// addTime adds the fields of a time, none if it is zero.
func (d *document) addTime(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	t = t.UTC()
	d.add(keywordField(name+"_day", 0, dayTerm(t), monthTerm(t), yearTerm(t)))
	d.values = append(d.values, newValueField(name, []byte(encodeTime(t)), false))
}

// timeRange returns the documents whose time is from from (included) to to
// (excluded); a zero time is no limit.
func (s *snapshot) timeRange(name string, from, to time.Time) (docs, error) {
	from, to = from.UTC(), to.UTC()
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return none{}, nil
	}
	// A range open at one end is cut off where the index's years end.
	first, last, err := s.years(name + "_day")
	if err != nil || last == 0 {
		return none{}, err
	}
	if from.IsZero() || from.Year() < first {
		from = time.Date(first, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if to.IsZero() || to.Year() > last {
		to = time.Date(last+1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if !from.Before(to) {
		return none{}, nil
	}
	whole, edges := calendar(from, to)
	parts := make([]docs, 0, 2)
	if len(whole) > 0 {
		parts = append(parts, terms(name+"_day", whole...))
	}
	if len(edges) > 0 {
		parts = append(parts, filtered{all: terms(name+"_day", edges...), keep: func(g *segment, doc uint32) (bool, error) {
			t, err := g.timesOf(name)
			return err == nil && !t.before(doc, from) && t.before(doc, to), err
		}})
	}
	return newAnyOf(1, parts...), nil
}

// calendar returns the years, months and days that lie in the range as a whole
// and the days at its ends that do so in part.
func calendar(from, to time.Time) (whole, edges []string) {
	day := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC)
	if day.Before(from) {
		edges = append(edges, dayTerm(day))
		day = day.AddDate(0, 0, 1)
	}
	for day.Before(to) {
		year, month, next := day.AddDate(1, 0, 0), day.AddDate(0, 1, 0), day.AddDate(0, 0, 1)
		switch {
		case day.YearDay() == 1 && !year.After(to):
			whole, day = append(whole, yearTerm(day)), year
		case day.Day() == 1 && !month.After(to):
			whole, day = append(whole, monthTerm(day)), month
		case !next.After(to):
			whole, day = append(whole, dayTerm(day)), next
		default:
			if len(edges) == 0 || edges[0] != dayTerm(day) {
				edges = append(edges, dayTerm(day))
			}
			day = next
		}
	}
	return whole, edges
}

// years returns the first and last year that a field has.
func (s *snapshot) years(field string) (first, last int, err error) {
	dict, err := s.r.FieldDictPrefix(field, []byte("y"))
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = dict.Close() }() // it only reads
	for {
		e, err := dict.Next()
		if err != nil || e == nil {
			return first, last, err
		}
		year, err := strconv.Atoi(e.Term[1:])
		if err != nil {
			return 0, 0, fmt.Errorf("year in the index: %w", err)
		}
		if last == 0 {
			first = year
		}
		last = year
	}
}
