package extractor

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"xinwen/extractor/dom"
	"xinwen/news"
)

// blockPage matches what a server says instead of the article: checks for
// robots, walls, and errors sent with status 200.
var blockPage = []struct {
	re           *regexp.Regexp
	reason, hint string
}{
	{
		regexp.MustCompile(`(?i)just a moment\.\.\.|attention required! \| cloudflare|checking your browser|verify (?:that )?you are (?:a )?human|are you a robot|unusual traffic|captcha|enable javascript and cookies|ddos protection|请完成(?:安全)?验证|安全验证|访问验证|人机验证|滑动验证|验证码|访问过于频繁|您的访问.{0,10}异常|環境異常|环境异常|robot check|pardon our interruption`),
		"block page", "the site takes the crawler for a robot; slow down, or ask the publisher for a feed",
	},
	{
		regexp.MustCompile(`(?i)^\W*(?:403|401)\b|access denied|403 forbidden|拒绝访问|禁止访问|没有权限`),
		"access denied", "the site refuses the crawler; check its terms and robots.txt",
	},
	{
		regexp.MustCompile(`(?i)^\W*(?:404|410)\b|page (?:not found|doesn.?t exist|no longer available)|\bnot found\W*$|页面不存在|頁面不存在|找不到(?:该|您|此)?.{0,6}(?:页|頁|文章)|(?:页面|頁面|文章|内容|內容|帖子|新闻|新聞|信息).{0,8}已(?:经)?(?:被)?(?:删除|刪除|下线|移除)|内容不存在|文章不存在|您访问的页面`),
		"missing page sent as a success", "the address is gone; the source should answer 404",
	},
	{
		regexp.MustCompile(`(?i)please (?:enable|turn on) javascript|javascript is (?:disabled|required)|requires javascript|请(?:开启|启用).{0,4}javascript|需要启用javascript`),
		"page needs scripts", "the page builds its text with scripts, which are not run; use the source's feed if it has full text",
	},
}

// blocked returns an error if the page is no article but a wall or an error:
// short, and saying so in its title or first lines.
func blocked(a *news.Article, d *dom.Document) error {
	if utf8.RuneCountInString(a.Text) > 400 {
		return nil
	}
	var all strings.Builder
	all.WriteString(a.Title)
	total := 0.0
	for i := range d.Blocks {
		if b := &d.Blocks[i]; !b.Hidden {
			total += b.Units
			if all.Len() < 2000 {
				all.WriteByte('\n')
				all.WriteString(b.Text)
			}
		}
	}
	// A page with much text around a short article is a page of a site, not a
	// wall; its title still tells an error.
	said := all.String()
	if total > 600 {
		said = a.Title
	}
	for _, p := range blockPage {
		if m := p.re.FindString(said); m != "" {
			if total > 600 && utf8.RuneCountInString(a.Title) > 20 {
				continue
			}
			return &Error{Reason: p.reason, Detail: clip(oneLine(m), 60), hint: p.hint}
		}
	}
	return nil
}
