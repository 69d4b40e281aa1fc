package simweb

import (
	"strings"

	"golang.org/x/net/html"
)

// htmlText returns all text of a page, inline elements joined as they stand.
func htmlText(page string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.Write(z.Text())
		}
	}
}
