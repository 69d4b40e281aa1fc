package mojibake

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// reread encodes s in was and decodes it as as.
func reread(t testing.TB, s string, was, as encoding.Encoding) string {
	t.Helper()
	raw := []byte(s)
	if was != nil {
		var err error
		if raw, err = was.NewEncoder().Bytes(raw); err != nil {
			t.Fatal(err)
		}
	}
	out, err := as.NewDecoder().Bytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

const (
	hans = "星河半导体宣布，二期晶圆厂将在明年一月投产，月产能四万片。"
	hant = "北嶼精測表示，明年資本支出將較今年增加三成，主要用於擴產。"
	en   = "The foundry’s “second” line won’t start before 2027 – it costs €3 billion."
)

func TestRepairUndoesEveryKind(t *testing.T) {
	latin1, cp1252 := charmap.ISO8859_1, charmap.Windows1252
	gbk, gb18030, big5 := simplifiedchinese.GBK, simplifiedchinese.GB18030, traditionalchinese.Big5
	for _, c := range []struct {
		name, want string
		was, as    encoding.Encoding
		saysWas    string
	}{
		{"utf8-as-latin1-hans", hans, nil, latin1, "UTF-8"},
		{"utf8-as-latin1-hant", hant, nil, latin1, "UTF-8"},
		{"utf8-as-latin1-english", en, nil, latin1, "UTF-8"},
		{"utf8-as-cp1252-english", en, nil, cp1252, "UTF-8"},
		{"utf8-as-cp1252-umlauts", "Züge für Straßen", nil, cp1252, "UTF-8"},
		{"gbk-as-latin1", hans, gbk, latin1, "GBK"},
		{"gbk-as-cp1252", hans, gbk, latin1, "GBK"},
		{"big5-as-latin1", hant, big5, latin1, "Big5"},
		{"utf8-as-gb18030", hans, nil, gb18030, "UTF-8"},
		{"utf8-as-gb18030-hant", hant, nil, gb18030, "UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := reread(t, c.want, c.was, c.as)
			got, r := Repair(broken)
			if strings.Contains(broken, "\ufffd") {
				// The reading lost bytes.
				if n := strings.Count(got, "\ufffd"); n != r.Lost || n*5 > utf8.RuneCountInString(got) {
					t.Errorf("got %q with %d lost, from %q", got, r.Lost, broken)
				}
			} else if got != c.want {
				t.Errorf("got %q, want %q, from %q", got, c.want, broken)
			}
			if r.Pieces != 1 || r.Was != c.saysWas {
				t.Errorf("got %+v, want one piece of %s", r, c.saysWas)
			}
		})
	}
}

func TestRepairUndoesTwoRounds(t *testing.T) {
	broken := reread(t, reread(t, en, nil, charmap.ISO8859_1), nil, charmap.ISO8859_1)
	if got, r := Repair(broken); got != en || r.Pieces != 1 {
		t.Errorf("got %q (%+v), want %q", got, r, en)
	}
}

func TestRepairChangesOnlyTheBrokenPiece(t *testing.T) {
	broken := `<title>` + reread(t, hans, nil, charmap.ISO8859_1) + `</title><p class="x">` + hant + `</p><p>` + reread(t, hans, simplifiedchinese.GBK, charmap.ISO8859_1) + `</p>`
	want := `<title>` + hans + `</title><p class="x">` + hant + `</p><p>` + hans + `</p>`
	got, r := Repair(broken)
	if got != want || r.Pieces != 2 {
		t.Errorf("got %q (%+v), want %q", got, r, want)
	}
}

func TestLostCommasAndStopsComeBack(t *testing.T) {
	// As pages have it that replaced each byte they could not read by "?".
	broken := strings.ReplaceAll(reread(t, hans+"\n"+"全年增长。", nil, simplifiedchinese.GB18030), "\ufffd", "?")
	if !strings.Contains(broken, "?") {
		t.Fatalf("%q has lost nothing", broken)
	}
	if got, r := Repair(broken); !strings.HasSuffix(got, "增长。") || r.Pieces == 0 {
		t.Errorf("got %q (%+v), from %q", got, r, broken)
	}
}

func TestSoundTextIsLeftAlone(t *testing.T) {
	for _, s := range []string{
		hans, hant, en, "", "plain", "Zürich, Genève, São Paulo, Ærø", "„Ä“ ist ein Umlaut, „Ö“ auch.", "25 °C ± 2, ½ Preis, Â°", "ÅÄÖ åäö", "涓滴效应与锛床、鐨的生僻字",
		"ÄÖÜ ÄÖÜ ÄÖÜ", "português é à parte", "東京エレクトロンは新しい製造装置を発表した", "삼성전자는", "Завод в Дрездене",
	} {
		if got, r := Repair(s); got != s {
			t.Errorf("got %q (%+v), want %q as it was", got, r, s)
		}
	}
}

func FuzzRepair(f *testing.F) {
	for _, s := range []string{hans, hant, en, "ä¸\u00adå›½", "ÖÐ¹ú¾\u00ad¼Ã", "涓浗缁忔祹", "\x80\xff<", "锛?銆?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, r := Repair(s)
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q became invalid: %q", s, got)
		}
		if r.Pieces == 0 && got != s {
			t.Errorf("%q changed to %q without a report", s, got)
		}
		if strings.Count(got, "<") < strings.Count(s, "<") {
			t.Errorf("%q lost a tag: %q", s, got)
		}
	})
}
