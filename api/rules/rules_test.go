package rules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
		{Rule: news.Rule{ID: "hbm", Name: "hbm", Query: "HBM"}, Origin: "memory.yml"},
		{Rule: news.Rule{ID: "nand", Name: "nand", Query: "NAND OR 闪存", Disabled: true}, Origin: "memory.yml"},
		{Rule: news.Rule{
			ID: "tsmc-prices", Name: "台积电涨价", Query: "台积电 AND 涨价", Labels: []string{"price"},
			Webhooks: []news.Webhook{{URL: "https://example.com/hook", SecretEnv: "HOOK_SECRET"}},
		}, Origin: "prices.yaml"},
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
		{
			"conditions", "id: a\nquery: x\nlanguages: [fr]\ntogether: {entities: [a]}\nfirst: {}\nspike: {window: 10s, history: 1d}\n",
			[]string{"f.yaml:3: language", "f.yaml:4: together needs", "f.yaml:5: first names no", "f.yaml:6: window", "f.yaml:6: first, threshold and spike"},
		},
		{"duration", "id: a\nquery: x\nthreshold: {count: 3, window: soon}\n", []string{"f.yaml:"}},
		{
			"channels", "id: a\nquery: x\nchannels:\n- kind: pager\n- kind: slack\n- kind: email\n  to: [nobody]\n  url_env: X\n- kind: telegram\n  secret_env: T\n  to: [me]\n  escalate: other\n- kind: slack\n  url_env: A\n  url_file: b\n  language: de\n",
			[]string{
				"f.yaml:3: channel 1 (pager): kind", "f.yaml:3: channel 2 (slack) needs url_env", "f.yaml:3: channel 3 (email) has no use for url_env", "f.yaml:3: channel 3 (email): \"nobody\"",
				"f.yaml:3: channel 4 (telegram) needs one chat", "f.yaml:3: channel 4 (telegram) escalates", "f.yaml:3: channel 5 (slack) has the name", "f.yaml:3: channel 5 (slack) has both", "f.yaml:3: channel 5 (slack): language",
			},
		},
		{
			"times", "id: a\nquery: x\ndigest: {every: week, at: 25:00, zone: Mars}\nquiet: {from: \"22:00\", to: \"22:00\"}\nthrottle: {most: 0, per: 1s}\n",
			[]string{"f.yaml:3: digest: every", "f.yaml:3: digest: at", "f.yaml:3: digest: zone", "f.yaml:4: quiet: from and to", "f.yaml:5: throttle: most", "f.yaml:5: throttle: per"},
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

func TestLoadReadsAWholeRule(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", `id: a
query: x
owner: desk
muted_until: 2025-11-17T08:00:00+08:00
languages: [zh-Hant]
sources: [demo]
together:
  entities:
  - org:a
  - org:b
  within: sentence
threshold: {count: 3, window: 2h}
repeats: true
channels:
- {kind: feishu, url_env: F, secret_file: f, language: zh-Hans, escalate: desk, escalate_after: 5m}
- {kind: email, name: desk, to: [desk@example.com], backup: true}
digest: {every: day, at: "08:30", zone: Asia/Taipei}
quiet: {from: "22:00", to: "07:00", zone: Asia/Taipei}
throttle: {most: 5, per: 1h}
`)
	got, err := Load(dir, query.Parse)
	if err != nil || len(got.Faults) > 0 {
		t.Fatalf("got %v, %v, want no faults", got.Faults, err)
	}
	want := news.Rule{
		ID: "a", Name: "a", Query: "x", Owner: "desk", MutedUntil: time.Date(2025, 11, 17, 0, 0, 0, 0, time.UTC),
		Languages: []string{"zh-Hant"}, Sources: []string{"demo"},
		Together:  &news.Together{Entities: []string{"org:a", "org:b"}, Within: news.WithinSentence},
		Threshold: &news.Threshold{Count: 3, Window: news.Duration(2 * time.Hour)},
		Repeats:   true,
		Channels: []news.Channel{
			{Kind: news.ChannelFeishu, URLEnv: "F", SecretFile: "f", Language: "zh-Hans", Escalate: "desk", EscalateAfter: news.Duration(5 * time.Minute)},
			{Kind: news.ChannelEmail, Name: "desk", To: []string{"desk@example.com"}, Backup: true},
		},
		Digest:   &news.Digest{Every: news.EveryDay, At: "08:30", Zone: "Asia/Taipei"},
		Quiet:    &news.Quiet{From: "22:00", To: "07:00", Zone: "Asia/Taipei"},
		Throttle: &news.Throttle{Most: 5, Per: news.Duration(time.Hour)},
	}
	if d := cmp.Diff(want, got.Rules[0].Rule); d != "" {
		t.Errorf("want -, got +:\n%s", d)
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

func TestDraftsMayLackWhatIsKept(t *testing.T) {
	for _, c := range []struct {
		body   string
		id     string
		faults int
	}{
		{"query: x\n", "draft", 0},
		{"id: a\nquery: '*'\n", "a", 0},
		{"- query: x\n- id: b\n  query: y\n", "draft", 0},
		{"query: (x\n", "draft", 1},
		{"id: A\nquery: x\n", "A", 1},
		{"id: a\n", "a", 1},
	} {
		list, faults := ParseDrafts("f.yaml", []byte(c.body), query.Parse)
		if len(list) == 0 || list[0].ID != c.id || len(faults) != c.faults {
			t.Errorf("%q: got %+v, faults %v, want id %s and %d faults", c.body, list, faults, c.id, c.faults)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("id: a\nquery: x\n")
	f.Add("- id: a\n  query: (\n- 3\n- [x]\n---\nid: &x b\nquery: *x\n")
	f.Fuzz(func(t *testing.T, body string) {
		found, faults := parse("f.yaml", []byte(body), func(r *news.Rule) []KeyFault { return Check(r, query.Parse) })
		for _, r := range found {
			if len(faults) == 0 && (r.rule.ID == "" || r.rule.Query == "") {
				t.Errorf("got rule %+v without fault", r.rule)
			}
		}
	})
}
