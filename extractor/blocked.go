package extractor

import (
	"strings"
	"unicode/utf8"

	"xinwen/extractor/dom"
	"xinwen/extractor/pattern"
	"xinwen/news"
)

// blockPage matches what a server says instead of the article: checks for
// robots, walls, and errors sent with status 200.
var blockPage = []struct {
	re           *pattern.Pattern
	reason, hint string
}{
	{
		pattern.MustCompile(`(?i)just a moment\.\.\.|attention required! \| cloudflare|checking your browser|verify (?:that )?you are (?:a )?human|are you a robot|unusual traffic|captcha|enable javascript and cookies|ddos protection|请完成(?:安全)?验证|安全验证|访问验证|人机验证|滑动验证|验证码|访问过于频繁|您的访问.{0,10}异常|環境異常|环境异常|robot check|pardon our interruption`),
		"block page", "the site takes the crawler for a robot; slow down, or ask the publisher for a feed",
	},
	{
		pattern.MustCompile(`(?i)^[^\pL\pN]*(?:403|401)\b|access denied|403 forbidden|拒绝访问|禁止访问|没有权限`),
		"access denied", "the site refuses the crawler; check its terms and robots.txt",
	},
	{
		pattern.MustCompile(`(?i)^[^\pL\pN]*(?:404|410)\b|page (?:not found|doesn.?t exist|no longer available)|\bnot found[^\pL\pN]*$|页面不存在|頁面不存在|找不到(?:该|您|此)?.{0,6}(?:页|頁|文章)|(?:页面|頁面|文章|内容|內容|帖子|新闻|新聞|信息).{0,8}已(?:经)?(?:被)?(?:删除|刪除|下线|移除)|内容不存在|文章不存在|您访问的页面`),
		"missing page sent as a success", "the address is gone; the source should answer 404",
	},
	{
		pattern.MustCompile(`(?i)please (?:enable|turn on) javascript|javascript is (?:disabled|required)|requires javascript|请(?:开启|启用).{0,4}javascript|需要启用javascript`),
		"page needs scripts", "the page builds its text with scripts, which are not run; use the source's feed if it has full text",
	},
}

// blocked returns an error if the page is no article but a wall or an error:
// short, without a date, and saying so in its title, first lines or text.
func blocked(a *news.Article, d *dom.Document) error {
	size := utf8.RuneCountInString(a.Text)
	if size > 400 || size > 40 && a.PublishedConfidence >= 0.5 {
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
	// wall; its title still tells an error, or what there is of a text.
	said := []string{all.String()}
	if total > 600 {
		said = said[:0]
		if utf8.RuneCountInString(a.Title) <= 20 {
			said = append(said, a.Title)
		}
		if size <= 120 {
			said = append(said, a.Text)
		}
	}
	for _, p := range blockPage {
		for _, s := range said {
			m := p.re.FindString(s)
			if m == "" {
				continue
			}
			return &Error{Reason: p.reason, Detail: clip(oneLine(m), 60), hint: p.hint}
		}
	}
	return nil
}

// paywall matches what a page says where it shows only the beginning of an
// article.
var paywall = pattern.MustCompile(`(?i)付费(?:阅读|后|内容|文章)|付費(?:閱讀|後|內容|文章)|(?:会员|會員|订户|訂戶)(?:专享|專享|可读|可讀|限定|专属|專屬)|(?:成为|成為|开通|開通|加入|升级|升級)(?:会员|會員|VIP|订户|訂戶).{0,16}(?:阅读|閱讀|全文|完整|内容|內容)|(?:订阅|訂閱|登录|登入|登錄|注册|註冊|购买|購買)(?:后|後|即可|以|并|並|，|,).{0,8}(?:阅读|閱讀|查看|全文|完整)|(?:剩余|剩餘|还有|還有|余下|餘下)\s*\d{1,3}\s*%|解锁全文|解鎖全文` +
	`|subscribe (?:now )?to (?:continue|read|keep reading|unlock)|(?:for|to) subscribers only|subscriber[- ]only|(?:sign|log) ?(?:in|up) to (?:read|continue|keep reading|unlock)|to (?:continue|keep) reading|create (?:a |your )?free account to|register (?:for free )?to (?:continue|read)|already a subscriber|(?:article|story|content) is (?:reserved|available|exclusive|only available) .{0,20}(?:subscriber|member)s?|unlock this (?:article|story)`)

const (
	// stub is the length of a text, in code points, up to which what a paywall
	// leaves is no article.
	stub = 80
	// beginning is the length up to which a text may be only the beginning of one.
	beginning = 2500
	// wallNear is how many blocks after the text a paywall stands.
	wallNear = 8
)

// paywalled reports whether a paywall stands in or right after the text.
func paywalled(d *dom.Document, blocks []int) bool {
	if len(blocks) == 0 {
		return false
	}
	first, last := blocks[0], blocks[len(blocks)-1]
	for i := first; i < min(len(d.Blocks), last+wallNear); i++ {
		if b := &d.Blocks[i]; b.Units < 60 && (i >= last-1 || b.Control) && paywall.MatchString(b.Text) {
			return true
		}
	}
	return false
}
