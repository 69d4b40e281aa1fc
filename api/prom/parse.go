package prom

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// expr is an expression: number, *selector, *call, *aggregate or *binary.
type expr interface{}

type number float64

// selector is a metric with matchers and, after a range function, a range.
type selector struct {
	matchers []matcher
	window   time.Duration // 0 for an instant
	offset   time.Duration
}

type matcher struct {
	label, op, value string
	re               *regexp.Regexp // of =~ and !~, anchored
}

// holds reports whether a label's value is what m asks for.
func (m *matcher) holds(value string) bool {
	switch m.op {
	case "=":
		return value == m.value
	case "!=":
		return value != m.value
	case "=~":
		return m.re.MatchString(value)
	}
	return !m.re.MatchString(value)
}

// call is a function of a range selector.
type call struct {
	name string
	arg  *selector
}

// aggregate is sum, avg, min, max, count, topk or bottomk.
type aggregate struct {
	op string
	k  int // of topk and bottomk
	by []string
	of expr
}

type binary struct {
	op          byte
	left, right expr
}

// maxDepth bounds how deep expressions are nested, maxQuery how long they are.
const (
	maxDepth = 20
	maxQuery = 8 << 10
)

type parser struct {
	s     string
	at    int
	depth int
}

// parse reads a PromQL expression of the part that is supported. Errors name
// the character, as Prometheus does.
func parse(s string) (expr, error) {
	if len(s) > maxQuery {
		return nil, fmt.Errorf("the query is longer than %d bytes", maxQuery)
	}
	p := &parser{s: s}
	e, err := p.sum()
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.s) {
		switch rest := p.s[p.at:]; {
		case strings.HasPrefix(rest, "=="), strings.HasPrefix(rest, "!="), rest[0] == '>', rest[0] == '<':
			return nil, p.fail("comparisons are not supported")
		case rest[0] == '[':
			return nil, p.fail("subqueries are not supported")
		}
		return nil, p.fail("unexpected %q", clip(p.s[p.at:]))
	}
	return e, nil
}

func clip(s string) string {
	if len(s) > 20 {
		return strings.ToValidUTF8(s[:20], "") + "…"
	}
	return s
}

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("parse error at char %d: %s", utf8.RuneCountInString(p.s[:min(p.at, len(p.s))])+1, fmt.Sprintf(format, args...))
}

func (p *parser) space() {
	for p.at < len(p.s) {
		if c := p.s[p.at]; c == '#' {
			if end := strings.IndexByte(p.s[p.at:], '\n'); end >= 0 {
				p.at += end
			} else {
				p.at = len(p.s)
			}
		} else if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return
		} else {
			p.at++
		}
	}
}

// take steps over a token if it is next.
func (p *parser) take(token string) bool {
	p.space()
	if strings.HasPrefix(p.s[p.at:], token) {
		p.at += len(token)
		return true
	}
	return false
}

func (p *parser) want(token string) error {
	if !p.take(token) {
		if p.at >= len(p.s) {
			return p.fail("the query ends where %q should be", token)
		}
		return p.fail("unexpected %q, want %q", clip(p.s[p.at:]), token)
	}
	return nil
}

// word reads an identifier, "" if there is none.
func (p *parser) word() string {
	p.space()
	end := p.at
	for end < len(p.s) {
		c := rune(p.s[end])
		if c != '_' && c != ':' && !(c < utf8.RuneSelf && (unicode.IsLetter(c) || end > p.at && unicode.IsDigit(c))) {
			break
		}
		end++
	}
	w := p.s[p.at:end]
	p.at = end
	return w
}

func (p *parser) sum() (expr, error) { return p.chain("+-", p.product) }

func (p *parser) product() (expr, error) { return p.chain("*/%^", p.unary) }

func (p *parser) chain(ops string, next func() (expr, error)) (expr, error) {
	left, err := next()
	for err == nil {
		p.space()
		if p.at >= len(p.s) || !strings.ContainsRune(ops, rune(p.s[p.at])) {
			return left, nil
		}
		op := p.s[p.at]
		if op == '%' || op == '^' {
			return nil, p.fail("the operator %c is not supported; + - * / are", op)
		}
		p.at++
		var right expr
		if right, err = next(); err != nil {
			return nil, err
		}
		_, l := left.(number)
		_, r := right.(number)
		switch {
		case l && r:
			left = number(compute(op, float64(left.(number)), float64(right.(number))))
		case l || r:
			left = &binary{op, left, right}
		default:
			return nil, p.fail("arithmetic needs a number on one side; two series cannot be combined")
		}
	}
	return nil, err
}

func compute(op byte, a, b float64) float64 {
	switch op {
	case '+':
		return a + b
	case '-':
		return a - b
	case '*':
		return a * b
	}
	return a / b
}

func (p *parser) unary() (expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("the query is nested too deep")
	}
	defer func() { p.depth-- }()
	p.space()
	if p.at >= len(p.s) {
		return nil, p.fail("the query ends where a metric should be")
	}
	switch c := p.s[p.at]; {
	case c == '(':
		p.at++
		e, err := p.sum()
		if err != nil {
			return nil, err
		}
		return e, p.want(")")
	case c == '-' || c == '+':
		p.at++
		e, err := p.unary()
		if err != nil || c == '+' {
			return e, err
		}
		if n, ok := e.(number); ok {
			return -n, nil
		}
		return &binary{'*', number(-1), e}, nil
	case c >= '0' && c <= '9' || c == '.':
		return p.number()
	case c == '{':
		return p.selector("")
	}
	start := p.at
	name := p.word()
	if name == "" {
		return nil, p.fail("unexpected %q", clip(p.s[p.at:]))
	}
	switch strings.ToLower(name) {
	case "inf":
		return number(math.Inf(1)), nil
	case "nan":
		return number(math.NaN()), nil
	}
	p.space()
	follows := p.at < len(p.s) && p.s[p.at] == '(' || strings.HasPrefix(p.s[p.at:], "by") || strings.HasPrefix(p.s[p.at:], "without")
	if !follows {
		return p.selector(name)
	}
	switch name {
	case "sum", "avg", "min", "max", "count", "topk", "bottomk":
		return p.aggregate(name)
	case "increase", "rate", "irate", "delta", "idelta", "avg_over_time", "min_over_time", "max_over_time", "last_over_time":
		return p.call(name)
	case "sum_over_time", "count_over_time", "present_over_time", "stddev_over_time", "stdvar_over_time", "quantile_over_time":
		p.at = start
		return nil, p.fail("%s works on samples, which a count of articles does not have; increase(%s{…}[1d]) is the number of articles of a day", name, Metric)
	}
	p.at = start
	return nil, p.fail("the function %q is not supported; sum, avg, min, max, count, topk, bottomk, increase, rate, delta and avg_, min_, max_, last_over_time are", name)
}

func (p *parser) number() (expr, error) {
	end := p.at
	for end < len(p.s) && strings.IndexByte("0123456789.eExXabcdefABCDEF", p.s[end]) >= 0 ||
		end > p.at && end < len(p.s) && (p.s[end] == '+' || p.s[end] == '-') && (p.s[end-1] == 'e' || p.s[end-1] == 'E') {
		end++
	}
	v, err := strconv.ParseFloat(p.s[p.at:end], 64)
	if err != nil {
		return nil, p.fail("%q is not a number", clip(p.s[p.at:end]))
	}
	p.at = end
	return number(v), nil
}

func (p *parser) labels() ([]string, error) {
	if err := p.want("("); err != nil {
		return nil, err
	}
	labels := []string{}
	for {
		if p.take(")") {
			return labels, nil
		}
		l := p.word()
		if !slices.Contains(Labels, l) {
			return nil, p.fail("there is no label %q; there are %s", l, strings.Join(Labels, ", "))
		}
		labels = append(labels, l)
		if !p.take(",") {
			return labels, p.want(")")
		}
	}
}

func (p *parser) aggregate(op string) (expr, error) {
	a := &aggregate{op: op}
	grouping := func() (bool, error) {
		if p.take("without") {
			return false, p.fail("without is not supported; name the labels to keep with by (…)")
		}
		if !p.take("by") {
			return false, nil
		}
		var err error
		a.by, err = p.labels()
		return true, err
	}
	grouped, err := grouping()
	if err != nil {
		return nil, err
	}
	if err := p.want("("); err != nil {
		return nil, err
	}
	if op == "topk" || op == "bottomk" {
		k, err := p.sum()
		if err != nil {
			return nil, err
		}
		n, ok := k.(number)
		if !ok || n < 1 || n > 1000 {
			return nil, p.fail("%s needs a number from 1 to 1000 first", op)
		}
		a.k = int(n)
		if err := p.want(","); err != nil {
			return nil, err
		}
	}
	if a.of, err = p.sum(); err != nil {
		return nil, err
	}
	if _, ok := a.of.(number); ok {
		return nil, p.fail("%s needs series, not a number", op)
	}
	if err := p.want(")"); err != nil {
		return nil, err
	}
	if !grouped {
		if _, err := grouping(); err != nil {
			return nil, err
		}
	}
	if a.k > 0 && len(a.by) > 0 {
		return nil, p.fail("%s by (…) is not supported; write %s(%d, sum by (…) (…))", op, op, a.k)
	}
	return a, nil
}

func (p *parser) call(name string) (expr, error) {
	if err := p.want("("); err != nil {
		return nil, err
	}
	e, err := p.unary()
	if err != nil {
		return nil, err
	}
	s, ok := e.(*selector)
	if !ok || s.window == 0 {
		return nil, p.fail("%s needs a metric with a range, such as %s[1h]", name, Metric)
	}
	return &call{name, s}, p.want(")")
}

func (p *parser) selector(name string) (expr, error) {
	s := &selector{}
	if p.take("{") {
		for !p.take("}") {
			m, err := p.matcher()
			if err != nil {
				return nil, err
			}
			if m.label == "__name__" {
				if name == "" && m.op == "=" {
					name = m.value
				} else if !m.holds(Metric) {
					name = m.value
				}
			} else {
				s.matchers = append(s.matchers, m)
			}
			if !p.take(",") {
				if err := p.want("}"); err != nil {
					return nil, err
				}
				break
			}
		}
	}
	if name != "" && name != Metric {
		return nil, p.fail("there is no metric %q here, only %s; the metrics of the services are at /metrics", name, Metric)
	}
	var err error
	if p.take("[") {
		if s.window, err = p.duration(); err != nil {
			return nil, err
		}
		if p.take(":") {
			return nil, p.fail("subqueries are not supported")
		}
		if err := p.want("]"); err != nil {
			return nil, err
		}
	}
	if p.take("offset") {
		if s.offset, err = p.duration(); err != nil {
			return nil, err
		}
	}
	if p.take("@") {
		return nil, p.fail("@ is not supported")
	}
	return s, nil
}

func (p *parser) matcher() (matcher, error) {
	m := matcher{label: p.word()}
	if m.label != "__name__" && !slices.Contains(Labels, m.label) {
		return m, p.fail("there is no label %q; there are %s", m.label, strings.Join(Labels, ", "))
	}
	for _, op := range []string{"=~", "!~", "!=", "="} {
		if p.take(op) {
			m.op = op
			break
		}
	}
	if m.op == "" {
		return m, p.fail("unexpected %q, want =, !=, =~ or !~", clip(p.s[p.at:]))
	}
	p.space()
	if p.at >= len(p.s) || strings.IndexByte("\"'`", p.s[p.at]) < 0 {
		return m, p.fail("the value of %s needs quotation marks", m.label)
	}
	quote := p.s[p.at]
	end := p.at + 1
	for end < len(p.s) && p.s[end] != quote {
		if p.s[end] == '\\' && quote != '`' {
			end++
		}
		end++
	}
	if end >= len(p.s) {
		return m, p.fail("this quotation mark is never closed")
	}
	text := p.s[p.at : end+1]
	if quote == '\'' {
		inner := strings.ReplaceAll(strings.ReplaceAll(text[1:len(text)-1], `\'`, "'"), `"`, `\"`)
		text = `"` + inner + `"`
	}
	value, err := strconv.Unquote(text)
	if err != nil {
		return m, p.fail("the text %s cannot be read", clip(text))
	}
	p.at, m.value = end+1, value
	if m.op == "=~" || m.op == "!~" {
		if m.re, err = regexp.Compile("^(?s:" + value + ")$"); err != nil {
			return m, p.fail("the pattern %q: %v", clip(value), err)
		}
	}
	return m, nil
}

// duration reads a duration such as 1h30m, or a number of seconds.
func (p *parser) duration() (time.Duration, error) {
	p.space()
	end := p.at
	for end < len(p.s) && strings.IndexByte("0123456789.smhdwy", p.s[end]) >= 0 {
		end++
	}
	d, err := parseDuration(p.s[p.at:end])
	if err != nil {
		return 0, p.fail("%v", err)
	}
	p.at = end
	return d, nil
}

// parseDuration reads a duration as Prometheus writes it, or seconds.
func parseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a duration; write for example 5m, 1h or 7d", clip(s))
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		if !(v > 0) || v > 100*365*86400 {
			return 0, bad
		}
		return time.Duration(v * float64(time.Second)), nil
	}
	units := map[string]time.Duration{
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "y": 365 * 24 * time.Hour,
	}
	var total time.Duration
	for s != "" {
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		j := i
		for j < len(s) && s[j] >= 'a' && s[j] <= 'z' {
			j++
		}
		n, err := strconv.Atoi(s[:i])
		unit := units[s[i:j]]
		if err != nil || unit == 0 || n > int(100*365*24*time.Hour/unit) {
			return 0, bad
		}
		total += time.Duration(n) * unit
		s = s[j:]
	}
	if total <= 0 || total > 100*365*24*time.Hour {
		return 0, bad
	}
	return total, nil
}
