package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/query"
	"xinwen/news"
)

func write(t *testing.T, dir, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoadReadsOneRuleOrAList(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "prices.yaml", "id: tsmc-prices\nname: 台积电涨价\nquery: 台积电 AND 涨价\nlabels: [price]\nwebhooks:\n  - url: https://example.com/hook\n    secret_env: HOOK_SECRET\n")
	write(t, dir, "memory.yml", "- id: hbm\n  query: HBM\n- id: nand\n  query: NAND OR 闪存\n  disabled: true\n")
	write(t, dir, "empty.yaml", "# nothing yet\n")
	write(t, dir, "notes.txt", "not a rule")
	write(t, dir, ".hidden.yaml", "nonsense: [")
	got, err := Load(dir, query.Parse)
	if err != nil {
		t.Fatal(err)
	}
	want := &Set{Rules: []Stored{
		{news.Rule{ID: "hbm", Name: "hbm", Query: "HBM"}, "memory.yml"},
		{news.Rule{ID: "nand", Name: "nand", Query: "NAND OR 闪存", Disabled: true}, "memory.yml"},
		{news.Rule{
			ID: "tsmc-prices", Name: "台积电涨价", Query: "台积电 AND 涨价", Labels: []string{"price"},
			Webhooks: []news.Webhook{{URL: "https://example.com/hook", SecretEnv: "HOOK_SECRET"}},
		}, "prices.yaml"},
	}}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("got %v, want %v:\n%s", got, want, d)
	}
}

func TestLoadOfNoDirectoryIsNoRules(t *testing.T) {
	got, err := Load(filepath.Join(t.TempDir(), "none"), query.Parse)
	if err != nil || len(got.Rules) != 0 {
		t.Errorf("got %v, %v, want no rules", got, err)
	}
}

func TestLoadTellsAllFaultsWithTheirLines(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       []string // the beginnings, in order
	}{
		{"unknown_key", "id: a\nqueri: x\n", []string{"f.yaml:2: unknown field"}},
		{"broken_yaml", "id: a\n  query: [\n", []string{"f.yaml:"}},
		{"no_id", "query: x\n", []string{"f.yaml:1: the rule has no id"}},
		{"bad_id", "id: Big Id\nquery: x\n", []string{`f.yaml:1: id "Big Id" is not a slug`}},
		{"reserved", "id: search\nquery: x\n", []string{`f.yaml:1: id "search" is reserved`}},
		{"no_query", "id: a\n", []string{"f.yaml:1: the rule has no query"}},
		{"syntax", "id: a\nname: n\nquery: (台积电 OR\n", []string{"f.yaml:3: query, column "}},
		{"everything", "id: a\nquery: '*'\n", []string{`f.yaml:2: query "*" matches nearly every article`}},
		{"only_not", "id: a\nquery: NOT 苹果\n", []string{"f.yaml:2: query \"NOT 苹果\" matches nearly"}},
		{"or_not", "id: a\nquery: 台积电 OR NOT 苹果\n", []string{"f.yaml:2: query"}},
		{"only_time", "id: a\nquery: published:2025-11-01..\n", []string{"f.yaml:2: query"}},
		{
			"webhooks", "id: a\nquery: x\nwebhooks:\n- url: ftp://example.com\n  secret_env: A\n- url: https://example.com/x\n- url: https://u:p@example.com/\n  secret_env: A\n  secret_file: b\n",
			[]string{"f.yaml:3: webhook 1: url", "f.yaml:3: webhook 2 needs either", "f.yaml:3: webhook 3: url holds", "f.yaml:3: webhook 3 needs either"},
		},
		{"several", "- id: a\n  query: (\n- id: B\n  query: x\n- id: a\n  query: y\n", []string{"f.yaml:2: query, column", "f.yaml:3: id \"B\"", "f.yaml:5: id \"a\" is already taken"}},
		{"scalar", "just text\n", []string{"f.yaml:1: "}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "f.yaml", tc.body)
			got, err := Load(dir, query.Parse)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Rules) != 0 {
				t.Errorf("got rules %v of a file with faults, want none", got.Rules)
			}
			if len(got.Faults) != len(tc.want) {
				t.Fatalf("got faults %v, want %d", got.Faults, len(tc.want))
			}
			for i, f := range got.Faults {
				if !strings.HasPrefix(f.Error(), tc.want[i]) {
					t.Errorf("got fault %q, want %q…", f.Error(), tc.want[i])
				}
			}
		})
	}
}

func TestLoadKeepsFilesApart(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "bad.yaml", "id: one\nquery: (\n")
	write(t, dir, "good.yaml", "id: two\nquery: HBM\n")
	got, err := Load(dir, query.Parse)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Rules) != 1 || got.Rules[0].ID != "two" || !cmp.Equal(got.Bad, []string{"bad.yaml"}) {
		t.Errorf("got %v bad %v, want rule two and bad.yaml", got.Rules, got.Bad)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("id: a\nquery: x\n")
	f.Add("- id: a\n  query: (\n- 3\n- [x]\n---\nid: &x b\nquery: *x\n")
	f.Fuzz(func(t *testing.T, body string) {
		found, faults := parse("f.yaml", []byte(body), query.Parse)
		for _, r := range found {
			if len(faults) == 0 && (r.rule.ID == "" || r.rule.Query == "") {
				t.Errorf("got rule %+v without fault", r.rule)
			}
		}
	})
}
