package lexicon

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/han"
)

func builtin(t testing.TB) *Lexicon {
	t.Helper()
	l, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLookup(t *testing.T) {
	l := builtin(t)
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"org:nvidia", []string{"org:nvidia"}},
		{"NVIDIA", []string{"org:nvidia"}},
		{" nvidia ", []string{"org:nvidia"}},
		{"英伟达", []string{"org:nvidia"}},
		{"英偉達", []string{"org:nvidia"}},
		{"輝達", []string{"org:nvidia"}},
		{"辉达", []string{"org:nvidia"}},
		{"ＮＶＩＤＩＡ", []string{"org:nvidia"}},
		{"NVDA", []string{"org:nvidia"}},
		{"nvda-us", []string{"org:nvidia"}},
		{"2330", []string{"org:tsmc"}},
		{"TWSE:2330", []string{"org:tsmc"}},
		{"2330.TW", []string{"org:tsmc"}},
		{"00981", []string{"org:smic"}},
		{"981.HK", []string{"org:smic"}},
		{"688981.SH", []string{"org:smic"}},
		{"AAPL.O", []string{"org:apple"}},
		{"臺積電", []string{"org:tsmc"}},
		{"SK 海力士", []string{"org:sk-hynix"}},
		{"SK-Hynix", []string{"org:sk-hynix"}},
		{"超微", []string{"org:amd"}},
		{"美超微", []string{"org:supermicro"}},
		{"超微電腦", []string{"org:supermicro"}},
		{"美光", []string{"org:micron"}},
		{"三星", []string{"org:samsung-electronics"}},
		{"arm", []string{"org:arm"}},
		{"A16", []string{"node:tsmc-a16", "product:apple-a16"}},
		{"黃仁勳", []string{"person:jensen-huang"}},
		{"黃仁勛", []string{"person:jensen-huang"}},
		{"埃隆馬斯克", []string{"person:elon-musk"}},
		{"川普", []string{"person:donald-trump"}},
		{"3奈米", []string{"node:3nm"}},
		{"3nm", []string{"node:3nm"}},
		{"矽光子", []string{"tech:silicon-photonics"}},
		{"HBM 3E", []string{"tech:hbm3e"}},
		{"GB200NVL72", []string{"product:gb200-nvl72"}},
		{"MS", []string{"org:morgan-stanley"}},
		{"AI", nil}, // Air Liquide in Paris, but only as EPA:AI
		{"EPA:AI", []string{"org:air-liquide"}},
		{"", nil},
		{"nobody", nil},
	} {
		if diff := cmp.Diff(tt.want, l.Lookup(tt.name)); diff != "" {
			t.Errorf("Lookup(%q) (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestLookupPutsTheSurestFirst(t *testing.T) {
	l, faults := build([]file{{"f.yaml", []byte(`
- {id: org:a, en: Alpha, aliases: [{text: Same, near: [chip]}]}
- {id: org:b, en: Beta, aliases: [Same]}
- {id: org:c, en: Same, aliases: [{text: Same, weak: true}]}
- {id: org:d, en: Delta, aliases: [{text: Same, not: [fruit]}], tickers: [NYSE:SAME]}
- {id: org:e, en: Echo, tickers: [NASDAQ:SAME]}
`)}})
	if faults != nil {
		t.Fatal(faults)
	}
	want := []string{"org:b", "org:c", "org:a", "org:d", "org:e"}
	if diff := cmp.Diff(want, l.Lookup("same")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever script a text is converted to, its names mean the same entity.
func TestEveryFormLeadsBack(t *testing.T) {
	l := builtin(t)
	traditional := traditionalOf()
	for _, e := range l.Entities() {
		for _, f := range e.Forms() {
			names := []string{f.Text, han.Simplify(f.Text), strings.ToUpper(f.Text)}
			// A converter to Traditional may choose any of these for a character.
			runes := []rune(f.Text)
			for i, r := range runes {
				for _, other := range traditional[r] {
					runes[i] = other
					names = append(names, string(runes))
				}
				runes[i] = r
			}
			for _, name := range names {
				if !slices.Contains(l.Lookup(name), e.ID) {
					t.Errorf("Lookup(%q) = %q, want %s among them", name, l.Lookup(name), e.ID)
				}
			}
		}
	}
}

// traditionalOf maps characters to those that are simplified to them.
func traditionalOf() map[rune][]rune {
	all := make(map[rune][]rune)
	for r := rune(0x4e00); r <= 0x9fff; r++ {
		if s, _ := utf8.DecodeRuneInString(han.Simplify(string(r))); s != r {
			all[s] = append(all[s], r)
		}
	}
	return all
}

// What is shown to readers of one script must be there for those of the other.
func TestBuiltinNamesAreInBothScripts(t *testing.T) {
	for _, e := range builtin(t).Entities() {
		if (e.ZhHans == "") != (e.ZhHant == "") {
			t.Errorf("%s: zh_hans %q, zh_hant %q: want both or none", e.ID, e.ZhHans, e.ZhHant)
		}
	}
}

// The floors are what the lexicon once had: raise them as it grows.
func TestBuiltinIsLargeEnough(t *testing.T) {
	floors := map[news.Kind]int{
		news.Org: 2250, news.Person: 850, news.Place: 880, news.Product: 1050, news.Tech: 790, news.Node: 110,
	}
	for _, k := range kinds {
		if floors[k] == 0 {
			t.Errorf("no floor for kind %s", k)
		}
	}
	entities, forms := make(map[news.Kind]int), make(map[news.Kind]int)
	for _, e := range builtin(t).Entities() {
		entities[e.Kind]++
		forms[e.Kind] += len(e.Forms())
	}
	for kind, floor := range floors {
		t.Logf("%-7s %5d entities %6d forms", kind, entities[kind], forms[kind])
		if entities[kind] < floor {
			t.Errorf("%d entities of kind %s, want at least %d", entities[kind], kind, floor)
		}
	}
	if n := forms[news.Org]; n < 9500 {
		t.Errorf("%d forms of organisations, want at least 9500", n)
	}
}

func TestFormsHaveTheRulesOfAliasesThatRestateNames(t *testing.T) {
	l, faults := build([]file{{"f.yaml", []byte(`
- id: org:arm
  en: Arm
  zh_hans: 安谋
  zh_hant: 安謀
  aliases: [{text: Arm, case: true}, {text: ARM, case: true}, Arm Holdings]
  tw: [{text: 安謀, near: [矽智財]}]
`)}})
	if faults != nil {
		t.Fatal(faults)
	}
	e, _ := l.Entity("org:arm")
	want := []Alias{
		{Text: "Arm", Case: true, Origin: "f.yaml"},
		{Text: "安谋", Region: "tw", Near: []string{"矽智財"}, Origin: "f.yaml"},
		{Text: "ARM", Case: true, Origin: "f.yaml"},
		{Text: "Arm Holdings", Origin: "f.yaml"},
	}
	if diff := cmp.Diff(want, e.Forms()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTermsExpandIDs(t *testing.T) {
	l, faults := build([]file{{"f.yaml", []byte(`
- {id: org:tsmc, en: TSMC, zh_hans: 台积电, aliases: [{text: TSM, case: true}]}
- {id: node:a16, en: A16, aliases: [{text: A16, near: [org:tsmc, angstrom]}]}
`)}})
	if faults != nil {
		t.Fatal(faults)
	}
	e, _ := l.Entity("node:a16")
	want := []string{"TSMC", "台积电", "angstrom"}
	if diff := cmp.Diff(want, l.Terms(e.Forms()[0].Near)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHashFollowsContent(t *testing.T) {
	hash := func(content string) string {
		t.Helper()
		l, faults := build([]file{{"f.yaml", []byte(content)}})
		if faults != nil {
			t.Fatal(faults)
		}
		return l.Hash()
	}
	base := hash("- {id: org:a, en: Alpha, aliases: [Able, Abel]}\n- {id: org:b, en: Beta}\n")
	for _, tt := range []struct {
		name, content string
		same          bool
	}{
		{"order", "- {id: org:b, en: Beta}\n- {id: org:a, en: Alpha, aliases: [Abel, Able]}\n", true},
		{"comment_and_note", "# list\n- {id: org:a, en: Alpha, aliases: [Able, Abel], note: first}\n- {id: org:b, en: Beta}\n", true},
		{"alias", "- {id: org:a, en: Alpha, aliases: [Able]}\n- {id: org:b, en: Beta}\n", false},
		{"rule", "- {id: org:a, en: Alpha, aliases: [Able, {text: Abel, case: true}]}\n- {id: org:b, en: Beta}\n", false},
		{"ticker", "- {id: org:a, en: Alpha, aliases: [Able, Abel], tickers: [NYSE:AA]}\n- {id: org:b, en: Beta}\n", false},
		{"parent", "- {id: org:a, en: Alpha, aliases: [Able, Abel], parent: org:b}\n- {id: org:b, en: Beta}\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := hash(tt.content) == base; got != tt.same {
				t.Errorf("same hash: got %t, want %t", got, tt.same)
			}
		})
	}
}
