package metadata

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"xinwen/extractor/pattern"
)

// moment is a time found in text.
type moment struct {
	time.Time
	// clock says that a time of day was given, zone that its zone was.
	clock, zone bool
	// guessed says that the year or day came from the fetch time.
	guessed    bool
	start, end int // byte offsets in the text that was scanned
}

// dater reads dates. The fetch time may be zero; then dates that need it are
// not read.
type dater struct {
	fetched  time.Time
	zone     *time.Location
	dayFirst bool // 03/04/2025 is 3 April
}

const clockPart = `(?:\s*(?:\(?(?:星期|周|週|礼拜|禮拜)[一二三四五六日天]\)?)?[\sT,，|／]*(?:at\s*)?((?:凌晨|早上|早间|上午|中午|下午|晚上|晚间|晚間|夜间)?)\s*(\d{1,2})\s*[:：时時點点]\s*(\d{2})?(?:\s*[:：分]\s*(\d{2})?)?(?:[.,]\d+)?\s*秒?\s*((?i:[ap]\.?m\.?)?)\s*(Z\b|(?:GMT|UTC)?[+-]\d{2}:?\d{2}|GMT|UTC|[ECMP][SD]?T\b)?)?`

const months = `(\p{L}{3,10})\.?`

var (
	reYMD = pattern.MustCompile(`((?:19|20)\d{2})\s*(?:年|[-/.])\s*(\d{1,2})\s*(?:月|[-/.])\s*(\d{1,2})(?:\s*[日号號]|\b|T)` + clockPart)
	reROC = pattern.MustCompile(`(?:民國|民国|中華民國)\s*(\d{2,3})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日` + clockPart)
	reHan = pattern.MustCompile(`([一二三四五六七八九〇○零]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})[日号號]`)
	reMD  = pattern.MustCompile(`(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]` + clockPart)
	reMDn = pattern.MustCompile(`\b(\d{2})-(\d{2})\s+(\d{1,2}):(\d{2})\b`)
	reAgo = pattern.MustCompile(`(\d{1,3})\s*(秒|分钟|分鐘|小时|小時|天|日|周|週)(?:钟|鐘)?(?:之)?前|(?i:(\d{1,3}|an?)\s+(second|minute|min|hour|hr|day|week)s?\s+ago)`)
	reDay = pattern.MustCompile(`(今天|今日|昨天|昨日|前天|(?i:\btoday|\byesterday))` + clockPart)
	reNow = pattern.MustCompile(`刚刚|剛剛|(?i:just now)`)
	reMon = pattern.MustCompile(`(?:^|[^\p{L}])` + months + `\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+((?:19|20)\d{2})\b` + clockPart)
	reDMY = pattern.MustCompile(`\b(\d{1,2})(?:st|nd|rd|th|er|º|\.)?[\s-]*(?:\s(?:de|of|d’|d')\s+)?` + months + `(?:\s+del?)?[\s,-]+((?:19|20)\d{2})\b` + clockPart)
	reMDY = pattern.MustCompile(`\b(\d{1,2})([/.])(\d{1,2})[/.]((?:19|20)\d{2})\b` + clockPart)
	// Two digits for the year are read behind a label or before a time of day.
	reYY  = pattern.MustCompile(`(?:[间間期于於发發佈布][:： \x1f]*|^)(\d{2})[-/.](\d{1,2})[-/.](\d{1,2})(?:\b|日)` + clockPart)
	reDYY = pattern.MustCompile(`\b(\d{1,2})\.(\d{1,2})\.(\d{2})\b` + clockPart)
	reRow = pattern.MustCompile(`\b((?:19|20)\d{2})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?\b`)
)

// scan returns the dates in s, in order of appearance.
func (d *dater) scan(s string) []moment {
	if !strings.ContainsAny(s, "0123456789０１２３４５６７８９") && !strings.ContainsAny(s, "年天日刚剛") && !strings.Contains(strings.ToLower(s), "ay") {
		return nil
	}
	s = halfWidth(s)
	var out, refused []moment
	add := func(m moment, ok bool, start, end int) {
		overlaps := func(o moment) bool { return start < o.end && o.start < end }
		if !ok || slices.ContainsFunc(out, overlaps) || slices.ContainsFunc(refused, overlaps) {
			return
		}
		m.start, m.end = start, end
		if d.future(m.Time) || m.Year() < 1990 {
			refused = append(refused, m) // its month and day are not those of this year
			return
		}
		out = append(out, m)
	}
	each := func(re *pattern.Pattern, f func(g func(int) string) (moment, bool)) {
		for _, x := range re.FindAllStringSubmatchIndex(s, 8) {
			g := func(i int) string {
				if x[2*i] < 0 {
					return ""
				}
				return s[x[2*i]:x[2*i+1]]
			}
			m, ok := f(g)
			add(m, ok, x[0], x[1])
		}
	}
	each(reYMD, func(g func(int) string) (moment, bool) { return d.date(num(g(1)), num(g(2)), num(g(3)), g, 4) })
	each(reROC, func(g func(int) string) (moment, bool) { return d.date(num(g(1))+1911, num(g(2)), num(g(3)), g, 4) })
	each(reHan, func(g func(int) string) (moment, bool) {
		return d.date(hanYear(g(1)), hanNum(g(2)), hanNum(g(3)), g, 0)
	})
	each(reMon, func(g func(int) string) (moment, bool) { return d.date(num(g(3)), month(g(1)), num(g(2)), g, 4) })
	each(reDMY, func(g func(int) string) (moment, bool) { return d.date(num(g(3)), month(g(2)), num(g(1)), g, 4) })
	each(reMDY, func(g func(int) string) (moment, bool) {
		mo, day := num(g(1)), num(g(3))
		if (d.dayFirst || g(2) == ".") && day <= 12 || mo > 12 {
			mo, day = day, mo
		}
		return d.date(num(g(4)), mo, day, g, 5)
	})
	if len(out) == 0 {
		each(reYY, func(g func(int) string) (moment, bool) {
			m, ok := d.date(2000+num(g(1)), num(g(2)), num(g(3)), g, 4)
			return m, ok && num(g(1)) >= 5 && (m.clock || strings.ContainsAny(s, "间間期于於发發佈布"))
		})
		each(reDYY, func(g func(int) string) (moment, bool) {
			m, ok := d.date(2000+num(g(3)), num(g(2)), num(g(1)), g, 4)
			return m, ok && m.clock
		})
	}
	if !d.fetched.IsZero() {
		now := d.fetched.In(d.zone)
		each(reMD, func(g func(int) string) (moment, bool) { return d.yearless(num(g(1)), num(g(2)), g, 3) })
		each(reMDn, func(g func(int) string) (moment, bool) {
			m, ok := d.yearless(num(g(1)), num(g(2)), g, 0)
			if ok && num(g(3)) < 24 && num(g(4)) < 60 {
				m.Time = time.Date(m.Year(), m.Month(), m.Day(), num(g(3)), num(g(4)), 0, 0, d.zone)
				m.clock = true
			}
			return m, ok
		})
		each(reAgo, func(g func(int) string) (moment, bool) {
			n, unit := num(g(1)), g(2)
			if unit == "" {
				unit = strings.ToLower(g(4))
				if n = num(g(3)); g(3) != "" && g(3)[0]|0x20 == 'a' {
					n = 1
				}
			}
			m := moment{guessed: true, clock: true, zone: true}
			switch unit {
			case "秒", "second":
				m.Time = now.Add(-time.Duration(n) * time.Second)
			case "分钟", "分鐘", "minute", "min":
				m.Time = now.Add(-time.Duration(n) * time.Minute)
			case "小时", "小時", "hour", "hr":
				m.Time = now.Add(-time.Duration(n) * time.Hour)
			case "天", "日", "day":
				m.Time, m.clock = now.AddDate(0, 0, -n), false
			default:
				m.Time, m.clock = now.AddDate(0, 0, -7*n), false
			}
			return m, true
		})
		each(reDay, func(g func(int) string) (moment, bool) {
			back := 0
			switch strings.ToLower(g(1)) {
			case "昨天", "昨日", "yesterday":
				back = 1
			case "前天":
				back = 2
			}
			t := now.AddDate(0, 0, -back)
			m, ok := d.date(t.Year(), int(t.Month()), t.Day(), g, 2)
			m.guessed = true
			return m, ok
		})
		each(reNow, func(func(int) string) (moment, bool) {
			return moment{Time: now, clock: true, zone: true, guessed: true}, true
		})
	}
	// In order of appearance.
	for i := 1; i < len(out); i++ {
		for j := i; j > 0 && out[j].start < out[j-1].start; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// parse reads the value of an attribute or structured field.
func (d *dater) parse(s string) (moment, bool) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n > 600_000_000 && n < 4_000_000_000:
			return d.stamp(time.Unix(n, 0))
		case n > 600_000_000_000 && n < 4_000_000_000_000:
			return d.stamp(time.UnixMilli(n))
		}
	}
	for _, f := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05 -0700", time.RFC1123Z, time.RFC1123, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(f, s); err == nil {
			if d.future(t) || t.Year() < 1990 {
				return moment{}, false
			}
			return moment{Time: t, clock: true, zone: true}, true
		}
	}
	if l := d.scan(s); len(l) > 0 {
		return l[0], true
	}
	if x := reRow.FindStringSubmatch(s); x != nil {
		m, ok := d.date(num(x[1]), num(x[2]), num(x[3]), nil, 0)
		if ok && x[4] != "" && num(x[4]) < 24 && num(x[5]) < 60 {
			m.Time = time.Date(m.Year(), m.Month(), m.Day(), num(x[4]), num(x[5]), num(x[6])%60, 0, d.zone)
			m.clock = true
		}
		return m, ok && !d.future(m.Time)
	}
	return moment{}, false
}

func (d *dater) stamp(t time.Time) (moment, bool) {
	return moment{Time: t.In(d.zone), clock: true, zone: true}, !d.future(t)
}

func (d *dater) future(t time.Time) bool {
	return !d.fetched.IsZero() && t.After(d.fetched.Add(36*time.Hour)) || t.Year() > 2100
}

// date makes a moment of a day and the groups of clockPart from index i on.
func (d *dater) date(year, mon, day int, g func(int) string, i int) (moment, bool) {
	if mon < 1 || mon > 12 || day < 1 || day > 31 {
		return moment{}, false
	}
	m := moment{}
	hour, minute, sec := 0, 0, 0
	zone := d.zone
	if g != nil && i > 0 && g(i+1) != "" {
		part, h := g(i), num(g(i+1))
		switch suffix := strings.ToLower(strings.ReplaceAll(g(i+4), ".", "")); {
		case suffix == "pm" && h < 12, h < 12 && h > 0 && (part == "下午" || strings.HasPrefix(part, "晚") || part == "夜间"), part == "中午" && h < 3:
			h += 12
		case suffix == "am" && h == 12:
			h = 0
		}
		if h < 24 && num(g(i+2)) < 60 && (g(i+2) != "" || g(i+4) != "" || part != "") {
			hour, minute, sec, m.clock = h, num(g(i+2)), num(g(i+3))%60, true
			if z, ok := offset(g(i + 5)); ok {
				zone, m.zone = z, true
			}
		}
	}
	m.Time = time.Date(year, time.Month(mon), day, hour, minute, sec, 0, zone)
	return m, m.Day() == day
}

// yearless takes the year in which the day was last.
func (d *dater) yearless(mon, day int, g func(int) string, i int) (moment, bool) {
	now := d.fetched.In(d.zone)
	m, ok := d.date(now.Year(), mon, day, g, i)
	if ok && m.After(now.Add(36*time.Hour)) {
		m, ok = d.date(now.Year()-1, mon, day, g, i)
	}
	m.guessed = true
	return m, ok
}

func offset(s string) (*time.Location, bool) {
	switch s {
	case "":
		return nil, false
	case "Z", "GMT", "UTC":
		return time.UTC, true
	case "EST", "CDT":
		return time.FixedZone(s, -5*3600), true
	case "EDT", "ET":
		return time.FixedZone(s, -4*3600), true
	case "CST", "CT", "MT", "PT":
		return nil, false // ambiguous
	case "MST", "PDT":
		return time.FixedZone(s, -7*3600), true
	case "MDT":
		return time.FixedZone(s, -6*3600), true
	case "PST":
		return time.FixedZone(s, -8*3600), true
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "GMT"), "UTC")
	n := num(strings.ReplaceAll(s[1:], ":", ""))
	sec := (n/100)*3600 + n%100*60
	if s[0] == '-' {
		sec = -sec
	}
	return time.FixedZone("", sec), true
}

func num(s string) int {
	n, _ := strconv.Atoi(s) // digits by construction, "" counts as 0
	return n
}

// monthNames are the months in English and its neighbours.
var monthNames = [12][]string{
	strings.Fields("january januar jänner janvier enero janeiro gennaio januari"),
	strings.Fields("february februar feber février fevrier febrero fevereiro febbraio februari"),
	strings.Fields("march märz maerz mrz mars marzo março maart"),
	strings.Fields("april avril abril aprile"),
	strings.Fields("may mai mayo maio maggio mei"),
	strings.Fields("june juni juin junio junho giugno"),
	strings.Fields("july juli juillet julio julho luglio"),
	strings.Fields("august août aout agosto augustus"),
	strings.Fields("september septembre septiembre setembro settembre sept"),
	strings.Fields("october oktober octobre octubre outubro ottobre"),
	strings.Fields("november novembre noviembre novembro"),
	strings.Fields("december dezember décembre decembre diciembre dezembro dicembre"),
}

// month returns the month that a word names or shortens, 0 if it is none.
func month(s string) int {
	s = strings.ToLower(s)
	for i, names := range monthNames {
		for _, n := range names {
			if len(s) >= 3 && strings.HasPrefix(n, s) && (s != "jui") {
				return i + 1
			}
		}
	}
	return 0
}

const hanDigits = "〇一二三四五六七八九"

func hanDigit(r rune) int {
	if r == '零' || r == '○' {
		return 0
	}
	i := strings.IndexRune(hanDigits, r)
	if i < 0 {
		return -1
	}
	return i / len("〇")
}

func hanYear(s string) int {
	n := 0
	for _, r := range s {
		n = 10*n + hanDigit(r)
	}
	return n
}

// hanNum reads 一 to 九十九.
func hanNum(s string) int {
	n, digit := 0, 0
	for _, r := range s {
		if r == '十' {
			n += 10 * max(digit, 1)
			digit = 0
			continue
		}
		digit = hanDigit(r)
	}
	return n + digit
}

// halfWidth maps full-width digits and marks to ASCII; byte offsets change only
// where there are such characters.
func halfWidth(s string) string {
	if !strings.ContainsAny(s, "０１２３４５６７８９／－．") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r >= '０' && r <= '９' || r == '／' || r == '－' || r == '．' {
			return r - 0xfee0
		}
		return r
	}, s)
}
