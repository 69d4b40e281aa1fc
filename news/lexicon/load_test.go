package lexicon

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func writeFile(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name    string
		content string
		want    []string // "line: part of what is wrong"
	}{
		{"not_yaml", "- {id: org:a, en: [\n", []string{"1: not YAML"}},
		{"not_a_list", "id: org:a\nen: A\n", []string{"1: not a list of entities"}},
		{"text_for_entity", "- org:a\n", []string{"1: an entity is neither text nor"}},
		{"unknown_key", "- id: org:a\n  en: Alpha\n  zh: 阿\n", []string{`3: unknown key "zh"`}},
		{"unknown_key_in_alias", "- id: org:a\n  en: Alpha\n  aliases:\n    - text: B\n      case: true\n      far: [x]\n", []string{`6: unknown key "far" in an alias`}},
		{"key_twice", "- id: org:a\n  en: Alpha\n  en: Beta\n", []string{"not YAML"}},
		{"no_id", "- en: Alpha\n", []string{"1: entity without id"}},
		{
			"bad_id", "- {id: Org:A, en: Alpha}\n- {id: company:a, en: Alpha}\n- {id: org:a--b, en: Alpha}\n- {id: money:usd, en: Dollar}\n",
			[]string{`1: id "Org:A" is not kind:slug`, `2: id "company:a"`, `3: id "org:a--b"`, `4: id "money:usd"`},
		},
		{"id_twice", "- {id: org:a, en: Alpha}\n- {id: org:a, en: Beta}\n", []string{"2: id org:a is already used at f.yaml:1"}},
		{"no_english_name", "- {id: org:a, zh_hans: 阿}\n", []string{"1: entity org:a has no English name"}},
		{"empty_name", "- {id: org:a, en: \"\"}\n", []string{`1: en "" is empty`, "no English name"}},
		{"null_name", "- {id: org:a, en: null}\n", []string{"1: en is not text", "no English name"}},
		{"name_without_letters", "- {id: org:a, en: \"--\"}\n", []string{`1: en "--" has no letter`}},
		{"chinese_in_en", "- {id: org:a, en: 台积电}\n", []string{`1: en "台积电" has Chinese`}},
		{"latin_in_zh", "- {id: org:a, en: Alpha, zh_hans: Alpha}\n", []string{`1: Chinese name "Alpha" has no Chinese`}},
		{"traditional_in_zh_hans", "- {id: org:a, en: Alpha, zh_hans: 台積電}\n", []string{`1: zh_hans "台積電" has Traditional`}},
		{"simplified_in_zh_hant", "- {id: org:a, en: Alpha, zh_hant: 台积电}\n", []string{`1: zh_hant "台积电" has Simplified`}},
		{"aliases_not_a_list", "- {id: org:a, en: Alpha, aliases: Beta}\n", []string{"1: aliases is not a list"}},
		{"alias_without_text", "- {id: org:a, en: Alpha, aliases: [{case: true}]}\n", []string{"1: alias without text"}},
		{"alias_is_a_name", "- {id: org:a, en: Alpha, zh_hans: 台积电, aliases: [ALPHA, 臺積電]}\n", []string{`1: alias "ALPHA" is a name`, `1: alias "臺積電" is a name`}},
		{"alias_twice", "- id: org:a\n  en: Alpha\n  aliases:\n    - Beta One\n    - beta-one\n", []string{`5: alias "beta-one" is already listed for org:a in line 4`}},
		{"short_latin_alias", "- {id: org:a, en: Alpha, aliases: [TI]}\n", []string{`1: alias "TI" is too short`}},
		{"single_character_alias", "- {id: org:a, en: Alpha, aliases: [台]}\n", []string{`1: alias "台" is a single character`}},
		{
			"abbrev", "- {id: org:a, en: Alpha, aliases: [{text: 台, abbrev: true}]}\n- {id: place:b, en: Beta, aliases: [{text: 美, abbrev: true}, {text: 美国, abbrev: true}]}\n",
			[]string{`1: alias "台" asks for abbrev`, `2: alias "美国" asks for abbrev`},
		},
		{"case_beside_no_case", "- {id: org:a, en: Arm, aliases: [{text: ARM, case: true}]}\n", []string{`1: alias "ARM" of org:a asks for letter case`}},
		{"flag_not_boolean", "- {id: org:a, en: Alpha, aliases: [{text: Beta, case: sure}]}\n", []string{"1: case is not true or false"}},
		{"empty_near", "- {id: org:a, en: Alpha, aliases: [{text: Beta, near: []}]}\n", []string{"1: near is empty"}},
		{"near_unknown_id", "- {id: org:a, en: Alpha, aliases: [{text: Beta, near: [org:b]}]}\n", []string{`1: term "org:b" of alias "Beta"`}},
		{"homonym", "- {id: org:a, en: Alpha}\n- {id: org:b, en: Beta, aliases: [alpha]}\n", []string{`2: "alpha" of org:b is also a form of org:a (f.yaml:1)`}},
		{"parent_unknown", "- {id: org:a, en: Alpha, parent: org:b}\n", []string{`1: parent "org:b" of org:a is not in`}},
		{"parent_ring", "- {id: org:a, en: Alpha, parent: org:b}\n- {id: org:b, en: Beta, parent: org:a}\n", []string{"1: org:a is its own ancestor", "2: org:b is its own ancestor"}},
		{
			"tickers", "- {id: org:a, en: Alpha, tickers: [\"2330\", TWSE:TSM, NOPE:1, NYSE:TSM, NYSE:TSM]}\n- {id: org:b, en: Beta, tickers: [NYSE:TSM]}\n",
			[]string{`1: ticker "2330" has no exchange`, `1: ticker "TWSE:TSM": TWSE has no such`, `1: ticker "NOPE:1": unknown exchange`, `1: ticker "NYSE:TSM" is already listed`, `2: ticker "NYSE:TSM" belongs to org:a`},
		},
		{"remove_nothing", "- {id: org:a, en: Alpha, remove: [Beta]}\n", []string{`1: remove: org:a has no alias "Beta"`}},
		{"deep_flow", strings.Repeat("[\n", 1_000_000), []string{"201: more than 200 brackets"}},
		{"deep_line", strings.Repeat("a: &b ", 1_000_000), []string{"1: line of more than 8192 bytes"}},
		{"too_large", strings.Repeat("#\n", MaxFileBytes), []string{"1: file has more than"}},
		{"anchor", "- &a {id: org:a, en: Alpha}\n- *a\n", []string{"1: an entity is neither", "2: an entity is neither"}},
		{"all_at_once", "- {id: org:a, en: \"\"}\n- {id: org:b, en: Beta, colour: red}\n", []string{`1: en "" is empty`, "no English name", `2: unknown key "colour"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, faults := build([]file{{"f.yaml", []byte(tt.content)}})
			if len(faults) != len(tt.want) {
				t.Fatalf("got %d faults, want %d:\n%v", len(faults), len(tt.want), faults)
			}
			for _, want := range tt.want {
				if !strings.Contains(faults.Error(), want) {
					t.Errorf("got %v, want %q among them", faults, want)
				}
			}
			for _, f := range faults {
				if f.Hint == "" {
					t.Errorf("%v has no hint", f)
				}
			}
		})
	}
}

func TestGoodFilesHaveNoFaults(t *testing.T) {
	for _, tt := range []struct{ name, content string }{
		{"empty", ""},
		{"comment_only", "# nothing yet\n"},
		{"homonym_with_rule", "- {id: org:a, en: Alpha}\n- {id: org:b, en: Beta, aliases: [{text: Alpha, near: [x]}]}\n"},
		{"homonym_of_other_case", "- {id: org:a, en: Able, aliases: [{text: Able, case: true}]}\n- {id: org:b, en: Beta, aliases: [{text: ABLE, case: true}]}\n"},
		{"numbers", "- {id: product:rtx-5090, en: RTX 5090, aliases: [5090]}\n"},
		{"several_documents", "- {id: org:a, en: Alpha}\n---\n- {id: org:b, en: Beta}\n"},
		{"colon_in_flow", "- {id: product:nxe, en: Scanner, aliases: [NXE:3600D, {text: EXE:5000, near: [product:nxe]}], tickers: [TYO:285A]}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, faults := build([]file{{"f.yaml", []byte(tt.content)}}); faults != nil {
				t.Error(faults)
			}
		})
	}
}

func TestLoadAddsOwnFiles(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	own := writeFile(t, first, "own.yaml", `
- id: org:nvidia
  zh_hant: 英偉達
  aliases: [Team Green, {text: 老黄家, near: [显卡]}]
  tickers: [ETR:NVD]
- {id: org:our-fab, en: Our Fab, parent: org:nvidia}
`)
	more := writeFile(t, second, "more.yml", "- {id: org:our-fab, en: Our Fab, aliases: [OFAB]}\n- {id: org:amd, remove: [超威]}\n")
	writeFile(t, second, "notes.txt", "not YAML: [")
	writeFile(t, second, ".hidden.yaml", "not YAML: [")

	l, err := Load(first, filepath.Join(first, "absent"), second)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := l.Entity("org:nvidia")
	if e.Origin != BuiltIn || e.ZhHant != "英偉達" || e.ZhHans != "英伟达" {
		t.Errorf("got origin %q, names %q %q; want a built-in entity with the file's name", e.Origin, e.ZhHant, e.ZhHans)
	}
	if diff := cmp.Diff([]string{"NASDAQ:NVDA", "ETR:NVD"}, e.Tickers); diff != "" {
		t.Errorf("tickers (-want +got):\n%s", diff)
	}
	origins := make(map[string]string)
	for _, f := range e.Forms() {
		origins[f.Text] = f.Origin
	}
	for text, want := range map[string]string{"NVIDIA": BuiltIn, "輝達": BuiltIn, "Team Green": own, "老黄家": own} {
		if origins[text] != want {
			t.Errorf("origin of %s: got %q, want %q", text, origins[text], want)
		}
	}
	for name, want := range map[string][]string{"team green": {"org:nvidia"}, "輝達": {"org:nvidia"}, "OFAB": {"org:our-fab"}, "超威": nil} {
		if diff := cmp.Diff(want, l.Lookup(name)); diff != "" {
			t.Errorf("Lookup(%q) (-want +got):\n%s", name, diff)
		}
	}
	if e, _ := l.Entity("org:our-fab"); e.Origin != own || e.Aliases[0].Origin != more {
		t.Errorf("got origins %q and %q, want %q and %q", e.Origin, e.Aliases[0].Origin, own, more)
	}
	if before := builtin(t); before.Hash() == l.Hash() {
		t.Error("own files do not change the hash")
	}
}

func TestLoadBlamesTheOwnFile(t *testing.T) {
	dir := t.TempDir()
	path := writeFile(t, dir, "own.yaml", "- id: org:a-new-one\n  en: A New One\n  aliases: [台積電]\n")
	err := Check(dir)
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 1 {
		t.Fatalf("got %v, want one fault", err)
	}
	if f := faults[0]; f.File != path || f.Line != 3 {
		t.Errorf("got %s:%d, want %s:3", f.File, f.Line, path)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("- {id: org:a, en: Alpha, aliases: [{text: B, case: true, near: [org:b]}], tickers: [TWSE:2330]}\n"))
	f.Add([]byte("- id: org:a\n  en: |\n    Alpha\n  tw: [台積電]\n  note: x\n---\n# c\n- *a\n"))
	f.Add([]byte("? [a]\n: {b: !!str c}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		l, faults := build([]file{{"f.yaml", content}})
		if (l == nil) == (faults == nil) {
			t.Fatalf("lexicon %v with faults %v", l, faults)
		}
		for _, fault := range faults {
			if fault.What == "" || fault.Hint == "" || fault.Line < 1 {
				t.Errorf("fault without line, what or hint: %+v", fault)
			}
		}
		if l == nil {
			return
		}
		for _, e := range l.Entities() {
			if got := l.Lookup(e.ID); len(got) != 1 || got[0] != e.ID {
				t.Errorf("Lookup(%q) = %q", e.ID, got)
			}
		}
	})
}
