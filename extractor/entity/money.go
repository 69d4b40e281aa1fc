package entity

import (
	"strings"
	"unicode/utf8"

	"xinwen/news"
)

// currencySign returns the currency that a sign stands for, "" if none.
func currencySign(r rune) string {
	switch r {
	case '$':
		return "USD"
	case '€':
		return "EUR"
	case '£':
		return "GBP"
	case '¥':
		return "CNY"
	case '₩':
		return "KRW"
	case '₹':
		return "INR"
	}
	return ""
}

// signPrefixes are the letters before a dollar sign or yen sign.
var signPrefixes = []struct{ text, currency string }{
	{"us$", "USD"}, {"nt$", "TWD"}, {"hk$", "HKD"}, {"s$", "SGD"}, {"c$", "CAD"}, {"a$", "AUD"}, {"t$", "TWD"}, {"rm¥", "CNY"}, {"rmb¥", "CNY"}, {"jp¥", "JPY"}, {"cn¥", "CNY"}, {"r$", "BRL"}, {"rs ", "INR"}, {"rs. ", "INR"},
}

// currencies are the words behind an amount, longest first where one begins
// another.
var currencies = []struct{ text, currency string }{
	{"美元", "USD"},
	{"美金", "USD"},
	{"美圆", "USD"},
	{"元人民币", "CNY"},
	{"人民币", "CNY"},
	{"元新台币", "TWD"},
	{"新台币", "TWD"},
	{"台币", "TWD"},
	{"港元", "HKD"},
	{"港币", "HKD"},
	{"日元", "JPY"},
	{"日圆", "JPY"},
	{"日币", "JPY"},
	{"韩元", "KRW"},
	{"韩圆", "KRW"},
	{"韩圜", "KRW"},
	{"韩币", "KRW"},
	{"欧元", "EUR"},
	{"英镑", "GBP"},
	{"卢比", "INR"},
	{"新元", "SGD"},
	{"新加坡元", "SGD"},
	{"加元", "CAD"},
	{"澳元", "AUD"},
	{"瑞士法郎", "CHF"},
	{"卢布", "RUB"},
	{"马币", "MYR"},
	{"令吉", "MYR"},
	{"泰铢", "THB"},
	{"越南盾", "VND"},
	{"瑞典克朗", "SEK"},
	{"元", ""},
	{"块钱", ""},
}

var latinCurrencies = []struct{ text, currency string }{
	{"us dollars", "USD"},
	{"u.s. dollars", "USD"},
	{"dollars", "USD"},
	{"dollar", "USD"},
	{"dlrs", "USD"},
	{"dlr", "USD"},
	{"usd", "USD"},
	{"yuan", "CNY"},
	{"renminbi", "CNY"},
	{"rmb", "CNY"},
	{"cny", "CNY"},
	{"yen", "JPY"},
	{"jpy", "JPY"},
	{"won", "KRW"},
	{"krw", "KRW"},
	{"euros", "EUR"},
	{"euro", "EUR"},
	{"eur", "EUR"},
	{"pounds", "GBP"},
	{"gbp", "GBP"},
	{"rupees", "INR"},
	{"inr", "INR"},
	{"hkd", "HKD"},
	{"twd", "TWD"},
	{"sgd", "SGD"},
	{"ringgit", "MYR"},
	{"rubles", "RUB"},
	{"francs", "CHF"},
	{"cents", "USD"},
}

// currency reads a currency word at i, with a space or hyphen before it. 元
// alone is the currency of the text's script, which the shadow text does not
// tell: it is taken for CNY.
func (p *scanner) currency(i int) (string, int) {
	j := p.space(i)
	for _, c := range currencies {
		if e := p.has(j, c.text); e > 0 {
			if c.currency == "" {
				if r, _ := utf8.DecodeRuneInString(p.s[e:]); strings.ContainsRune("素件器宇旦朝老月首年组", r) && e < len(p.s) {
					return "", 0
				}
				return p.ctx.currency(), e
			}
			return c.currency, e
		}
	}
	if i < len(p.s) && p.s[i] == '-' {
		j = i + 1
	}
	if j == i {
		return "", 0
	}
	for _, c := range latinCurrencies {
		if e := p.has(j, c.text); e > 0 && p.wordEnd(e) {
			return c.currency, e
		}
	}
	return "", 0
}

// currency is that of 元 without a country.
func (c Context) currency() string {
	if c.Hant {
		return "TWD"
	}
	return "CNY"
}

// money reads an amount that begins with a digit and has its currency behind
// it, or none but a scale and talk of money around it.
func (p *scanner) money(i int) int {
	v, scaled, e := p.amount(i)
	if e == 0 {
		return 0
	}
	if cur, f := p.currency(e); f > 0 {
		if strings.HasSuffix(p.s[:f], "cents") {
			v /= 100
		}
		return p.add(i, f, news.Money, "", cur+" "+format(v), 1)
	}
	if j, _ := p.one(e, "至", "到", "-", "~"); scaled && j > 0 { // 400亿至420亿美元
		if x, again, f := p.amount(j); again && x > v {
			if cur, g := p.currency(f); g > 0 {
				return p.add(i, g, news.Money, "", cur+" "+format(v)+".."+format(x), 1)
			}
		}
	}
	if scaled && v >= 1e8 && p.moneyContext(i, e) {
		return p.add(i, e, news.Money, "", format(v), 0.6)
	}
	return 0
}

// moneyWords speak of money around an amount without a currency.
var moneyWords = []string{"市值", "营收", "收入", "投资", "资金", "估值", "利润", "净利", "融资", "销售额", "产值", "资本支出", "补贴", "预算", "成本", "金额", "规模", "耗资", "斥资", "砸", "订单", "身价", "基金", "罚款", "亏损", "借款", "募资", "总额"}

// moneyContext reports whether a span without a currency is about money.
func (p *scanner) moneyContext(start, end int) bool {
	if r, _ := utf8.DecodeRuneInString(p.s[end:]); strings.ContainsRune("颗个片台部人枚套件次辆名家块只座吨平用张股份条支美像参行瓦度字种位户", r) && end < len(p.s) {
		return false
	}
	from, to := max(0, start-36), min(len(p.s), end+18)
	for from > 0 && !utf8.RuneStart(p.s[from]) {
		from--
	}
	around := p.s[from:to]
	for _, w := range moneyWords {
		if strings.Contains(around, w) {
			return true
		}
	}
	return false
}

// signed reads an amount behind a currency sign at i; the mention begins at
// start, or at the letters before the sign.
func (p *scanner) signed(i, start int) int {
	r, n := utf8.DecodeRuneInString(p.s[i:])
	cur := currencySign(r)
	return p.prefixed(start, p.space(i+n), cur)
}

// prefixed reads an amount at i whose currency stands before it.
func (p *scanner) prefixed(start, i int, cur string) int {
	v, scaled, e := p.amount(i)
	if e == 0 {
		return 0
	}
	if c, f := p.currency(e); f > 0 && f-e > len("元") {
		cur, e = c, f
	} else if f := p.has(e, "元"); f > 0 {
		e = f
	}
	// $3-5 billion: the scale of the upper end holds for both.
	if j, _ := p.one(e, "-", "~", " to ", "至"); j > 0 && !scaled {
		k := j
		if k < len(p.s) && currencySign(rune(p.s[k])) != "" {
			k++
		}
		if w, _ := p.digits(k); w > 0 {
			if x, sc, f := p.amount(k); f > 0 && sc && k == j {
				return p.add(start, f, news.Money, "", cur+" "+format(v*x/w)+".."+format(x), 1)
			}
		}
	}
	return p.add(start, e, news.Money, "", cur+" "+format(v), 1)
}
