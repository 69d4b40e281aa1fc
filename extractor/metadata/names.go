package metadata

import (
	"slices"
	"strings"
	"unicode/utf8"

	"xinwen/extractor/pattern"
)

// isPerson reports whether s looks like a Chinese name: a known surname and one
// or two characters, or a foreign one with a middle dot.
func isPerson(s string) bool {
	if strings.Contains(s, "·") {
		return hanOnly(s) && utf8.RuneCountInString(s) <= 12 && !organisation.MatchString(s)
	}
	if !hanOnly(s) {
		return false
	}
	n := utf8.RuneCountInString(s)
	if n >= 3 && n <= 4 {
		for _, c := range compoundSurnames {
			if strings.HasPrefix(s, c) {
				return true
			}
		}
	}
	first, size := utf8.DecodeRuneInString(s)
	if n == 2 && (first == '老' || first == '小') {
		// 老封, 小陈: a pen name of many columnists.
		second, _ := utf8.DecodeRuneInString(s[size:])
		return strings.ContainsRune(surnames, second) && !notNames[s]
	}
	return n >= 2 && n <= 3 && strings.ContainsRune(surnames, first) && !notNames[s]
}

// surnames are the commoner Chinese surnames in both scripts.
const surnames = "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何高林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭田董袁潘于蒋蔣蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鍾谭譚陆陸汪范金石廖贾賈夏韦韋付傅方白邹鄒孟熊秦邱丘江尹薛闫閻段雷侯龙龍史陶黎贺賀顾顧毛郝龚龔邵万萬钱錢严嚴覃武戴莫孔向汤湯常温康施文牛樊葛邢安齐齊易乔喬伍庞龐颜顏倪庄莊聂聶章鲁魯岳翟殷詹申欧歐耿关關兰蘭焦俞左柳甘祝包宁寧尚符舒阮柯纪紀梅童凌毕畢单單季裴霍涂成苗谷盛曲翁冉骆駱蓝藍路游辛靳管柴蒙鲍鮑华華喻祁蒲房滕屈饶饒解牟艾尤阳陽时時穆农農司卓古吉缪繆简簡车車项項连連芦蘆麦麥褚娄婁窦竇戚岑景党宫宮费費卜冷晏席卫衛米柏宗瞿桂全佟应應臧闵閔苟邬鄔边邊卞姬师師和仇栾欒隋商刁沙荣榮巫寇桑郎甄丛叢仲虞敖巩鞏明佘池查麻苑迟遲邝鄺官封谈談匡鞠惠荆荊乐樂冀郁胥南班储儲原栗燕楚鄢劳勞谌諶奚皮粟冼蔺藺楼樓盘盤满滿闻聞位厉厲伊仝区區郜海阚闞花权權强強帅帥屠豆朴盖蓋练練廉禹井祖漆巴丰豐支卿国國狄平计計索宣晋晉相初门門云雲容敬来扈晁芮都普阙闕浦戈伏鹿薄邸雍辜羊阿乌烏母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀衣信展阴昝智幸奉植衡富尧闭由"

var compoundSurnames = strings.Fields("欧阳 歐陽 上官 司马 司馬 诸葛 諸葛 皇甫 尉迟 公孙 公孫 慕容 令狐 东方 東方 夏侯 司徒 宇文 长孙 端木 南宫 独孤")

// notNames are words that look like names.
var notNames = func() map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq("老板 老师 老師 老年 老家 老人 老化 小时 小時 小米 小学 小康 小区 小程 小于 小白 小金 小路 小麦 小车 小明 关注 關注 文章 全文 时间 時間 方法 常见 安全 高清 国际 國際 国内 海外 金融 华为 明星 农业 成功 公司 公告 都市 文化 时尚 平台 相关 相關 阳光 商业 官方 和讯 易车 马上 关闭 關閉 查看 向上 原创 来源 计算 解读 解說 印刷 印度 元器件 任务 连载 信息 信息化 支持 向导 左右 查询 应用 全部 单位 温度 平安 路透 路透社 国产 高端 中新 安卓 花絮 包含 景点 余下 范围 古代 乐活 门户 权威 强势 利好 南方 云计算 和平 居民 干货 展开 智能 富士康 由此 但是 幸福 宣传 国家 容量 银行 海关 战略 明天 阅读 申请 项目 车讯 简介 连接 单击 成员 盛大 凌晨 游戏 管理 童话 毕业 季度 沙龙 明年 房产 项链 时评 时讯 时政 国企 方案 金属 白皮书 万象 严重 常用 毛利 江苏 安徽 宁夏 云南 海南 甘肃 江西 贺电 石油 石化 高通 夏普 康宁 阿里 施耐德 史上 贾跃亭说") {
		m[w] = true
	}
	return m
}()

// organisation matches Chinese names that are no person's.
var organisation = pattern.MustCompile(`(?:网|網|报|報|社|集团|集團|公司|网络|系统|中心|频道|頻道|新闻|新聞|资讯|資訊|编辑部|編輯部|報導|报道|日报|周刊|杂志|雜誌|电视台|電視台|在线|传媒|傳媒|科技|博客)$`)

// reSocial is what links beside a name leave.
var reSocial = pattern.MustCompile(`(?i)\s+(?:twitter|facebook|linkedin|instagram|@\w+|email)$`)

// personNames cuts a list of names and trims what content systems put around
// them.
func personNames(s string) []string {
	list := splitNames(s)
	if len(list) > 1 && strings.ContainsAny(s, "/／") && isPerson(list[0]) {
		// 許若白／新竹: what follows is where the report is from.
		list = slices.DeleteFunc(list, func(x string) bool { return !isPerson(x) })
	}
	out := list[:0]
	for _, x := range list {
		x = strings.Trim(x, " \t\u3000,，、.-|/:：\x1f")
		for _, p := range [...]string{"By ", "by ", "BY ", "記者", "记者", "本报记者", "編譯", "文字", "作者"} {
			x = strings.TrimSpace(strings.TrimPrefix(x, p))
		}
		if i := strings.IndexAny(x, "_0123456789"); i > 0 && hasHan(x) {
			x = strings.TrimSpace(x[:i])
		}
		x = strings.TrimSpace(reSocial.ReplaceAllString(x, ""))
		if fold(x) == "" || utf8.RuneCountInString(x) < 2 || length(x) > 24 || reJunkName.MatchString(x) || len(out) >= 12 {
			continue
		}
		out = append(out, x)
	}
	return out
}

var reSplit = pattern.MustCompile(`\s*(?:[,;，；、&|/／]|\band\b)\s*`)

// splitNames cuts a list of names; Chinese names may be separated by spaces.
func splitNames(s string) []string {
	var out []string
	for _, x := range reSplit.Split(s, -1) {
		if f := strings.Fields(x); len(f) > 1 {
			all := true
			for _, w := range f {
				if n := utf8.RuneCountInString(w); !hanOnly(w) || n < 2 || n > 4 {
					all = false
				}
			}
			if all {
				out = append(out, f...)
				continue
			}
		}
		if x != "" {
			out = append(out, x)
		}
	}
	return out
}
