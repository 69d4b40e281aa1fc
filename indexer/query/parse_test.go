package query

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func text(s string) Node { return Text{Value: s} }

func TestParse(t *testing.T) {
	nov := Range{FieldPublished, day(2025, 11, 1), day(2025, 11, 18)}
	for _, tt := range []struct {
		name, query string
		want        Node
	}{
		{"empty", "", All{}},
		{"space", " \u3000 ", All{}},
		{"star", "*", All{}},
		{"word", "台积电", text("台积电")},
		{"juxtaposition", "台积电 涨价", And{[]Node{text("台积电"), text("涨价")}}},
		{"and", "台积电 AND 涨价", And{[]Node{text("台积电"), text("涨价")}}},
		{"ampersands", "台积电&&涨价", And{[]Node{text("台积电"), text("涨价")}}},
		{"one-ampersand", "AT&T", text("AT&T")},
		{"pipes", "a || b", Or{[]Node{text("a"), text("b")}}},
		{"full-width", "ａ ＯＲ （ｂ ＡＮＤ　ｃ）", Or{[]Node{text("ａ"), And{[]Node{text("ｂ"), text("ｃ")}}}}},
		{"precedence", "a OR b c", Or{[]Node{text("a"), And{[]Node{text("b"), text("c")}}}}},
		{"flattened", "a (b (c d))", And{[]Node{text("a"), text("b"), text("c"), text("d")}}},
		{"lower-case-is-text", "a or b", And{[]Node{text("a"), text("or"), text("b")}}},
		{"not", "a NOT b", And{[]Node{text("a"), Not{text("b")}}}},
		{"minus", "a -b", And{[]Node{text("a"), Not{text("b")}}}},
		{"exclamation", "!b", Not{text("b")}},
		{"not-not", "NOT -b", text("b")},
		{"hyphen-inside", "GPT-4", text("GPT-4")},
		{"dash-between", "a - b", And{[]Node{text("a"), text("b")}}},
		{"not-binds-tighter", "NOT a b", And{[]Node{Not{text("a")}, text("b")}}},
		{"phrase", `"SK 海力士"`, Phrase{Value: "SK 海力士"}},
		{"chinese-quotes", "“先进封装”「良率」『成本』", And{[]Node{Phrase{Value: "先进封装"}, Phrase{Value: "良率"}, Phrase{Value: "成本"}}}},
		{"mixed-quotes", `“先进封装"`, Phrase{Value: "先进封装"}},
		{"quote-in-quote", `"a \"b\" c"`, Phrase{Value: `a "b" c`}},
		{"word-then-phrase", "英伟达“涨价”", And{[]Node{text("英伟达"), Phrase{Value: "涨价"}}}},
		{"near", "台积电 NEAR/5 涨价", Near{5, text("台积电"), text("涨价")}},
		{"near-default", "a NEAR b", Near{DefaultDistance, text("a"), text("b")}},
		{"near-group", "(a OR entity:x) NEAR/3 c d", And{[]Node{Near{3, Or{[]Node{text("a"), Entity{"x"}}}, text("c")}, text("d")}}},
		{"prefix", "nvid*", Prefix{Value: "nvid"}},
		{"field", "title:涨价", Text{"title", "涨价"}},
		{"field-group", "title:(a OR \"b c\") d", And{[]Node{Or{[]Node{Text{"title", "a"}, Phrase{"title", "b c"}}}, text("d")}}},
		{"chinese-field", "标题：涨价", Text{"title", "涨价"}},
		{"entity", "entity:org:tsmc x", And{[]Node{Entity{"org:tsmc"}, text("x")}}},
		{"entity-quoted", `entity:"SK hynix"`, Entity{"SK hynix"}},
		{"entity-group", "entity:(org:tsmc OR org:nvidia) title:a", And{[]Node{Or{[]Node{Entity{"org:tsmc"}, Entity{"org:nvidia"}}}, Text{"title", "a"}}}},
		{"entity-group-nested", "entity:((org:a org:b) OR org:c)", Or{[]Node{And{[]Node{Entity{"org:a"}, Entity{"org:b"}}}, Entity{"org:c"}}}},
		{"lang", "lang:ZH-hant", Keyword{"lang", "zh-Hant"}},
		{"source-not", "-source:eepw", Not{Keyword{"source", "eepw"}}},
		{"url", "url:https://a.example/b?c=1", Keyword{"url", "https://a.example/b?c=1"}},
		{"range", "published:2025-11-01..2025-11-17", nov},
		{"range-day", "published:2025-11-01", Range{FieldPublished, day(2025, 11, 1), day(2025, 11, 2)}},
		{"range-month", "published:2025-11", Range{FieldPublished, day(2025, 11, 1), day(2025, 12, 1)}},
		{"range-from", "fetched:2025-11-01..", Range{Field: FieldFetched, From: day(2025, 11, 1)}},
		{"range-to", "published:..2025-11-17", Range{Field: FieldPublished, To: day(2025, 11, 18)}},
		{"range-ge", "published:>=2025-11-01", Range{Field: FieldPublished, From: day(2025, 11, 1)}},
		{"range-lt", "published:<2025-11-01", Range{Field: FieldPublished, To: day(2025, 11, 1)}},
		{"range-times", "published:2025-11-01T08:00+08:00..2025-11-01T12:00Z", Range{FieldPublished, day(2025, 11, 1), day(2025, 11, 1).Add(12 * time.Hour)}},
		{"chinese-comma", "英伟达，台积电。", And{[]Node{text("英伟达"), text("台积电")}}},
		{"label", "快讯：台积电", And{[]Node{text("快讯"), text("台积电")}}},
		{"clock", "12:30", text("12:30")},
		{"escaped", `\AND \-x a\:b`, And{[]Node{text("AND"), text("-x"), text("a:b")}}},
		{"symbols-skipped", "a + b", And{[]Node{text("a"), text("b")}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("want -, got +:\n%s", d)
			}
			again, err := Parse(got.String())
			if err != nil || !cmp.Equal(got, again) {
				t.Errorf("%s: got %#v, %v, want %#v", got, again, err, got)
			}
		})
	}
}

func TestParseReadsDaysInTheGivenZone(t *testing.T) {
	zone := time.FixedZone("UTC+8", 8*3600)
	got, err := ParseWith("published:2025-11-17", Options{Location: zone})
	if err != nil {
		t.Fatal(err)
	}
	want := Range{FieldPublished, time.Date(2025, 11, 16, 16, 0, 0, 0, time.UTC), time.Date(2025, 11, 17, 16, 0, 0, 0, time.UTC)}
	if !cmp.Equal(got, Node(want)) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestParseErrorsNameTheColumn(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		column      int
		message     string
	}{
		{"open-quote", `台积电 "涨价`, 5, "never closed"},
		{"open-parenthesis", "台积电 （涨价", 5, "never closed"},
		{"close-parenthesis", "台积电)", 4, "closes nothing"},
		{"operator-at-end", "台积电 AND", 8, "ends where"},
		{"operator-at-start", "OR 台积电", 1, "both sides"},
		{"unknown-field", "a tilte:x", 3, "no field"},
		{"unknown-lang", "lang:fr", 6, "cannot be"},
		{"field-in-field", "title:(a text:b)", 10, "inside another"},
		{"no-value", "title: ", 1, "no value"},
		{"bad-day", "published:yesterday", 11, "not a day"},
		{"backwards", "published:2025-11-17..2025-11-01", 11, "before it begins"},
		{"star-first", "a *b", 3, "begin with *"},
		{"star-inside", "a*b", 2, "end of a word"},
		{"near-too-far", "a NEAR/500 b", 3, "NEAR needs"},
		{"near-keyword", "a NEAR/5 lang:zh", 1, "NEAR stands"},
		{"near-two-fields", "title:a NEAR/5 text:b", 1, "different fields"},
		{"near-chain", "a NEAR/5 b NEAR/5 c", 12, "two sides"},
		{"symbols-only", "🚀", 2, "no word"},
		{"empty-quotes", `a "…"`, 3, "no word"},
		{"unknown-entity", "entity:nosuch", 8, "no entity"},
		{"depth", strings.Repeat("(", 40) + "a", 33, "nested deeper"},
		{"prefixes", strings.Repeat("ab* ", 40), 129, "more than 32 words with *"},
		{"leaves", strings.Repeat("a ", 600), 1025, "more than"},
		{"length", strings.Repeat("a", 9000), 0, "longer than"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseWith(tt.query, Options{KnowsEntity: func(string) bool { return false }})
			var e *SyntaxError
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a syntax error", err)
			}
			if e.Column != tt.column || !strings.Contains(e.Message, tt.message) {
				t.Errorf("got column %d, %q, want column %d, %q", e.Column, e.Message, tt.column, tt.message)
			}
		})
	}
}

func TestUnknownFieldHintsAtTheNearest(t *testing.T) {
	_, err := Parse("sorce:eepw")
	if err == nil || !strings.Contains(err.Error(), "did you mean source:") {
		t.Errorf("got %v, want a hint at source:", err)
	}
}

func TestPlainHasNoSyntax(t *testing.T) {
	for s, want := range map[string]Node{
		"":            All{},
		"🚀 !":         All{},
		`OR "a (b -c`: And{[]Node{text("OR"), text(`"a`), text("(b"), text("-c")}},
		"英伟达的最新芯片，什么时候上市？": And{[]Node{text("英伟达的最新芯片"), text("什么时候上市？")}},
	} {
		got := Plain(s)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: want -, got +:\n%s", s, d)
		}
		if again, err := Parse(got.String()); err != nil || !cmp.Equal(got, again) {
			t.Errorf("%s: got %v, %v, want %v", got, again, err, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"台积电 AND (三星 OR “先进封装”) -手机", "title:(a OR b*) NEAR/3 c", "entity:org:tsmc published:2025-11..", `a\*b "x\"y"`,
		"a - b !c && d||e", "标题：涨价，来源:eepw", "lang:(zh OR en)", "*", "NOT NOT (a)", "（「a」：b）",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, n := range []Node{Plain(s), mustParse(s)} {
			if n == nil {
				continue
			}
			printed := n.String()
			if len(printed) > MaxBytes {
				continue
			}
			again, err := Parse(printed)
			if err != nil {
				t.Fatalf("%q printed as %q: %v", s, printed, err)
			}
			if d := cmp.Diff(n, again); d != "" {
				t.Fatalf("%q printed as %q: want -, got +:\n%s", s, printed, d)
			}
		}
	})
}

// mustParse returns nil for what is no query.
func mustParse(s string) Node {
	n, err := Parse(s)
	if err != nil {
		return nil
	}
	return n
}
