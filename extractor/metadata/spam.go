package metadata

import (
	"strings"

	"xinwen/extractor/pattern"
)

// reSpam matches lines that sites and scrapers put before or after an article
// and that are no part of it: calls to install, to follow, to scan a code, to
// add to the favourites, and offers.
var reSpam = pattern.MustCompile(`(?i)(?:点击|點擊|长按|長按|扫描|掃描|扫码|掃碼|识别).{0,12}(?:关注|關注|二维码|二維碼|下载|下載|加入|領取|领取|订阅|訂閱)` +
	`|(?:关注|關注).{0,10}(?:公众号|公眾號|微信号|订阅号)|(?:加|添加).{0,4}(?:微信|QQ群|客服)|(?:免费|免費).{0,8}(?:领取|領取|试用|試用|下载|下載|注册|註冊)` +
	`|(?:下载|下載|打开|打開|安装|安裝).{0,8}(?:APP|客户端|客戶端|应用)|(?:收藏|设为首页|設為首頁|加入收藏)|欢迎(?:访问|光临|来到)|歡迎(?:訪問|光臨|來到)` +
	`|本站(?:域名|网址|永久)|最新(?:网址|域名|地址)|(?:请|請).{0,4}(?:登录|登錄|登入)` +
	`|\b(?:download our app|sign up (?:now|today|for)|subscribe (?:now|today)|click here|limited[- ]time offer|follow us on|join our (?:telegram|whatsapp)|promo code)\b`)

// reStuffed are the words that hijacked pages are stuffed with, in titles and
// descriptions first of all; one alone says nothing.
var reStuffed = pattern.MustCompile(`(?i)久久|精品|[国國]产|[国國]產|[欧歐]美|日韩|日韓|无码|無碼|成人|一[区區]|二[区區]|三[区區]|午夜|黄色|黃色|av\b|综合|綜合|在线观看|在線觀看|彩票|投注|开户|開戶|[娱娛][乐樂]|官网|官網|注册|註冊|棋牌|博彩|时时彩|百家乐|百家樂|老虎机|体育|體育|平台|入口|app下载|手机版`)

// spamLine reports whether a line is an appeal or advertisement that does not
// belong to the article.
func spamLine(s string) bool {
	if len(s) > 1000 {
		return false
	}
	if reSpam.MatchString(s) {
		return true
	}
	words := make(map[string]bool)
	n := 0
	for _, w := range reStuffed.FindAllString(s, -1) {
		words[w] = true
		n += len(w)
	}
	return len(words) >= 4 && 4*n > len(s)
}

// dropSpam removes the sentences of a summary that are spam before and after the
// rest; all of it if nothing else is there.
func dropSpam(s string) string {
	if !spamLine(s) {
		return s
	}
	parts := sentences(s)
	for len(parts) > 0 && spamLine(parts[0]) {
		parts = parts[1:]
	}
	for len(parts) > 0 && spamLine(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	return strings.TrimSpace(strings.Join(parts, ""))
}

// sentences cuts s behind the marks that end a sentence and behind bars.
func sentences(s string) []string {
	var out []string
	last := 0
	for i, r := range s {
		end := i + len(string(r))
		if strings.ContainsRune("。！？!?；;|｜】\n", r) || r == '.' && end < len(s) && s[end] == ' ' {
			out = append(out, s[last:end])
			last = end
		}
	}
	if last < len(s) {
		out = append(out, s[last:])
	}
	return out
}
