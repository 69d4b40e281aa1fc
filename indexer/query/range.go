package query

import (
	"strings"
	"time"
)

// parseRange reads a span of time: a day, month, year or time alone, two of
// them with .. between, or one with <, <=, > or >= before it. The end of a span
// of days is included, an end given as a time is not.
func parseRange(field string, t token, zone *time.Location) (Node, error) {
	r := Range{Field: field}
	fail := func(message string) (Node, error) {
		return nil, &SyntaxError{
			Column: t.column, Message: message,
			Hint: "write " + field + ":2025-11-01..2025-11-17, " + field + ":2025-11 or " + field + ":>=2025-11-01T08:00",
		}
	}
	s := narrow(strings.TrimSpace(t.text))
	if from, to, ok := strings.Cut(s, ".."); ok {
		if from == "" && to == "" {
			return fail("the span of time has no bound")
		}
		if from != "" {
			if r.From, _, ok = parseTime(from, zone); !ok {
				return fail("this is not a day or time: " + from)
			}
		}
		if to != "" {
			at, end, ok := parseTime(to, zone)
			if !ok {
				return fail("this is not a day or time: " + to)
			}
			if r.To = at; !strings.ContainsAny(to, "Tt ") {
				r.To = end
			}
		}
	} else {
		rest := strings.TrimLeft(s, "<>=")
		at, end, ok := parseTime(rest, zone)
		if !ok {
			return fail("this is not a day or time: " + rest)
		}
		switch op := s[:len(s)-len(rest)]; op {
		case "", "=":
			r.From, r.To = at, end
		case ">=":
			r.From = at
		case ">":
			r.From = end
		case "<":
			r.To = at
		case "<=":
			r.To = end
		default:
			return fail("there is no comparison " + op)
		}
	}
	if !r.From.IsZero() && !r.To.IsZero() && !r.From.Before(r.To) {
		return fail("the span of time ends before it begins")
	}
	return r, nil
}

// parseTime reads a day, month, year or time and returns its first instant and
// the one after its last, in UTC.
func parseTime(s string, zone *time.Location) (at, end time.Time, ok bool) {
	forms := []struct {
		layout string
		end    func(time.Time) time.Time
	}{
		{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
		{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
		{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute) }},
		{"2006-01-02T15:04:05", func(t time.Time) time.Time { return t.Add(time.Second) }},
		{"2006-01-02T15:04:05Z07:00", func(t time.Time) time.Time { return t.Add(time.Second) }},
	}
	s = strings.Replace(strings.ToUpper(s), " ", "T", 1)
	s = strings.ReplaceAll(s, "/", "-")
	for _, f := range forms {
		at, err := time.ParseInLocation(f.layout, s, zone)
		if err != nil {
			continue
		}
		at, end = at.UTC(), f.end(at).UTC()
		// Printed as RFC 3339 and read back, both must stay the same.
		return at, end, at.Year() >= 1000 && end.Year() <= 9000
	}
	return at, end, false
}
