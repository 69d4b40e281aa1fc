package entity

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"xinwen/news"
)

// found is a mention in the shadow text, before its offsets are those of the
// original.
type found struct {
	start, end          int
	kind                news.Kind
	entity, name, value string
	score               float64
}

// scanner reads quantities from a shadow text in one pass: it stops at digits,
// currency signs, and the characters and words that a quantity can begin with.
type scanner struct {
	s   string
	ctx Context
	// upper reports whether the original has a capital letter at an offset.
	upper func(int) bool
	out   []found
	// period is the value of the last quarter, half or month that was read, for
	// 去年同期.
	period string
}

func quantities(s string, c Context, upper func(int) bool) []found {
	p := scanner{s: s, ctx: c, upper: upper}
	p.scan()
	return p.out
}

func (p *scanner) scan() {
	s := p.s
	word := false // the character before i belongs to a word of letters
	for i := 0; i < len(s); {
		c := s[i]
		end := 0
		switch {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			if begins(r) {
				end = p.han(i, r, n)
			} else if currencySign(r) != "" {
				end = p.signed(i, i)
			}
			if end == 0 {
				end = i + n
			}
			word = false
			i = end
			continue
		case '0' <= c && c <= '9':
			if !word {
				end = p.number(i)
			}
			if end == 0 {
				end = i + 1
				for end < len(s) && '0' <= s[end] && s[end] <= '9' {
					end++
				}
			}
			word = true
			i = end
			continue
		case c == '$':
			end = p.signed(i, i)
		case 'a' <= c && c <= 'z':
			if !word {
				end = p.word(i)
			}
			if end == 0 {
				end = i + 1
				for end < len(s) && 'a' <= s[end] && s[end] <= 'z' {
					end++
				}
			}
			word = true
			i = end
			continue
		}
		if end == 0 {
			end = i + 1
		}
		word = false
		i = end
	}
}

func (p *scanner) add(start, end int, kind news.Kind, name, value string, score float64) int {
	p.out = append(p.out, found{start: start, end: end, kind: kind, name: name, value: value, score: score})
	return end
}

// space skips one space.
func (p *scanner) space(i int) int {
	if i < len(p.s) && p.s[i] == ' ' {
		return i + 1
	}
	return i
}

// has returns the offset after text if it stands at i, else 0.
func (p *scanner) has(i int, text string) int {
	if strings.HasPrefix(p.s[i:], text) {
		return i + len(text)
	}
	return 0
}

// one returns the offset after the first of a list that stands at i, and which.
func (p *scanner) one(i int, list ...string) (int, int) {
	for k, t := range list {
		if e := p.has(i, t); e > 0 {
			return e, k
		}
	}
	return 0, -1
}

// wordEnd reports whether a word of letters ends at i.
func (p *scanner) wordEnd(i int) bool {
	if i >= len(p.s) {
		return true
	}
	r, _ := utf8.DecodeRuneInString(p.s[i:])
	return !wordRune(r)
}

// digits reads a number in digits: 1,234.5. It returns 0 if there is none.
func (p *scanner) digits(i int) (v float64, end int) {
	s, j := p.s, i
	var b [24]byte
	n := 0
	group := 0
	for j < len(s) && n < len(b)-1 {
		c := s[j]
		switch {
		case '0' <= c && c <= '9':
			b[n] = c
			n++
			group++
		case c == ',' && group > 0 && group <= 3 && j+3 < len(s) && isDigits(s[j+1:j+4]) && (j+4 >= len(s) || s[j+4] < '0' || s[j+4] > '9'):
			group = 0
		case c == '.' && j > i && j+1 < len(s) && '0' <= s[j+1] && s[j+1] <= '9' && group < 100:
			b[n] = '.'
			n++
			group = 100 // no second point, no more groups
		default:
			goto done
		}
		j++
	}
done:
	if j == i {
		return 0, 0
	}
	v, err := strconv.ParseFloat(string(b[:n]), 64)
	if err != nil {
		return 0, 0
	}
	return v, j
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// hanScale is the value of the characters that multiply a number.
func hanScale(r rune) float64 {
	switch r {
	case '十':
		return 10
	case '百':
		return 1e2
	case '千':
		return 1e3
	case '万':
		return 1e4
	case '亿':
		return 1e8
	case '兆':
		return 1e12
	}
	return 0
}

// scales reads 万亿, 亿, 千万, million, bn after a number. The second result is
// where it ends, i if there is none.
func (p *scanner) scales(i int) (float64, int) {
	v, j := 1.0, p.space(i)
	from := j
	for n := 0; n < 3; n++ {
		r, w := utf8.DecodeRuneInString(p.s[j:])
		x := hanScale(r)
		if x == 0 {
			break
		}
		v *= x
		j += w
	}
	if j > from {
		return v, j
	}
	k := i
	if k < len(p.s) && (p.s[k] == ' ' || p.s[k] == '-') {
		k++
	}
	for _, u := range latinScales {
		if e := p.has(k, u.text); e > 0 && p.wordEnd(e) && (k == i || len(u.text) > 1) {
			return u.value, e
		}
	}
	return 1, i
}

var latinScales = []struct {
	text  string
	value float64
}{
	{"trillion", 1e12},
	{"billion", 1e9},
	{"million", 1e6},
	{"thousand", 1e3},
	{"crore", 1e7},
	{"lakh", 1e5},
	{"trn", 1e12},
	{"tn", 1e12},
	{"bln", 1e9},
	{"bn", 1e9},
	{"mln", 1e6},
	{"mn", 1e6},
	{"t", 1e12},
	{"b", 1e9},
	{"m", 1e6},
	{"k", 1e3},
}

// amount reads a number with its scale, also a compound one: 1兆530亿, 3万2000.
func (p *scanner) amount(i int) (v float64, scaled bool, end int) {
	v, end = p.digits(i)
	if end == 0 {
		return 0, false, 0
	}
	if r, w := utf8.DecodeRuneInString(p.s[end:]); r == '多' || r == '余' {
		if x, e := p.scales(end + w); e > end+w {
			return v * x, true, e
		}
	}
	x, e := p.scales(end)
	if e == end {
		return v, false, end
	}
	v *= x
	end = e
	for x >= 1e4 {
		n, e := p.digits(end)
		if e == 0 {
			break
		}
		y, f := p.scales(e)
		if f == e || y >= x {
			break
		}
		v, x, end = v+n*y, y, f
	}
	if r, w := utf8.DecodeRuneInString(p.s[end:]); r == '多' || r == '余' {
		if _, e := p.currency(end + w); e > 0 {
			end += w
		}
	}
	return v, true, end
}

// begins reports whether a quantity can begin with a Chinese character.
func begins(r rune) bool {
	switch r {
	case '一', '二', '三', '四', '五', '六', '七', '八', '九', '十', '两', '百', '千', '万', '半', '数', '上', '几',
		'今', '去', '明', '昨', '前', '本', '下', '当', '同', '第', '首', '年', '月', '周', '星', '礼', '民', '〇', '零', '人', '新', '港', '台':
		return true
	}
	return false
}

// maxHanNumber is the longest number in Chinese characters, in bytes.
const maxHanNumber = 32 * len("一")

// hanNumber reads a number in Chinese characters: 三十, 百, 两千, 数百亿. vague
// says that it is not exact. What goes on after maxHanNumber is not looked at.
func (p *scanner) hanNumber(i int) (v float64, vague bool, end int) {
	total, section, digit := 0.0, 0.0, 0.0
	j, seen := i, false
	for j < min(len(p.s), i+maxHanNumber) {
		r, w := utf8.DecodeRuneInString(p.s[j:])
		if d := hanDigit(r); d >= 0 {
			if r == '零' || r == '〇' {
				if !seen {
					break
				}
			} else {
				digit = float64(d)
			}
		} else if x := hanScale(r); x > 0 {
			if digit == 0 && section == 0 && (total == 0 || j == i) {
				digit = 1
			}
			if x < 1e4 {
				section += digit * x
			} else {
				section += digit
				if total > 0 && section == 0 {
					total *= x
				} else {
					total += section * x
				}
				section = 0
			}
			digit = 0
		} else if (r == '数' || r == '几') && j == i {
			digit, vague = 1, true
		} else if (r == '多' || r == '余') && seen {
			if x, _ := utf8.DecodeRuneInString(p.s[j+w:]); hanScale(x) == 0 {
				break
			}
			vague = true
		} else {
			break
		}
		seen = true
		j += w
	}
	if !seen {
		return 0, false, 0
	}
	return total + section + digit, vague, j
}

func hanDigit(r rune) int {
	switch r {
	case '零', '〇':
		return 0
	case '一':
		return 1
	case '二', '两':
		return 2
	case '三':
		return 3
	case '四':
		return 4
	case '五':
		return 5
	case '六':
		return 6
	case '七':
		return 7
	case '八':
		return 8
	case '九':
		return 9
	}
	return -1
}

// number reads what begins with a digit.
func (p *scanner) number(i int) int {
	if e := p.numericDate(i); e > 0 {
		return e
	}
	v, end := p.digits(i)
	if end == 0 {
		return 0
	}
	if e := p.percent(i, v, end); e > 0 {
		return e
	}
	if e := p.node(i, v, end); e > 0 {
		return e
	}
	if e := p.shared(i, v, end); e > 0 {
		return e
	}
	if e := p.money(i); e > 0 {
		return e
	}
	if e := p.plainYear(i, v, end); e > 0 {
		return e
	}
	return end
}

// percent reads the unit of a percentage that begins at start.
func (p *scanner) percent(start int, v float64, i int) int {
	e := p.percentUnit(i)
	if e == 0 {
		return 0
	}
	if f := p.has(e, "+"); f > 0 && p.s[e-1] == '%' {
		e = f // 30%+
	}
	if p.negative(start) {
		v = -v
	}
	return p.add(start, e, news.Percent, "", format(v)+"%", 1)
}

func (p *scanner) percentUnit(i int) int {
	j := p.space(i)
	if e, _ := p.one(j, "%", "个百分点"); e > 0 && (p.s[e-1] != '%' || p.wordEnd(e)) { // %e9%96%af is none
		return e
	}
	if j < len(p.s) && p.s[j] == '-' {
		j++
	}
	if e, _ := p.one(j, "percentage points", "percentage point", "percent", "per cent", "pct"); e > 0 && p.wordEnd(e) {
		return e
	}
	return 0
}

// shared reads a range whose ends share a unit: 10~20%, 100至399美元, 14/28nm.
func (p *scanner) shared(start int, v float64, i int) int {
	j, k := p.one(i, "-", "~", "～", "至", "到", " to ", "/", "、")
	if j == 0 {
		return 0
	}
	w, e := p.digits(j)
	if e == 0 {
		return 0
	}
	if k >= 6 || p.nanometres(e) > 0 { // 14/28nm and 8到10nm are two nodes
		if f := p.nanometres(e); f > 0 && nodeSize(v) && nodeSize(w) {
			p.add(start, i, news.Node, format(v)+" nm", format(v)+" nm", 0.9)
			return p.add(j, f, news.Node, format(w)+" nm", format(w)+" nm", 1)
		}
		return 0
	}
	if f := p.percentUnit(e); f > 0 {
		return p.add(start, f, news.Percent, "", format(v)+"%.."+format(w)+"%", 1)
	}
	if x, scaled, f := p.amount(j); f > 0 {
		if cur, g := p.currency(f); g > 0 {
			scale := 1.0
			if scaled && w != 0 {
				scale = x / w
			}
			return p.add(start, g, news.Money, "", cur+" "+format(v*scale)+".."+format(x), 1)
		}
	}
	return 0
}

// node reads a process node: 3nm, 7纳米, 3 奈米.
func (p *scanner) node(start int, v float64, i int) int {
	e := p.nanometres(i)
	if e == 0 || !nodeSize(v) || p.length(start) {
		return 0
	}
	return p.add(start, e, news.Node, format(v)+" nm", format(v)+" nm", 1)
}

func (p *scanner) nanometres(i int) int {
	j := p.space(i)
	if j < len(p.s) && p.s[j] == '-' {
		j++
	}
	if e, _ := p.one(j, "纳米", "奈米"); e > 0 {
		return e
	}
	if e, _ := p.one(j, "nanometers", "nanometer", "nanometres", "nanometre", "nm"); e > 0 && p.wordEnd(e) {
		return e
	}
	return 0
}

// length reports whether the words before start say that a length follows which
// is no node.
func (p *scanner) length(start int) bool {
	before := p.s[max(0, start-24):start]
	for _, w := range [...]string{"分辨率", "波长", "厚度", "直径", "粒径", "线宽", "间距", "resolution", "wavelength", "thickness", "pitch"} {
		if k := strings.LastIndex(before, w); k >= 0 && !strings.ContainsAny(before[k:], ",;.\n") {
			return true
		}
	}
	return false
}

// nodeSize tells the sizes of nodes from other lengths, such as the wavelengths
// of lithography.
func nodeSize(v float64) bool {
	return v >= 0.5 && v <= 180 && v != 13.5 && v != 157
}

// han reads what begins with a Chinese character.
func (p *scanner) han(i int, r rune, n int) int {
	if e := p.hanDate(i, r); e > 0 {
		return e
	}
	switch {
	case r == '人' || r == '新' || r == '港' || r == '台':
		if e, k := p.one(i, "人民币", "新台币", "港币", "台币"); e > 0 {
			cur := []string{"CNY", "TWD", "HKD", "TWD"}[k]
			if f := p.prefixed(i, p.space(e), cur); f > 0 {
				return f
			}
			if v, vague, f := p.hanNumber(p.space(e)); f > 0 && v >= 100 && !vague {
				if g := p.has(f, "元"); g > 0 {
					f = g
				}
				return p.add(i, f, news.Money, "", cur+" "+format(v), 1)
			}
			return 0
		}
	case r == '百':
		if e := p.has(i, "百分之"); e > 0 {
			if v, f := p.digits(e); f > 0 {
				return p.add(i, f, news.Percent, "", format(v)+"%", 1)
			}
			if v, _, f := p.hanNumber(e); f > 0 {
				if g := p.has(f, "点"); g > 0 {
					for tenth := 0.1; ; tenth /= 10 { // 百分之二点五
						r, w := utf8.DecodeRuneInString(p.s[g:])
						d := hanDigit(r)
						if d < 0 || w == 0 {
							break
						}
						v += float64(d) * tenth
						g += w
						f = g
					}
				}
				return p.add(i, f, news.Percent, "", format(v)+"%", 1)
			}
		}
	case r == '半':
		return 0
	}
	if r == '上' { // 上百亿
		n += i
	} else {
		n = i
	}
	v, vague, e := p.hanNumber(n)
	if e == 0 {
		return 0
	}
	if f := p.has(e, "成"); f > 0 && v >= 1 && v <= 10 && !vague {
		next, w := utf8.DecodeRuneInString(p.s[f:])
		if d := hanDigit(next); d > 0 {
			return p.add(n, f+w, news.Percent, "", format(v*10+float64(d))+"%", 0.9)
		}
		prev, _ := utf8.DecodeLastRuneInString(p.s[:n])
		if !strings.ContainsRune("立功为员熟长绩本交果品都份型就形因人年家分行体套双", next) && !strings.ContainsRune("第其之合生完变", prev) {
			return p.add(n, f, news.Percent, "", format(v*10)+"%", 0.9)
		}
		return 0
	}
	if f, _ := p.one(e, "个百分点"); f > 0 {
		return p.add(n, f, news.Percent, "", format(v)+"%", 1)
	}
	if f, _ := p.one(e, "纳米", "奈米"); f > 0 && nodeSize(v) {
		return p.add(n, f, news.Node, format(v)+" nm", format(v)+" nm", 1)
	}
	if cur, f := p.currency(e); f > 0 && (v >= 100 || f-e > len("元")) {
		value := cur + " " + format(v)
		if vague {
			value = ""
		}
		return p.add(n, f, news.Money, "", value, 1)
	}
	if v >= 1e8 && p.moneyContext(i, e) {
		value := format(v)
		if vague {
			value = ""
		}
		return p.add(n, e, news.Money, "", value, 0.6)
	}
	return 0
}

// format writes a number without an exponent.
func format(v float64) string {
	s := strconv.FormatFloat(v, 'f', 4, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
