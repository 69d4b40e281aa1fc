package boilerplate

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
	"xinwen/extractor/pattern"
)

// Picture is a picture that belongs to the article.
type Picture struct {
	// Image is its index in the document's images, Caption the block under it, -1
	// if there is none.
	Image, Caption int
}

// noPicture matches addresses and names of pictures that are no part of any
// article.
var noPicture = pattern.MustCompile(`(?i)(?:^|[/_.-])(?:icons?|ico|logo|avatar|headimg|face|qr|qrcode|ewm|erweima|weixin|wechat|sprite|blank|pixel|loading|spacer|1x1|share|button|btn|emoji|smilies|arrow|ads?|banner|tracking|count|stat|beacon)(?:[/_.-]|\d*\.|$)|\.svg(?:\?|$)`)

// captionStart matches a line that says it is of a picture.
var captionStart = pattern.MustCompile(`(?i)^\s*[（(▲△]?\s*(?:图|圖|图片|圖片|照片|(?:fig(?:ure)?|photo|image|picture)\b)\s*[\d一二三四五六七八九十.]*\s*[:：/／|｜]|^\s*[▲△]|(?:供图|供圖|攝影|摄影|图源|圖源|图/|圖/).{0,20}$`)

// ahead of the text a picture may stand so many blocks.
const leadPicture = 8

// pictures returns the pictures between the title, or a little before the text,
// and its end.
func (p *page) pictures(blocks []int) []Picture {
	if len(blocks) == 0 {
		return nil
	}
	d := p.doc
	first, last := blocks[0], blocks[len(blocks)-1]
	from := max(0, first-leadPicture)
	if p.title >= 0 && p.title < first {
		from = max(from, p.title)
	}
	var out []Picture
	for k := range d.Images {
		m := &d.Images[k]
		if m.At < from || m.At > last+2 || m.Hidden || !p.shows(m) {
			continue
		}
		out = append(out, Picture{Image: k, Caption: p.captionOf(m)})
	}
	return out
}

// shows reports whether a picture can be one of an article: large enough, and
// neither an icon nor in a part of the page that is something else.
func (p *page) shows(m *dom.Image) bool {
	for _, key := range [...]string{"width", "height"} {
		if n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(dom.Attr(m.Node, key)), "px")); err == nil && n < 90 {
			return false
		}
	}
	src := dom.Source(m.Node)
	path, _, _ := strings.Cut(src, "?")
	if src == "" || noPicture.MatchString(path[strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')+1:]) || noPicture.MatchString(dom.Attr(m.Node, "class")) {
		return false
	}
	for e := m.Element; e >= 0; e = p.doc.Elements[e].Parent {
		if p.cues[e]&(cueAside|cueChrome|cueConsent|cueCard) != 0 && p.cues[e]&(cueKnown|cueArticle) == 0 {
			return false
		}
	}
	return true
}

// captionOf returns the block that says what is on a picture, -1 if there is
// none: in its figure, or after it and named or written as one.
func (p *page) captionOf(m *dom.Image) int {
	d := p.doc
	for e, up := m.Element, 0; e >= 0 && up < 5; e, up = d.Elements[e].Parent, up+1 {
		x := &d.Elements[e]
		if x.Node.DataAtom != atom.Figure {
			continue
		}
		for i := x.First; i < x.End; i++ {
			if d.Blocks[i].Tag == atom.Figcaption || p.under[i]&cueCaption != 0 {
				return i
			}
		}
		if x.End-x.First == 1 {
			return x.First
		}
	}
	for i := m.At; i < min(m.At+2, len(d.Blocks)); i++ {
		if b := &d.Blocks[i]; b.Units < 120 && (p.under[i]&cueCaption != 0 || b.Tag == atom.Figcaption || captionStart.MatchString(b.Text) || captioned(b.Text)) {
			return i
		}
	}
	return -1
}

// Why says why a block is not of the article.
type Why string

// The reasons for which blocks are left out.
const (
	WhyRelated     Why = "related"
	WhyShare       Why = "share"
	WhyComments    Why = "comments"
	WhyDisclaimer  Why = "disclaimer"
	WhySpam        Why = "spam"
	WhyRepeated    Why = "repeated"
	WhyBoilerplate Why = "boilerplate"
)

// Left is a block near the text that was left out.
type Left struct {
	Block int
	Why   Why
}

const (
	// leftBefore and leftAfter are how far from the text what was left out is
	// told, leftEach how many blocks for one reason. Advertising is looked for in
	// the first and last blocks of the page too.
	leftBefore = 6
	edge       = 8
	leftAfter  = 30
	leftEach   = 3
)

// left returns the blocks around and inside the text that are not of it, with
// the reasons as far as they are known, and advertising wherever it stands.
func (p *page) left(b *Body) []Left {
	if len(b.Blocks) == 0 {
		return nil
	}
	own := make(map[int]bool, len(b.Blocks))
	for _, i := range b.Blocks {
		own[i] = true
	}
	for _, x := range b.Images {
		own[x.Caption] = true
	}
	first, last := b.Blocks[0], b.Blocks[len(b.Blocks)-1]
	var out []Left
	count := make(map[Why]int)
	add := func(i int, why Why) {
		if count[why]++; count[why] <= leftEach {
			out = append(out, Left{i, why})
		}
	}
	section := WhyBoilerplate // what the last heading announces
	for i := range p.doc.Blocks {
		x := &p.doc.Blocks[i]
		near := i >= first-leftBefore && i <= last+leftAfter
		switch {
		case own[i], i == p.title, x.Units < 2:
			if own[i] {
				section = WhyBoilerplate
			}
		case (near || i < edge || i >= len(p.doc.Blocks)-edge) && x.Units < 300 && spam(x.Text):
			add(i, WhySpam)
		case !near, x.Hidden, x.Text == p.titleText():
		case slices.Contains(b.Repeated, i):
			add(i, WhyRepeated)
		case p.disclaims(i):
			add(i, WhyDisclaimer)
		default:
			why := p.whyNamed(i)
			if why == WhyBoilerplate && p.ends(i) {
				section = whySaid(x.Text)
			}
			if why == WhyBoilerplate {
				why = section
			}
			add(i, why)
		}
	}
	return out
}

func (p *page) titleText() string {
	if p.title < 0 {
		return ""
	}
	return p.doc.Blocks[p.title].Text
}

var (
	namedComments = words(`comment comments commentlist cmt cmnt pinglun disqus respond reply replies gentie tie huifu`)
	namedShare    = words(`share sharing social sns bshare jiathis bdsharebuttonbox addthis sharethis share-bar toupiao dianzan`)
	namedRelated  = words(`related recommend recommended recommendation recommendations recom tuijian xiangguan more-news morenews readmore read-more
		seealso hotnews hotlist paihang top10 toplist popular trending mostread most-read latest carousel prevnext pre-next upnext tag tags taglist keyword keywords`)
)

// whyNamed returns what the elements around block i are named as.
func (p *page) whyNamed(i int) Why {
	for e := p.doc.Blocks[i].Element; e >= 0; e = p.doc.Elements[e].Parent {
		if p.cues[e]&cueAside == 0 {
			continue
		}
		for _, key := range [...]string{"class", "id"} {
			for w := range nameParts(dom.Attr(p.doc.Elements[e].Node, key)) {
				switch {
				case namedComments[w]:
					return WhyComments
				case namedShare[w]:
					return WhyShare
				case namedRelated[w]:
					return WhyRelated
				}
			}
		}
	}
	return WhyBoilerplate
}

var (
	saidComments = pattern.MustCompile(`(?i)评论|評論|留言|跟贴|回复|回應|comment|responses?|replies|join the (?:conversation|discussion)`)
	saidShare    = pattern.MustCompile(`(?i)分享|扫一扫|掃一掃|扫码|掃碼|微信|关注|關注|share|follow us|sign up|subscribe`)
	saidNotice   = pattern.MustCompile(`声明|聲明`)
)

// whySaid returns what a heading that ends the article announces.
func whySaid(s string) Why {
	switch {
	case saidComments.MatchString(s):
		return WhyComments
	case saidShare.MatchString(s):
		return WhyShare
	case saidNotice.MatchString(s):
		return WhyDisclaimer
	}
	return WhyRelated
}

// spamWord are words of trades that smuggle advertising into pages; spamSure
// those that no news has beside another of them.
var (
	spamWord  = pattern.MustCompile(`(?i)久久|成人|精品|国产|國產|亚洲|亞洲|欧美|歐美|在线|在線|视频|視頻|免费看|免費看|高清|无码|無碼|\bav\b|色情|彩票|棋牌|博彩|娱乐城|娛樂城|百家乐|百家樂|时时彩|发票|發票|刻章|办证|\bcasino\b|\bviagra\b|\bporn\b|\bslots?\b|\bpayday\b|\bloans?\b`)
	spamSure  = pattern.MustCompile(`(?i)久久|成人视频|成人視頻|无码|無碼|\bav\b|色情|娱乐城|娛樂城|百家乐|百家樂|时时彩|代开发票|代開發票|刻章|\bcasino\b|\bviagra\b|\bporn\b|\bpayday\b`)
	spamHints = finder(`久久 成人 无码 無碼 av Av AV 色情 娱乐城 娛樂城 百家 时时彩 开发票 開發票 刻章 asino ASINO iagra IAGRA orn ORN ayday`)
)

// spam reports whether a block is advertising that has been smuggled in: words
// of such a trade close together, and no sentence. spamHints are what spamSure
// needs.
func spam(s string) bool {
	if len(s) > 2000 || !spamHints.in(s) || strings.ContainsAny(s, "。！？") || !spamSure.MatchString(s) {
		return false
	}
	found := make(map[string]bool)
	for _, w := range spamWord.FindAllString(s, 20) {
		found[strings.ToLower(w)] = true
	}
	return len(found) >= 2
}
