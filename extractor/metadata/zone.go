package metadata

import (
	"strings"
	"time"

	"xinwen/news"
)

// zoneByTag and zoneByDomain are the zones of the capital, or of where most
// media are, for language tags and top-level domains.
var (
	zoneByTag = map[string]string{
		"de": "Europe/Berlin", "fr": "Europe/Paris", "it": "Europe/Rome", "es": "Europe/Madrid", "nl": "Europe/Amsterdam", "pl": "Europe/Warsaw",
		"ja": "Asia/Tokyo", "ko": "Asia/Seoul", "ru": "Europe/Moscow", "sv": "Europe/Stockholm", "tr": "Europe/Istanbul",
		"zh-tw": "Asia/Taipei", "zh-hk": "Asia/Hong_Kong", "zh-cn": "Asia/Shanghai", "zh-sg": "Asia/Singapore",
		"en-gb": "Europe/London", "en-sg": "Asia/Singapore", "en-in": "Asia/Kolkata", "de-at": "Europe/Vienna", "de-ch": "Europe/Zurich",
	}
	zoneByDomain = map[string]string{
		"cn": "Asia/Shanghai", "tw": "Asia/Taipei", "hk": "Asia/Hong_Kong", "mo": "Asia/Macau", "sg": "Asia/Singapore", "my": "Asia/Kuala_Lumpur",
		"jp": "Asia/Tokyo", "kr": "Asia/Seoul", "in": "Asia/Kolkata", "de": "Europe/Berlin", "at": "Europe/Vienna", "ch": "Europe/Zurich", "fr": "Europe/Paris",
		"it": "Europe/Rome", "es": "Europe/Madrid", "nl": "Europe/Amsterdam", "uk": "Europe/London", "il": "Asia/Jerusalem", "se": "Europe/Stockholm",
		"ru": "Europe/Moscow", "pl": "Europe/Warsaw",
	}
)

// zoneOf returns the zone that a page's times are in if it names none: that of
// its address, else of its language tag, else of its script. The second result
// says that times given in other zones are to be told in it.
func zoneOf(script, lang, host string) (*time.Location, bool) {
	tld := host[strings.LastIndexByte(host, '.')+1:]
	tld, _, _ = strings.Cut(tld, ":")
	lang = strings.ToLower(strings.ReplaceAll(lang, "_", "-"))
	short, _, _ := strings.Cut(lang, "-")
	for _, name := range [...]string{zoneByDomain[tld], zoneByTag[lang], zoneByTag[short]} {
		if name == "" || script != news.ScriptLatn && script != "" && !strings.HasPrefix(name, "Asia/") {
			continue
		}
		if z, err := time.LoadLocation(name); err == nil {
			return z, true
		}
	}
	z := Zone(script)
	return z, z != time.UTC
}

// Zone returns the time zone that texts in a script are dated in unless their
// source says otherwise.
func Zone(script string) *time.Location {
	name := ""
	switch script {
	case news.ScriptHans, news.ScriptMixed:
		name = "Asia/Shanghai"
	case news.ScriptHant:
		name = "Asia/Taipei"
	default:
		return time.UTC
	}
	if z, err := time.LoadLocation(name); err == nil {
		return z
	}
	return time.FixedZone("UTC+8", 8*3600) // no zone data on this system
}
