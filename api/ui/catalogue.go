package ui

import (
	"fmt"
	"maps"
	"net/http"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Languages of the pages.
const (
	en = iota
	hans
	hant
	languages
)

// tags name the languages for browsers, in the order of the constants.
var tags = [languages]language.Tag{language.English, language.MustParse("zh-Hans"), language.MustParse("zh-Hant")}

var matcher = language.NewMatcher(tags[:])

// languageCookie remembers a choice that differs from the browser's.
const languageCookie = "xinwen_language"

// languageOf returns the language that the reader of r wants.
func languageOf(r *http.Request) int {
	var wanted []language.Tag
	if c, err := r.Cookie(languageCookie); err == nil {
		if t, err := language.Parse(c.Value); err == nil {
			wanted = append(wanted, t)
		}
	}
	accepted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")) // as far as it can be read
	for _, t := range append(wanted, accepted...) {                                 // one by one: the first that we have, not the nearest
		if _, i, confidence := matcher.Match(t); confidence > language.Low {
			return i
		}
	}
	return en
}

// text returns a message of the catalogue in a language.
func text(lang int, key string, args ...any) (string, error) {
	m, ok := catalogue[key]
	if !ok {
		return "", fmt.Errorf("the catalogue has no message %q", key)
	}
	if len(args) == 0 {
		return m[lang], nil
	}
	return printers[lang].Sprintf(plural(m[lang], args), args...), nil
}

// printers write numbers as the languages do.
var printers = [languages]*message.Printer{message.NewPrinter(tags[en]), message.NewPrinter(tags[hans]), message.NewPrinter(tags[hant])}

// plural chooses in each {one|many} of a message by the argument before it.
func plural(m string, args []any) string {
	var b strings.Builder
	for n := 0; ; {
		before, rest, ok := strings.Cut(m, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		n += strings.Count(before, "%") - 2*strings.Count(before, "%%")
		choice, after, _ := strings.Cut(rest, "}")
		one, many, _ := strings.Cut(choice, "|")
		if n > 0 && n <= len(args) && fmt.Sprint(args[n-1]) == "1" {
			many = one
		}
		b.WriteString(many)
		m = after
	}
}

// say returns a message that the catalogue is known to have.
func say(lang int, key string, args ...any) string {
	s, _ := text(lang, key, args...) // tests have every key
	return s
}

// messages are texts by key: English, Simplified Chinese, Traditional Chinese as
// Taiwan writes it. {one|many} is the word for one or for several, as the number
// before it says.
type messages = map[string][languages]string

// catalogue holds every text of the pages.
var catalogue = joined(readingTexts, articleTexts, entityTexts, deskTexts, sourceTexts, helpTexts, accountTexts)

func joined(parts ...messages) messages {
	all := make(messages)
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// readingTexts are those of the search and article pages, and of all pages.
var readingTexts = messages{
	"tagline":       {"Semiconductor news in three scripts, read as one", "三种文字的半导体新闻，当作一种来读", "三種文字的半導體新聞，當作一種來讀"},
	"skip":          {"Skip to the results", "跳到结果", "跳到結果"},
	"skip-article":  {"Skip to the article", "跳到文章", "跳到文章"},
	"language":      {"Language", "语言", "語言"},
	"search":        {"Search", "搜索", "搜尋"},
	"query":         {"Search for", "搜索内容", "搜尋內容"},
	"placeholder":   {"台积电 AND 涨价, entity:nvidia, “advanced packaging” …", "台积电 AND 涨价、entity:nvidia、“先进封装”……", "台積電 AND 漲價、entity:nvidia、「先進封裝」……"},
	"syntax":        {"How to write a query", "查询怎么写", "查詢怎麼寫"},
	"syntax-and":    {"both", "两者都有", "兩者都有"},
	"syntax-or":     {"at least one", "至少一个", "至少一個"},
	"syntax-not":    {"without it", "不含", "不含"},
	"syntax-phrase": {"one directly after the other", "紧挨着的短语", "緊挨著的詞組"},
	"syntax-near":   {"close together", "相距不远", "相距不遠"},
	"syntax-prefix": {"words that begin so", "以此开头的词", "以此開頭的詞"},
	"syntax-entity": {"the company under any name: 英伟达, 輝達, NVIDIA", "这家公司，不论叫什么：英伟达、輝達、NVIDIA", "這家公司，不論叫什麼：英伟达、輝達、NVIDIA"},
	"syntax-title":  {"in the title only", "只在标题里", "只在標題裡"},
	"syntax-time":   {"a span of days", "一段日期", "一段日期"},

	"results":            {"%d {article|articles}", "%d 篇文章", "%d 篇文章"},
	"results-none":       {"No article matches", "没有符合的文章", "沒有符合的文章"},
	"took":               {"in %s ms", "用时 %s 毫秒", "用時 %s 毫秒"},
	"relaxed":            {"No article has all the words; these have some of them.", "没有一篇包含所有的词，以下文章包含其中一部分。", "沒有一篇包含所有的詞，以下文章包含其中一部分。"},
	"lag":                {"%d {article is|articles are} still being indexed.", "还有 %d 篇文章正在建立索引。", "還有 %d 篇文章正在建立索引。"},
	"none-hint":          {"Try fewer words, OR between them, or take a filter away.", "试试减少词语、用 OR 连接，或去掉筛选条件。", "試試減少詞語、用 OR 連接，或去掉篩選條件。"},
	"none-clear":         {"Search again without filters", "不加条件再搜索", "不加條件再搜尋"},
	"none-alert":         {"Be told when the first article appears", "出现第一篇时通知我", "出現第一篇時通知我"},
	"feed-key":           {"A feed reader needs a key of its own; make one in the", "订阅器需要自己的密钥，可在此创建：", "訂閱器需要自己的金鑰，可在此建立："},
	"sort":               {"Sort by", "排序", "排序"},
	"relevance":          {"Relevance", "相关度", "相關度"},
	"newest":             {"Newest", "最新", "最新"},
	"oldest":             {"Oldest", "最早", "最早"},
	"suggestions":        {"Suggestions", "补全建议", "補全建議"},
	"suggestions-found":  {"%d {suggestion|suggestions}; go through them with the arrow keys", "%d 条建议，用方向键选择", "%d 條建議，用方向鍵選擇"},
	"field-entity":       {"an entity under any of its names", "实体，不论用哪个名称", "實體，不論用哪個名稱"},
	"field-title":        {"in the title", "在标题里", "在標題裡"},
	"field-text":         {"in the text", "在正文里", "在內文裡"},
	"field-source":       {"from a source", "来自某个来源", "來自某個來源"},
	"field-lang":         {"in a language or script", "某种语言或文字", "某種語言或文字"},
	"field-kind":         {"that names something of a kind", "提到某一类实体", "提到某一類實體"},
	"field-author":       {"by an author", "某位作者", "某位作者"},
	"field-credit":       {"taken from a medium", "转自某家媒体", "轉自某家媒體"},
	"field-published":    {"in a span of time", "某段时间内", "某段時間內"},
	"characters":         {"Chinese", "中文显示", "中文顯示"},
	"characters-written": {"as written", "原文", "原文"},
	"characters-Hans":    {"in Simplified", "简体", "簡體"},
	"characters-Hant":    {"in Traditional", "繁体", "繁體"},
	"reason-entity":      {"is %s", "即 %s", "即 %s"},
	"reason-synonym":     {"means %s", "与 %s 同义", "與 %s 同義"},
	"found-by":           {"Found by", "匹配：", "符合："},
	"comma":              {", ", "，", "，"},
	"lag-of":             {"searchable after %s", "发布后 %s可搜到", "發布後 %s可搜到"},
	"clocks":             {"published %s, fetched %s, indexed %s", "发布 %s，抓取 %s，入库 %s", "發布 %s，擷取 %s，入庫 %s"},
	"under-a-minute":     {"less than a minute", "不到一分钟", "不到一分鐘"},
	"minutes":            {"%d min", "%d 分钟", "%d 分鐘"},
	"hours":              {"%d h", "%d 小时", "%d 小時"},
	"facet-more":         {"%d more", "还有 %d 个", "還有 %d 個"},
	"articles-n":         {"%d {article|articles}", "%d 篇", "%d 篇"},
	"take":               {"Take it along", "带走", "帶走"},
	"next":               {"Next page", "下一页", "下一頁"},
	"first":              {"First page", "第一页", "第一頁"},
	"pages":              {"More results", "更多结果", "更多結果"},
	"other-languages":    {"These pages in other languages", "页面语言", "頁面語言"},
	"filters":            {"Narrow down", "缩小范围", "縮小範圍"},
	"active":             {"Active filters", "已选条件", "已選條件"},
	"remove":             {"Remove filter: %s", "去掉条件：%s", "去掉條件：%s"},
	"clear":              {"Clear all", "全部清除", "全部清除"},
	"entities":           {"Named", "提到", "提到"},
	"sources":            {"Source", "来源", "來源"},
	"langs":              {"Language and script", "语言和文字", "語言和文字"},
	"time":               {"Published", "发布时间", "發布時間"},
	"from":               {"From", "从", "從"},
	"to":                 {"To", "到", "到"},
	"apply":              {"Apply", "应用", "套用"},
	"day":                {"Today and yesterday", "今天和昨天", "今天和昨天"},
	"week":               {"Last 7 days", "最近 7 天", "最近 7 天"},
	"month":              {"Last 30 days", "最近 30 天", "最近 30 天"},
	"feed":               {"Feed of this search", "订阅这个搜索", "訂閱這個搜尋"},
	"export":             {"Export", "导出", "匯出"},
	"original":           {"Original", "原文", "原文"},
	"original-at":        {"Read the original at %s", "在 %s 阅读原文", "在 %s 閱讀原文"},
	"new-tab":            {"(opens the publisher’s page)", "（打开发布者的网页）", "（開啟發布者的網頁）"},
	"untitled":           {"Without a title", "无标题", "無標題"},
	"seen":               {"seen %s", "抓取于 %s", "擷取於 %s"},
	"error-title":        {"The query cannot be understood", "看不懂这个查询", "看不懂這個查詢"},
	"error-column":       {"Character %d: %s", "第 %d 个字符：%s", "第 %d 個字元：%s"},
	"error-mended":       {"Or search for the words alone:", "或只搜索这些词：", "或只搜尋這些詞："},
	"request-title":      {"The search cannot be answered", "无法完成搜索", "無法完成搜尋"},
	"down":               {"The index cannot answer now. Try again in a moment; /readyz says what is missing.", "索引暂时无法应答。请稍后再试；/readyz 会说明缺什么。", "索引暫時無法回應。請稍後再試；/readyz 會說明缺什麼。"},
	"away":               {"The message server (NATS) cannot be reached, so there is nothing to show. Try again in a moment; /readyz says what is missing.", "无法连接消息服务器（NATS），暂时没有可显示的内容。请稍后再试；/readyz 会说明缺什么。", "無法連線訊息伺服器（NATS），暫時沒有可顯示的內容。請稍後再試；/readyz 會說明缺什麼。"},
	"again-now":          {"Try again", "重试", "重試"},
	"fault":              {"Something went wrong inside; the log of the api says what.", "内部出错；详情见 api 的日志。", "內部出錯；詳情見 api 的日誌。"},

	"empty-title":     {"There is nothing here yet", "这里还没有文章", "這裡還沒有文章"},
	"empty-waiting":   {"%d {article is on its|articles are on their} way into the index; this page shows what is there by itself.", "%d 篇文章正在进入索引，完成后会显示在这里。", "%d 篇文章正在進入索引，完成後會顯示在這裡。"},
	"empty-sources":   {"%d {source is|sources are} being followed. The first articles appear when they have been fetched.", "正在关注 %d 个来源。抓取之后，第一批文章就会出现。", "正在關注 %d 個來源。擷取之後，第一批文章就會出現。"},
	"empty-none":      {"No source is being followed yet.", "还没有关注任何来源。", "還沒有關注任何來源。"},
	"empty-follow":    {"Follow sources of your own", "关注自己的来源", "關注自己的來源"},
	"empty-add":       {"Add a source by its address", "输入网址添加来源", "輸入網址新增來源"},
	"empty-file":      {"A file of sources at the start does it, too:", "也可在启动时指定来源文件：", "也可在啟動時指定來源檔案："},
	"empty-demo-note": {"It has news in all three scripts, needs no network, and keeps its data apart.", "包含三种文字的新闻，无需联网，数据另存。", "包含三種文字的新聞，無需連網，資料另存。"},
	"empty-progress":  {"Waiting for the first articles", "正在等待第一批文章", "正在等待第一批文章"},
	"empty-import":    {"Bring articles you have", "导入已有的文章", "匯入已有的文章"},
	"empty-demo":      {"Look around with made-up articles first", "先用演示文章看看", "先用示範文章看看"},

	"back":          {"Back to the search", "回到搜索", "回到搜尋"},
	"published":     {"Published", "发布", "發布"},
	"modified":      {"Changed", "修改", "修改"},
	"fetched":       {"Fetched", "抓取", "擷取"},
	"unsure":        {"uncertain", "不确定", "不確定"},
	"unknown":       {"unknown", "不详", "不詳"},
	"authors":       {"Author", "作者", "作者"},
	"editor":        {"Editor", "编辑", "編輯"},
	"reporter":      {"Reporter", "记者", "記者"},
	"credit":        {"Taken from", "转自", "轉自"},
	"publisher":     {"Publisher", "发布者", "發布者"},
	"written":       {"Written in", "文字", "文字"},
	"charset":       {"Encoding", "编码", "編碼"},
	"address":       {"Address", "地址", "網址"},
	"about":         {"About this article", "关于这篇文章", "關於這篇文章"},
	"mentions":      {"Named in this article", "文中提到", "文中提到"},
	"mentions-none": {"Nothing from the lexicon is named here.", "文中没有提到词库里的名称。", "文中沒有提到詞庫裡的名稱。"},
	"warnings":      {"Doubtful", "存疑之处", "存疑之處"},
	"times":         {"%d {time|times}", "%d 次", "%d 次"},
	"json":          {"This article as JSON", "本文的 JSON", "本文的 JSON"},
	"gone-title":    {"There is no such article", "没有这篇文章", "沒有這篇文章"},
	"gone-hint":     {"It may have been taken away by its publisher, or not be indexed yet.", "它可能已被发布者撤下，或尚未进入索引。", "它可能已被發布者撤下，或尚未進入索引。"},
	"page-title":    {"There is nothing at this address", "这个地址没有内容", "這個網址沒有內容"},
	"failed-title":  {"The page cannot be shown", "无法显示这个页面", "無法顯示這個頁面"},
	"api":           {"API", "API", "API"},
	"status":        {"Status", "状态", "狀態"},
	"kind-org":      {"Organisations", "机构", "機構"},
	"kind-person":   {"People", "人物", "人物"},
	"kind-place":    {"Places", "地点", "地點"},
	"kind-product":  {"Products", "产品", "產品"},
	"kind-tech":     {"Technologies", "技术", "技術"},
	"kind-node":     {"Nodes", "制程", "製程"},
	"kind-money":    {"Amounts", "金额", "金額"},
	"kind-percent":  {"Percentages", "百分比", "百分比"},
	"kind-date":     {"Dates", "日期", "日期"},
	"lang-zh":       {"Chinese", "中文", "中文"},
	"lang-zh-Hans":  {"Chinese, Simplified", "简体中文", "簡體中文"},
	"lang-zh-Hant":  {"Chinese, Traditional", "繁体中文", "繁體中文"},
	"lang-zh-mixed": {"Chinese, both scripts", "中文，简繁混用", "中文，簡繁混用"},
	"lang-en":       {"English", "英文", "英文"},
	"lang-other":    {"Other", "其他", "其他"},
}
