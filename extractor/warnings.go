package extractor

import (
	"fmt"
	"strings"

	"xinwen/extractor/dom"
	"xinwen/news"
	"xinwen/news/charset"
)

// warnings collects what is doubtful, as "code: sentence".
type warnings []string

func (w *warnings) add(code, format string, args ...any) {
	*w = append(*w, code+": "+fmt.Sprintf(format, args...))
}

// doubts adds what is doubtful about a finished article.
func (w *warnings) doubts(a *news.Article, d *dom.Document, enc charset.Result, declared string) {
	if enc.Lied() {
		w.add("charset-mismatch", "the page says %s but is %s", enc.Label, enc.Name)
	}
	if enc.Replaced > 0 {
		w.add("charset-damaged", "%d characters could not be decoded", enc.Replaced)
	}
	if d.Truncated {
		w.add("truncated", "the page is longer than pages of news are: only its beginning was read")
	}
	if d.Rebuilt {
		w.add("malformed", "the page is nested too deeply for HTML and was read without its stray tags")
	}
	if a.Published.IsZero() {
		w.add("date-unknown", "the page does not say when it was published")
	}
	if n := len(a.Gaps); n > 0 {
		w.add("lost-link-text", "%d places where the text of a link seems to be missing, the first at character %d", n, a.Gaps[0])
	}
	if n := converted(a); n > 0 {
		w.add("converted-script", "%d characters show that this Traditional Chinese was converted from Simplified by a machine", n)
	}
}

// simplifiedOnly are words that a conversion by characters leaves in the
// Simplified form, since each character is Traditional too.
var simplifiedOnly = []string{"之后", "以后", "最后", "然后", "后來", "背后", "今后", "随后", "隨后", "后續", "哪里", "這里", "那里", "心里", "由于", "对于", "對于", "關于", "至于", "屬于", "基于", "在于", "位于", "處于", "用于", "并且", "并非", "并沒", "系統、", "余額", "其余", "准備", "批准后", "干預", "才能干", "只有余", "几乎", "茶几"}

// converted counts the traces of machine conversion in Traditional text; below
// three they are slips of a writer.
func converted(a *news.Article) int {
	if a.Script != news.ScriptHant && a.Script != news.ScriptMixed {
		return 0
	}
	n := 0
	for _, w := range simplifiedOnly {
		n += strings.Count(a.Text, w)
	}
	if n < 3 {
		return 0
	}
	return n
}
