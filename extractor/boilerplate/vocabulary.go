package boilerplate

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"xinwen/extractor/pattern"
)

// cue is what the name of an element says of its content.
type cue uint16

const (
	cueArticle  cue = 1 << iota // the article, or its text
	cueKnown                    // a container known from a site or content system
	cueChrome                   // navigation, footer, side column, tools
	cueAside                    // related articles, rankings, comments, sharing, advertisements
	cueConsent                  // notices on cookies and privacy
	cueCaption                  // what is under a picture
	cueItemprop                 // itemprop=articleBody
	cueDeck                     // what introduces the article under its title
	cueCard                     // one of many alike: cards, teasers, items of a list
)

// namesArticle and the like are words in ids and classes.
var (
	namesArticle = words(`article content body text main post entry story detail artical zw txt con cont paragraph news neirong
		zhengwen wenzhang blogpost hentry`)
	namesChrome = words(`nav navbar navigation menu topnav subnav breadcrumb breadcrumbs crumb crumbs bread footer foot ft sidebar sidenav
		aside masthead toolbar toolbox pager pagination paging page_nav pagebar login signin signup register
		modal popup lightbox overlay tooltip dropdown search searchbar subscribe subscription newsletter
		copyright icp friendlink links daohang banner topbar header_nav offcanvas sitemap disclaimer mianze
		qrcode erweima ewm appdown download_app byline dateline`)
	namesAside = words(`comment comments commentlist cmt cmnt pinglun disqus respond reply replies gentie tie huifu related
		recommend recommended recommendation recommendations recom tuijian xiangguan more-news morenews readmore read-more
		seealso hotnews hotlist paihang top10 toplist popular trending mostread most-read
		latest share sharing social sns bshare jiathis bdsharebuttonbox addthis sharethis share-bar
		ad ads adv advert advertisement advertising adsense adbox gg guanggao sponsor sponsored promo promotion outbrain taboola
		tag tags taglist keyword keywords biaoqian author-bio authorbox author-info about-author
		carousel gallery-nav toupiao dianzan prevnext pre-next upnext
		infobox-nav signup-form newsletter-signup`)
	namesDeck = words(`deck dek standfirst summary subtitle subtitles subhead subheading subheadline excerpt lead lede leadin intro introduction abstract
		kicker strapline description blurb daodu zhaiyao daoyu shoulder jianjie`)
	namesCard = words(`card cards teaser teasers tile tiles thumb thumbs thumbnail thumbnails item items grid listing widget widgets block-list
		slide slides slider swiper loop feed digest`)
	namesCaption = words(`caption captions figcaption imagecaption photocaption wp-caption-text credit credits image-credit photo-credit imgcredit`)
	namesConsent = words(`cookie cookies gdpr consent ccpa onetrust didomi cookiebot cookieconsent truste qc-cmp`)
)

func words(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// cueOfName reads an id or class.
func cueOfName(s string) cue {
	var c cue
	for w := range nameParts(s) {
		c |= cueOfWord[w]
	}
	return c
}

// cueOfWord has all of the words above. Of those that say what an element is, the
// last list that has a word decides.
var cueOfWord = func() map[string]cue {
	all := make(map[string]cue)
	for _, l := range [...]struct {
		words map[string]bool
		is    cue
	}{{namesArticle, cueArticle}, {namesChrome, cueChrome}, {namesAside, cueAside}, {namesCaption, cueCaption}, {namesConsent, cueConsent}} {
		for w := range l.words {
			all[w] = l.is
		}
	}
	for w := range namesDeck {
		all[w] |= cueDeck
	}
	for w := range namesCard {
		all[w] |= cueCard
	}
	return all
}()

// cueOf reads the tag, id, class and role of an element. known are the names that
// were read before.
func cueOf(n *html.Node, known map[string]cue) cue {
	var c cue
	switch n.DataAtom {
	case atom.Nav, atom.Footer, atom.Aside, atom.Dialog:
		c |= cueChrome
	case atom.Article, atom.Main:
		c |= cueArticle
	case atom.Figcaption:
		c |= cueCaption
	case atom.Html, atom.Body:
		return 0
	}
	for i := range n.Attr {
		a := &n.Attr[i]
		switch a.Key {
		case "class", "id":
			named, ok := known[a.Val]
			if !ok {
				named = cueOfName(a.Val)
				known[a.Val] = named
			}
			c |= named
		case "role":
			switch a.Val {
			case "navigation", "contentinfo", "complementary", "banner", "search", "dialog", "menu", "menubar", "tablist", "toolbar":
				c |= cueChrome
			case "main", "article":
				c |= cueArticle
			}
		case "itemprop":
			if strings.EqualFold(a.Val, "articleBody") {
				c |= cueItemprop
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
// news, list and relatednews. Words of up to three letters count only between
// marks, since generated names are full of them.
func nameParts(s string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range strings.FieldsSeq(s) {
			parts := 0
			for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return !alnum(r) }) {
				parts++
				if !yield(strings.ToLower(part)) {
					return
				}
				start := 0
				for i := 1; i <= len(part); i++ {
					if i < len(part) && !turns(part[i-1], part[i]) {
						continue
					}
					if i-start > 3 && i-start < len(part) && !yield(strings.ToLower(part[start:i])) {
						return
					}
					start = i
				}
			}
			if parts > 1 && !yield(strings.ToLower(name)) {
				return
			}
		}
	}
}

// turns reports whether a word ends between two characters of a name.
func turns(a, b byte) bool {
	upper := func(c byte) bool { return 'A' <= c && c <= 'Z' }
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	return upper(b) && !upper(a) || digit(a) != digit(b)
}

func alnum(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// ender matches a short block that begins what is no longer the article:
// related articles, comments, rankings, sharing.
var ender = pattern.MustCompile(`(?i)^[\s【\[（(〔<>＞》▲▼■●◆★|｜※·•:：-]*(?:` +
	`(?:相关|相關|延伸|推荐|推薦|更多|热门|熱門|精彩|猜你|为您|為您|为你|為你|您可能|你可能|大家都在|编辑精选|編輯精選|最新|滚动|滾動|今日|本周|本週|往期|上一篇|下一篇|点击排行|热点)` +
	`(?:的|阅读|閱讀|快讯|快訊|新闻|新聞|报道|報導|報道|文章|推荐|推薦|资讯|資訊|内容|內容|链接|連結|鏈接|专题|專題|专区|导读|链接|关键词|產品|产品|喜欢|喜歡|感兴趣|在看|回顾|精彩|热点|要闻|消息|图片|话题|：|:)` +
	`|热点排行|熱門排行|点击排行|排行榜|阅读排行|24小时|48小时|相关推荐|技术专区|技術專區|(?:最新|网友|網友|全部|热门)?(?:评论|評論|留言|回复|回應)(?:区|區|列表)?\s*[:：]?$|网友评论|網友評論|网友跟贴|跟贴|评论\s*[(（\d]|发表评论|發表評論|我要评论|我要評論|我要留言|评论区|留言板|(?:留言|评论|評論|发言|發言)(?:规则|規則|须知|須知|守则|守則)|发表意见|發表意見|(?:服務|服务|使用|会员|會員)(?:條款|条款)\s*$|(?:隐私|隱私)(?:权|權)?政策\s*$|參與討論|登录后` +
	`|分享到|分享至|一键分享|扫一扫|掃一掃|扫码|掃碼|打开微信|长按|長按|关注我们|關注我們|免责声明|免責聲明|版权声明|版權聲明|特别声明|郑重声明|声明[：:]|相关标签|标签[：:]|標籤[：:]|关键词[：:]|关键字[：:]|關鍵字[：:]|TAGS?[：:]` +
	`|more [\p{L}&.]{3,20}$|related (?:articles?|stories|posts?|news|content|topics|reading|links)|more (?:from|on|in|stories|news|articles)\b|read (?:more|next|also)\b|recommended|you (?:may|might) (?:also|like)|most (?:read|popular|viewed)|trending|popular (?:posts|stories|articles)|latest (?:news|stories|posts|articles|from)|see also|up next|editor'?s'? picks|top stories|don'?t miss|further reading` +
	`|comments?\s*(?:\(?\d+\)?)?$|(?:comments? (?:policy|rules)|community guidelines|terms of (?:use|service)|privacy policy)\s*$|\d+ (?:comments?|responses?|replies|thoughts?)\b|leave a (?:reply|comment)|post a comment|join the (?:conversation|discussion)|share this|share on|follow us|sign up (?:for|to)|subscribe (?:to|now)|about the author|filed under|tagged|topics?:|tags:|advertisement$|sponsored|previous (?:post|article)|next (?:post|article)` +
	`)`)

// listHead matches a heading that announces other articles, or the rules of a
// site, and nothing else.
var listHead = pattern.MustCompile(`(?i)^(?:comments? (?:policy|rules)|community guidelines|terms of (?:use|service)|privacy policy)$|^(?:留言|评论|評論|发言|發言)(?:规则|規則|须知|須知|守则|守則)$|^(?:发表|發表)(?:意见|意見|评论|評論)$|^(?:相关|相關|延伸|推荐|推薦|更多|热门|熱門|最新|滚动|滾動|24小时|精彩|大家都在看的?|其他|其它)(?:阅读|閱讀|快讯|快訊|新闻|新聞|报道|報導|報道|文章|推荐|推薦|资讯|資訊|消息|排行)?\s*[:：]?$`)

// unfolds matches a control that shows the rest of a text.
var unfolds = pattern.MustCompile(`(?i)^\s*(?:点击|點擊)?(?:展开|展開|阅读|閱讀|查看|显示|顯示)\s*(?:全文|全部|剩余|剩餘|余下|餘下|更多)(?:内容|內容)?\s*\S?\s*$|^\s*(?:read|show|view) (?:more|full (?:article|story|text)|the (?:rest|full (?:article|story)))\W*$|^continue reading\W*$`)

// byLine matches a line with nothing but who wrote the article.
var byLine = pattern.MustCompile(`^By (?:\p{Lu}[\p{L}.'’-]+(?:\s+|,\s+|\s+and\s+|$)){2,6}$`)

// pagerLine matches the links to the other pages of an article.
const pagerLine = `(?:\s|[\[<«‹(|]|\d{1,2}[\])\s])*(?:(?:首|上一|前一|下一|后一|後一|末|尾)[页頁]|[共第]\s*\d+\s*[页頁]|(?:prev(?:ious)?|next) page)(?:[\s>»›|\])\[<«‹(]|(?:首|上一|前一|下一|后一|後一|末|尾)[页頁]|[共第]\s*\d+\s*[页頁]|\d{1,2}|\.{2,3}|…)*`

// strayLine matches lines of an article's frame that hold no news wherever they
// stand, strayInside those that are known by words inside them.
var (
	strayLine = pattern.MustCompile(`(?i)^(?:[\s【\[（(]*(?:责任编辑|責任編輯|责编|責編|编辑|編輯|审核|校对|监制)[：:\s].{0,24}|(?:发布|发表|更新|發佈|發布)?(?:时间|日期|時間)[：:]\s*\d{4}.{0,80}|(?:文章|稿件|信息)?(?:来源|來源)[：:].{1,24}|作者[：:].{1,24}|(?:收藏|分享|打印|列印|点赞|點讚|举报|字号|字體|大\s*中\s*小|复制链接|返回顶部|关闭窗口|我要纠错|阅读全文|查看原文|展开全文|网站首页|广告|廣告)` +
		`(?:[\s|｜/、]*(?:收藏|分享|打印|列印|关闭|中|小|本页|窗口|此页|推荐|举报))*` +
		`|(?:点击|點擊)?(?:上方|下方|右上角|文末|阅读原文|上面)?(?:蓝字|藍字|名片|二维码|二維碼|卡片).{0,20}|advertisement|ad|share|tweet|email|print|save|copy link|listen|click to (?:share|print|email).*|image (?:source|credit|copyright).*|loading\.*|story continues below.*|article continues below.*|continue reading.*|read full article|skip to (?:main )?content|follow|like|reply|report|photo(?: by)?:? .{0,60}|getty images|©.{0,80}|(?:all )?rights reserved\.?|copyright\b.{0,120}|(?:last )?(?:updated|published|posted|modified)\b:?\s.{0,90}\d.{0,40}|image caption .*|(?:image|photo|picture|video|credit)s?:.{0,160}|(?:like|love|enjoy(?:ed)?) this (?:story|article|post).*|have a tip\?.*|toggle caption|our standards:.*|(?:sign up|subscribe|follow us|get the latest|get our|want more|click here|chat with us|download (?:the|our)|listen to|watch (?:the|our)) .{0,140}(?:newsletter|inbox|here|app|updates|messenger|podcasts?|youtube|twitter|facebook|instagram)\b.{0,80}|this slideshow requires javascript\.?|support .{0,60}(?:readers|journalism|independent).{0,60})[】\]）)\s]*$`)
	strayInside = pattern.MustCompile(`(?i)^(?:` + pagerLine + `|(?:19|20)\d\d\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}日?\s+\d{1,2}[:：]\d{2}(?:[:：]\d{2})?[\s|｜]*[\p{L}\s|｜:：]{0,20}|.{0,6}(?:打开|打開|下载|下載|进入|進入).{0,8}(?:应用|應用|客户端|APP)[，,\s]?.{0,24}|.{0,16}(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?.{0,20}(?:来源|來源)[：:].{1,24}|.{0,40}(?:版权所有|版權所有|举报电话|舉報電話|举报邮箱|客服电话|联系我们：).{0,100}|.{0,30}(?:许可证|備案|备案).{0,3}号.{0,60}|.{0,20}ICP[备證证].{0,60}|.{0,12}(?:关注|關注)(?:我们|我們|公众号|公眾號|本号).{0,8})[】\]）)\s]*$`)
	// What no line can match that has none of these words, or begins with none of
	// these. Looking for them is much faster.
	strayWords = finder(`版权所有 版權所有 举报电话 舉報電話 举报邮箱 客服电话 联系我们 许可证 備案 备案 打开 打開 下载 下載 进入 進入 ICP icp Icp 来源： 來源： 来源: 來源: 关注 關注 页 頁 page Page PAGE`)
	strayFirst = words(`advertisement ad share tweet email print save copy listen click image loading story article continue read skip follow like reply report
		photo photos getty all rights copyright last updated published posted modified picture pictures video videos credit credits images love enjoy enjoyed have toggle sign
		subscribe get want chat download watch this support our`)
)

const strayHan = "责責编編审校监发發更时時日文稿信来來作收分打列点點举字大复返关我阅查展网广廣上下右蓝藍名二卡"

// strayBegins reports whether a line begins as strayLine demands.
func strayBegins(s string) bool {
	s = strings.TrimLeft(s, " \t【[（(")
	r, _ := utf8.DecodeRuneInString(s)
	if r >= utf8.RuneSelf {
		return r == '©' || strings.ContainsRune(strayHan, r)
	}
	end := 0
	for end < len(s) && ('a' <= s[end] && s[end] <= 'z' || 'A' <= s[end] && s[end] <= 'Z') {
		end++
	}
	return end > 0 && end < 14 && strayFirst[strings.ToLower(s[:end])]
}

// disclaimer matches a paragraph on rights and liability.
var disclaimer = pattern.MustCompile(`^[\s【\[（(*※]*(?:免责|免責|版权|版權|平台|特别|郑重|鄭重|风险|本站|本网)?(?:声明|聲明)[：:】\]]|^[\s【\[（(*※]*(?:免责声明|免責聲明|版权声明|版權聲明|风险提示)|(?:观点|觀點)(?:仅|僅|只)?代表(?:作者|其)(?:本人|个人|個人)|不构成(?:任何)?投资建议|(?:如有|如)侵权|未经(?:授权|许可|书面)|信息存储空间服务|^Notice: The content above`)

// disclaimerWords are words of which each disclaimer has one.
var disclaimerWords = finder(`声明 聲明 风险提示 代表作者 代表其 投资建议 侵权 未经 信息存储 Notice:`)

// creditEnd matches the last bracket of a caption: (Image: GETTY), [File: Reuters].
var creditEnd = pattern.MustCompile(`(?i)^(?:image|photo|picture|credit|source|file|via)s?(?: by| credit)?\s*[:/]|reuters|getty(?: images)?|\bafp\b|ap photo|/ap$`)

// captioned reports whether s ends in the credit of a picture.
func captioned(s string) bool {
	if len(s) > 500 || s == "" {
		return false
	}
	last := s[len(s)-1]
	if last != ')' && last != ']' {
		return false
	}
	i := strings.LastIndexAny(s[:len(s)-1], "([")
	return i > 3 && len(s)-i < 80 && creditEnd.MatchString(s[i+1:len(s)-1])
}

// stray reports whether a line is one of the page's frame, wherever it stands.
func stray(s string) bool {
	if len(s) < 700 && len(s) > 0 && (strayBegins(s) && strayLine.MatchString(s) || (s[0] == '1' || s[0] == '2' || strayWords.in(s)) && strayInside.MatchString(s)) {
		return true
	}
	return captioned(s) || strings.HasPrefix(s, "By ") && len(s) < 120 && byLine.MatchString(s)
}

// wordIndex holds words by their first byte.
type wordIndex [256][]string

// finder returns an index of words that stand between white space.
func finder(s string) *wordIndex {
	var x wordIndex
	for w := range strings.FieldsSeq(s) {
		x[w[0]] = append(x[w[0]], w)
	}
	return &x
}

// at returns the word that s[i:] begins with, "" if it is none.
func (x *wordIndex) at(s string, i int) string {
	for _, w := range x[s[i]] {
		if strings.HasPrefix(s[i:], w) {
			return w
		}
	}
	return ""
}

// in reports whether s has one of the words.
func (x *wordIndex) in(s string) bool {
	for i := range len(s) {
		if x.at(s, i) != "" {
			return true
		}
	}
	return false
}

// appeals are words of lines that want the reader to do something, and of
// notices; _ stands for a space.
var appeals = func() *wordIndex {
	var x wordIndex
	for w := range strings.FieldsSeq(`newsletter subscri sign_up sign_in log_in login follow_us follow_me follow_@ click_here advertis cookie privacy terms_of rights_reserved copyright © email e-mail contact_us share_this share_on comment download read_more find_out learn_more join_ donat support_us support_our 关注 關注 扫码 掃碼 二维码 点击 點擊 订阅 訂閱 下载 下載 投稿 公众号 微信 客户端 转载 轉載 版权 版權 侵权 联系 聯繫 会员 登录 注册 分享 收藏 热线`) {
		w = strings.ReplaceAll(w, "_", " ")
		x[w[0]] = append(x[w[0]], w)
	}
	return &x
}()

// countAppeals returns how many appeals s has, up to 4.
func countAppeals(s string) int {
	s = strings.ToLower(s)
	n := 0
	for i := 0; i < len(s); i++ {
		if w := appeals.at(s, i); w != "" {
			if n++; n == 4 {
				return n
			}
			i += len(w) - 1
		}
	}
	return n
}

// said are the answers of the vocabulary on one block: for each question a bit
// that it was asked and one that the answer is yes.
type said uint8

const (
	askedEnds said = 1 << iota
	saidEnds
	askedStrays
	saidStrays
	askedDisclaims
	saidDisclaims
)

func (p *page) ask(i int, asked, yes said, answer func(string) bool) bool {
	if p.said[i]&asked == 0 {
		p.said[i] |= asked
		if answer(p.doc.Blocks[i].Text) {
			p.said[i] |= yes
		}
	}
	return p.said[i]&yes != 0
}

// ends reports whether block i begins what is no longer the article.
func (p *page) ends(i int) bool { return p.ask(i, askedEnds, saidEnds, ender.MatchString) }

// strays reports whether block i is a line of the page's frame.
func (p *page) strays(i int) bool { return p.ask(i, askedStrays, saidStrays, stray) }

// disclaims reports whether block i is on rights and liability.
func (p *page) disclaims(i int) bool {
	return p.ask(i, askedDisclaims, saidDisclaims, func(s string) bool { return len(s) < 1200 && disclaimerWords.in(s) && disclaimer.MatchString(s) })
}
