package gold

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "set")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCLUENERLines(t *testing.T) {
	got, err := CLUENER(write(t, `{"text": "青禾行的卢一舟说", "label": {"name": {"卢一舟": [[4, 6]]}, "company": {"青禾行": [[0, 2]]}}}`+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Text{{Text: "青禾行的卢一舟说", Names: []Name{{0, 9, "company"}, {12, 21, "name"}}}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("texts differ (-got +want):\n%s", diff)
	}
	if _, err := CLUENER(write(t, `{"text": "青", "label": {"name": {"青禾": [[0, 1]]}}}`)); err == nil {
		t.Error("a span outside of the text was taken")
	}
}

func TestCoNLLColumns(t *testing.T) {
	for name, text := range map[string]string{
		"begin":  "-DOCSTART- O\n\nZel X B-ORG\nCorp Y I-ORG\nin O\nOslo B-LOC\n\nEnd\tO\n",
		"inside": "Zel I-ORG\nCorp I-ORG\nin O\nOslo I-LOC\n\nEnd O",
	} {
		got, err := CoNLL(write(t, text))
		if err != nil {
			t.Fatal(err)
		}
		want := []Text{{Text: "Zel Corp in Oslo", Names: []Name{{0, 8, "ORG"}, {12, 16, "LOC"}}}, {Text: "End"}}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s: texts differ (-got +want):\n%s", name, diff)
		}
	}
}

func TestCounts(t *testing.T) {
	var c Counts
	c.Add([]Name{{0, 2, "ORG"}, {3, 4, "ORG"}}, []Name{{0, 2, "ORG"}, {3, 4, "PER"}, {5, 6, "PER"}, {7, 8, "PER"}})
	if c.Precision() != 0.5 || c.Recall() != 0.25 || c.F1() != 1.0/3 {
		t.Errorf("got precision %v, recall %v, F1 %v, want 0.5, 0.25, 0.333", c.Precision(), c.Recall(), c.F1())
	}
}
