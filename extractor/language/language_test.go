package language

import (
	"strings"
	"testing"

	"xinwen/news"
)

func TestDetect(t *testing.T) {
	for _, c := range []struct{ name, text, declared, lang, script string }{
		{"hans", "封装厂表示，由于金价上涨，将从明年起上调报价。", "", "zh", news.ScriptHans},
		{"hant", "封測廠表示，由於金價上漲，將從明年起調漲報價。", "en", "zh", news.ScriptHant},
		{"english", "Prices of the chips that the company makes rose in the third quarter, and they will rise again.", "", "en", news.ScriptLatn},
		{"german", "Die Preise der Chips, die das Unternehmen herstellt, sind im dritten Quartal gestiegen und werden weiter steigen.", "de", "", news.ScriptLatn},
		{"german-says-english", "Die Preise der Chips, die das Unternehmen herstellt, sind im dritten Quartal gestiegen und werden weiter steigen.", "en", "", news.ScriptLatn},
		{"short", "Prices rise", "", "en", news.ScriptLatn},
		{"short-declared", "Preise steigen", "de", "", news.ScriptLatn},
		{"japanese", "半導体メーカーは来年から価格を引き上げると発表した。", "", "", news.ScriptHant},
		{"english-with-names", "The company said that 台积电 would make the chips for it, as it has done in the past year.", "", "en", news.ScriptLatn},
		{"none", "123 ...", "", "", ""},
		{"short-hans", "台积电涨停", "", "zh", news.ScriptHans},
		{"short-hant", "台積電漲停", "", "zh", news.ScriptHant},
		{"one-decisive-character", "台北股市大盤", "", "zh", news.ScriptHant},
		{"short-of-either-script-declared-hant", "三星美光同日公告", "zh-TW", "zh", news.ScriptHant},
		{"short-of-either-script-declared-hk", "三星美光同日公告", "zh_HK", "zh", news.ScriptHant},
		{"short-of-either-script-undeclared", "三星美光同日公告", "", "zh", news.ScriptHans},
		{"short-hans-declared-hant", "台积电涨停", "zh-TW", "zh", news.ScriptHans},
		{"short-with-latin-names", "NVIDIA Blackwell GB300 出貨", "", "zh", news.ScriptHant},
		{"mixed", "台积电与联发科宣布涨价，業者指出記憶體與晶圓報價將續漲。", "", "zh", news.ScriptMixed},
		{"hant-with-one-slip", "台積電與聯發科宣布漲價，業者指出記憶體與晶圓報價將續漲，后續待觀察。", "", "zh", news.ScriptHant},
		{"both-languages", "The company said the price of its chips will rise. 该公司称芯片价格将上涨，客户大多接受。", "", "zh", news.ScriptHans},
		{"korean-with-names", "삼성전자는 NVIDIA에 HBM4 샘플을 공급했다고 밝혔다", "", "", ""},
		{"russian", "Завод в Дрездене начинает выпуск микросхем TSMC", "ru", "", ""},
		{"japanese-title", "半導体大手決算発表", "ja", "", news.ScriptHant},
		{"japanese-kana", "半導体メーカーの価格が上がる", "", "", news.ScriptHant},
		{"short-german-undeclared", "Preise der Chips steigen", "", "", news.ScriptLatn},
		{"short-french-says-english", "Les prix des puces montent", "en", "", news.ScriptLatn},
		{"short-english-with-accent", "Nestlé buys chips", "", "en", news.ScriptLatn},
		{"short-english-declared-chinese", "The chips of the year", "zh-CN", "en", news.ScriptLatn},
		{"names-declared-chinese", "NVIDIA GTC", "zh-CN", "", news.ScriptLatn},
	} {
		t.Run(c.name, func(t *testing.T) {
			lang, script := Detect(c.text, c.declared)
			if lang != c.lang || script != c.script && !strings.HasPrefix(c.name, "japanese") {
				t.Errorf("got %q %q, want %q %q", lang, script, c.lang, c.script)
			}
		})
	}
}

func TestDetectReadsOnlyASample(t *testing.T) {
	lang, _ := Detect(strings.Repeat("上调报价。", 1<<20), "")
	if lang != "zh" {
		t.Errorf("got %q, want zh", lang)
	}
}
