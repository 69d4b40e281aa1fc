package lexicon

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// exchanges are the known exchanges with what their symbols look like.
var exchanges = map[string]*regexp.Regexp{
	"TWSE":   digits4to6, // Taiwan
	"TPEX":   digits4to6, // Taipei Exchange
	"SSE":    digits6,    // Shanghai
	"SZSE":   digits6,    // Shenzhen
	"BJSE":   digits6,    // Beijing
	"HKEX":   digits4to5, // Hong Kong
	"KRX":    digits6,    // Korea
	"KOSDAQ": digits6,
	"TYO":    regexp.MustCompile(`^[0-9]{3}[0-9A-Z]$`), // Tokyo
	"NASDAQ": letters,
	"NYSE":   letters,
	"OTC":    letters,
	"TSX":    letters, // Toronto
	"AMS":    letters, // Euronext Amsterdam
	"EPA":    letters, // Euronext Paris
	"BIT":    letters, // Milan
	"ETR":    european,
	"SIX":    european,                                 // Swiss
	"VIE":    european,                                 // Vienna
	"LSE":    european,                                 // London
	"STO":    european,                                 // Stockholm
	"OSL":    european,                                 // Oslo
	"HEL":    european,                                 // Helsinki
	"BME":    european,                                 // Madrid
	"TASE":   european,                                 // Tel Aviv
	"NSE":    regexp.MustCompile(`^[A-Z0-9&-]{1,20}$`), // India
	"SGX":    regexp.MustCompile(`^[0-9A-Z]{3,4}$`),    // Singapore
	"MYX":    digits4to5,                               // Malaysia
	"ASX":    regexp.MustCompile(`^[0-9A-Z]{3,4}$`),    // Australia
}

var (
	digits6    = regexp.MustCompile(`^[0-9]{6}$`)
	digits4to6 = regexp.MustCompile(`^[0-9]{4,6}$`)
	digits4to5 = regexp.MustCompile(`^[0-9]{4,5}$`)
	letters    = regexp.MustCompile(`^[A-Z]{1,5}(\.[A-Z])?$`)
	european   = regexp.MustCompile(`^[A-Z0-9]{1,6}(-[A-Z])?$`)
)

// suffixes are what terminals and newspapers write behind a symbol.
var suffixes = map[string]string{
	"TW": "TWSE", "TWO": "TPEX", "SS": "SSE", "SH": "SSE", "SZ": "SZSE", "BJ": "BJSE",
	"HK": "HKEX", "KS": "KRX", "KQ": "KOSDAQ", "T": "TYO", "O": "NASDAQ", "OQ": "NASDAQ",
	"N": "NYSE", "AS": "AMS", "PA": "EPA", "MI": "BIT", "DE": "ETR", "SW": "SIX", "VI": "VIE",
	"L": "LSE", "ST": "STO", "OL": "OSL", "HE": "HEL", "TO": "TSX", "AX": "ASX", "SI": "SGX",
	"KL": "MYX", "NS": "NSE", "TA": "TASE",
}

// checkTicker says what is wrong with t, "" if nothing.
func checkTicker(t string) (what, hint string) {
	exchange, sym, ok := strings.Cut(t, ":")
	if !ok {
		return fmt.Sprintf("ticker %q has no exchange", t), "write EXCHANGE:SYMBOL, such as TWSE:2330"
	}
	form, ok := exchanges[exchange]
	if !ok {
		return fmt.Sprintf("ticker %q: unknown exchange", t),
			"use one of " + strings.Join(slices.Sorted(maps.Keys(exchanges)), ", ")
	}
	if !form.MatchString(sym) {
		return fmt.Sprintf("ticker %q: %s has no such symbols", t, exchange),
			"symbols there match " + form.String()
	}
	return "", ""
}

// bareSymbol returns the symbol of a ticker where it can stand without its
// exchange: numbers, and American symbols of two letters or more. Others (AI in
// Paris, C in New York) are words of their own.
func bareSymbol(ticker string) (string, bool) {
	exchange, sym, _ := strings.Cut(ticker, ":")
	switch {
	case sym[0] >= '0' && sym[0] <= '9':
		return sym, true
	case exchange == "NASDAQ" || exchange == "NYSE":
		return sym, len(sym) > 1
	}
	return "", false
}

// tickerKey brings the ways to write a ticker to one: "2330.TW" and
// "twse:2330" to "TWSE:2330", Hong Kong's "00981" to "981" with or without its
// exchange.
func tickerKey(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	exchange, sym, ok := strings.Cut(s, ":")
	if !ok {
		exchange, sym = "", s
		if i := strings.LastIndexByte(s, '.'); i > 0 {
			if x := suffixes[s[i+1:]]; x != "" {
				exchange, sym = x, s[:i]
			} else if s[i+1:] == "US" {
				sym = s[:i]
			}
		} else if t, ok := strings.CutSuffix(s, "-US"); ok {
			sym = t
		}
	}
	if trimmed := strings.TrimLeft(sym, "0"); len(sym) <= 5 && trimmed != "" && (exchange == "" || exchange == "HKEX") {
		sym = trimmed
	}
	if exchange == "" {
		return sym
	}
	return exchange + ":" + sym
}
