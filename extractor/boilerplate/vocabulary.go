package boilerplate

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
)

// cue is what the name of an element says of its content.
type cue uint8

const (
	cueArticle cue = 1 << iota // the article, or its text
	cueKnown                   // a container known from a site or content system
	cueChrome                  // navigation, footer, side column, tools
	cueAside                   // related articles, rankings, comments, sharing, advertisements
)

// known are the ids and classes under which sites and content systems keep the
// text of an article, in lower case.
var known = words(`
	endtext post_body artibody articlecontent article_content article-content artical_content js_content rich_media_content rwb_zw
	trs_editor trs_uediter trs_editor_content zoom zoomcon ucap-content pages_content ozoom cnblogs_post_body story_body_content
	storybody storytext article-content__editor article_body articlebody articletext article-body article__body article-text
	main-content-article content_area cont_1_1_2 left_zw newstext news_txt index_cententwrap newscontent news-content news_content
	main_content_news article-detail-bd contentnews content-article text_con art_contextbox articlebody_content paragraph_content
	main_detail detail-content entry-content post-content story-content caas-body single-content td-post-content newsdetail
	art_content tw_article_content whitecon archive_content_text shtml_content article-holder rich-text-content
	story_art_content newsarticle whole_text zw_body the_content articlecont article_cont articlecon`)

// namesArticle, namesChrome and namesAside are words in ids and classes.
var (
	namesArticle = words(`article content body text main post entry story detail artical zw txt con cont paragraph news neirong
		zhengwen wenzhang blogpost hentry`)
	namesChrome = words(`nav navbar navigation menu topnav subnav breadcrumb breadcrumbs crumb crumbs bread footer foot ft sidebar sidenav
		aside rail masthead toolbar toolbox pager pagination paging page_nav pagebar login signin signup register cookie
		cookies gdpr consent modal popup lightbox overlay tooltip dropdown skip search searchbar weather subscribe subscription newsletter
		paywall copyright icp friendlink links daohang banner topbar header_nav drawer offcanvas sitemap legal disclaimer mianze
		statement qrcode erweima ewm appdown download_app byline dateline meta`)
	namesAside = words(`comment comments commentlist cmt cmnt pinglun disqus respond reply replies gentie tie huifu related relates relate relation
		relative recommend recommended recommendation recommendations recom tuijian xiangguan more-news morenews readmore read-more
		also seealso hot hots hotnews rank ranking ranks paihang top10 toplist popular trending mostread most-read
		latest share sharing social sns bshare jiathis bdsharebuttonbox addthis sharethis share-bar
		ad ads adv advert advertisement advertising adsense adbox gg guanggao sponsor sponsored promo promos promotion promoted outbrain taboola
		tag tags taglist keyword keywords biaoqian author-bio authorbox author-info about-author widget widgets
		teaser teasers carousel slider gallery-nav vote votes toupiao dianzan prevnext prev next pre-next neighbor upnext
		infobox-nav cta signup-form donate newsletter-signup`)
)

func words(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// cueOf reads the tag, id, class and role of an element.
func cueOf(n *html.Node) cue {
	var c cue
	switch n.DataAtom {
	case atom.Nav, atom.Footer, atom.Aside, atom.Dialog:
		c |= cueChrome
	case atom.Article, atom.Main:
		c |= cueArticle
	case atom.Html, atom.Body:
		return 0
	}
	for i := range n.Attr {
		a := &n.Attr[i]
		switch a.Key {
		case "class", "id":
			for name := range strings.FieldsSeq(strings.ToLower(a.Val)) {
				if known[name] {
					c |= cueKnown | cueArticle
				}
			}
			for w := range nameParts(a.Val) {
				switch {
				case namesAside[w]:
					c |= cueAside
				case namesChrome[w]:
					c |= cueChrome
				case namesArticle[w]:
					c |= cueArticle
				}
			}
		case "role":
			switch a.Val {
			case "navigation", "contentinfo", "complementary", "banner", "search", "dialog", "menu", "menubar", "tablist", "toolbar":
				c |= cueChrome
			case "main", "article":
				c |= cueArticle
			}
		case "itemprop":
			if strings.EqualFold(a.Val, "articleBody") {
				c |= cueKnown | cueArticle
			}
		case "aria-hidden":
			if a.Val == "true" && n.DataAtom != atom.I {
				c |= cueChrome
			}
		}
	}
	return c
}

// nameParts cuts ids and classes into words: relatedNews-list gives related,
// news, list and relatednews.
func nameParts(s string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range strings.FieldsSeq(s) {
			start, parts := 0, 0
			for i := 1; i <= len(name); i++ {
				if i < len(name) {
					c, p := rune(name[i]), rune(name[i-1])
					cut := !alnum(c) || !alnum(p) || unicode.IsUpper(c) && !unicode.IsUpper(p) || unicode.IsDigit(c) != unicode.IsDigit(p)
					if !cut {
						continue
					}
				}
				if w := name[start:i]; alnum(rune(w[0])) {
					parts++
					if !yield(strings.ToLower(w)) {
						return
					}
				}
				start = i
			}
			if parts > 1 && !yield(strings.ToLower(name)) {
				return
			}
		}
	}
}

func alnum(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// ender matches a short block that begins what is no longer the article:
// related articles, comments, rankings, sharing.
var ender = regexp.MustCompile(`(?i)^[\s【\[（(〔<>＞》▲▼■●◆★|｜※·•:：-]*(?:` +
	`(?:相关|相關|延伸|推荐|推薦|更多|热门|熱門|精彩|猜你|为您|為您|为你|為你|您可能|你可能|大家都在|编辑精选|編輯精選|最新|今日|本周|本週|往期|上一篇|下一篇|点击排行|热点)` +
	`(?:的|阅读|閱讀|新闻|新聞|报道|報導|報道|文章|推荐|推薦|资讯|資訊|内容|內容|链接|連結|鏈接|专题|專題|专区|导读|链接|关键词|產品|产品|喜欢|喜歡|感兴趣|在看|回顾|精彩|热点|要闻|消息|图片|话题|：|:)` +
	`|热点排行|熱門排行|点击排行|排行榜|阅读排行|24小时|48小时|相关推荐|技术专区|技術專區|网友评论|網友評論|网友跟贴|跟贴|评论\s*[(（\d]|发表评论|發表評論|我要评论|评论区|留言板|參與討論|登录后` +
	`|分享到|分享至|一键分享|扫一扫|掃一掃|扫码|掃碼|打开微信|长按|長按|关注我们|關注我們|免责声明|免責聲明|版权声明|版權聲明|特别声明|郑重声明|声明[：:]|相关标签|标签[：:]|標籤[：:]|关键词[：:]|关键字[：:]|關鍵字[：:]|TAGS?[：:]` +
	`|related (?:articles?|stories|posts?|news|content|topics|reading|links)|more (?:from|on|in|stories|news|articles)\b|read (?:more|next|also)\b|recommended|you (?:may|might) (?:also|like)|most (?:read|popular|viewed)|trending|popular (?:posts|stories|articles)|latest (?:news|stories|posts|articles|from)|see also|up next|editor'?s'? picks|top stories|don'?t miss|further reading` +
	`|comments?\s*(?:\(?\d+\)?)?$|\d+ (?:comments?|responses?|replies|thoughts?)\b|leave a (?:reply|comment)|post a comment|join the (?:conversation|discussion)|share this|share on|follow us|sign up (?:for|to)|subscribe (?:to|now)|about the author|filed under|tagged|topics?:|tags:|advertisement$|sponsored|previous (?:post|article)|next (?:post|article)` +
	`)`)

// strayLine matches lines of an article's frame that hold no news wherever they
// stand.
var strayLine = regexp.MustCompile(`(?i)^(?:[\s【\[（(]*(?:责任编辑|責任編輯|责编|責編|编辑|編輯|审核|校对|监制)[：:\s].{0,24}|(?:收藏|分享|打印|列印|点赞|點讚|举报|字号|字體|大\s*中\s*小|复制链接|返回顶部|关闭窗口|我要纠错|阅读全文|查看原文|展开全文|网站首页|广告|廣告)` +
	`(?:[\s|｜/、]*(?:收藏|分享|打印|列印|关闭|中|小|本页|窗口|此页|推荐|举报))*` +
	`|advertisement|ad|share|tweet|email|print|save|copy link|listen|click to (?:share|print|email).*|image (?:source|credit|copyright).*|loading\.*|story continues below.*|article continues below.*|continue reading.*|read full article|skip to (?:main )?content|follow|like|reply|report|photo(?: by)?:? .{0,60}|getty images|©.{0,80}|(?:all )?rights reserved\.?|copyright\b.{0,120})[】\]）)\s]*$`)

func short(b *dom.Block, units float64) bool { return b.Units <= units }
