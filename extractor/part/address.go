package part

import (
	"net/url"
	"strconv"
	"strings"

	"xinwen/extractor/pattern"
)

// numbered is an address read as one of a series: what the series has in common,
// and the number in it.
type numbered struct {
	stem   string // the address without the number
	form   string // how the number stands in it
	number int
}

// inPath matches a path that ends in a number of a page: /a/12_2.html,
// /a/12-p2.html, /story/foo/2, /story/foo/page/2/.
var inPath = pattern.MustCompile(`^(.+?)([_-](?:p(?:age)?[_-]?)?|/(?:p(?:age)?[/_-]?)?)(\d{1,3})(\.[a-z]{3,5})?/?$`)

// inQuery are the parameters that number the pages of an article.
var inQuery = map[string]bool{
	"page": true, "p": true, "pn": true, "pg": true, "pageno": true, "page_no": true, "pagenum": true, "pagenumber": true,
	"pageindex": true, "currentpage": true, "curpage": true,
}

// maxNumber is the highest number of a page that is believed.
const maxNumber = 99

// read returns the ways in which an address may be one of a series.
func read(u *url.URL) []numbered {
	var out []numbered
	if u.RawQuery != "" {
		rest := make([]string, 0, 4)
		number, form := 0, ""
		for q := range strings.SplitSeq(u.RawQuery, "&") {
			k, v, _ := strings.Cut(q, "=")
			n, err := strconv.Atoi(v)
			if form == "" && inQuery[strings.ToLower(k)] && err == nil && n >= 0 && n <= maxNumber {
				number, form = n, "?"+k
				continue
			}
			rest = append(rest, q)
		}
		if form != "" {
			stem := *u
			stem.RawQuery = strings.Join(rest, "&")
			out = append(out, numbered{stem: plain(&stem), form: form, number: number})
		}
	}
	if m := inPath.FindStringSubmatch(u.EscapedPath()); m != nil {
		if n, err := strconv.Atoi(m[3]); err == nil && n <= maxNumber {
			stem := *u
			stem.Path, stem.RawPath = m[1]+m[4], ""
			if p, err := url.PathUnescape(stem.Path); err == nil {
				stem.Path = p
			}
			out = append(out, numbered{stem: plain(&stem), form: m[2] + m[4], number: n})
		}
	}
	return out
}

// plain is how stems are compared: scheme, slash at the end and names of default
// files do not count.
func plain(u *url.URL) string {
	p := strings.TrimSuffix(u.EscapedPath(), "/")
	s := strings.ToLower(u.Host) + p
	if u.RawQuery != "" {
		s += "?" + u.RawQuery
	}
	return s
}

// series are the addresses that belong to one article, as far as their form
// tells.
type series struct {
	stem, form string // form is "" as long as only the first address is known
	bare       bool   // the first page's address is the stem itself
}

// seriesOf returns the series that the page at u may be of, and its number in
// each: first as the beginning of one, then as a numbered page.
func seriesOf(u *url.URL) (all []series, numbers []int) {
	all, numbers = append(all, series{stem: plain(u), bare: true}), append(numbers, 1)
	for _, n := range read(u) {
		all, numbers = append(all, series{stem: n.stem, form: n.form}), append(numbers, n.number)
	}
	return all, numbers
}

// number returns the number that u has in s, false if it is not of s. The stem
// itself is number 1.
func (s series) number(u *url.URL) (int, string, bool) {
	if plain(u) == s.stem {
		return 1, s.form, true
	}
	for _, n := range read(u) {
		if n.stem == s.stem && (s.form == "" || n.form == s.form) {
			return n.number, n.form, true
		}
	}
	return 0, "", false
}
