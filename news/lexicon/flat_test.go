package lexicon

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var entryFields = cmp.Options{cmp.AllowUnexported(entry{}, text{}, form{}, place{}), cmpopts.EquateEmpty()}

// TestFlatReaderAgreesWithYAML compares the two readers on the built-in files,
// all of which must be flat.
func TestFlatReaderAgreesWithYAML(t *testing.T) {
	files, err := readBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		got, ok := parseFlat(f.name, string(f.data))
		if !ok {
			t.Errorf("%s is not flat: it loads ten times slower", f.name)
			continue
		}
		p := fileParser{file: f.name}
		want, faults := p.yaml(f.data)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if diff := cmp.Diff(got, want, entryFields); diff != "" {
			t.Errorf("%s differs (-flat +yaml):\n%.2000s", f.name, diff)
		}
	}
}

var flatCases = []string{
	"- {id: org:a, en: A Corp, tickers: [TWSE:2330, NYSE:TSM]}\n",
	"# head\n\n- id: org:a\n  en: \"A: B\"\n  aliases:\n    - one\n    # between\n    - {text: ARM, case: true, near: [x,\n      y z], not: [q]}\n  note: it's so\n\n- {id: org:b, en: 5090,\n   cn: [甲, 乙]}",
	"- {id: org:a, en: A, aliases: []}\n",
	"- id: org:a\n  en: true\n",
	"- id: org:a # comment\n  en: A\n",
	"- id: org:a\n  en: 'quoted'\n",
	"- id: org:a\n  id: org:b\n",
	"- id: org:a\n  en: a\n   b\n",
	"- {id: org:a, en: a #b}\n",
	"- {id: org:a, en: 0x1F, aliases: [1e3, .5, 1_000, 2024-01-01]}\n",
}

// FuzzFlat holds the flat reader to the YAML library: what it understands, both
// read alike.
func FuzzFlat(f *testing.F) {
	for _, c := range flatCases {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, what := checkShape([]byte(s)); what != "" || len(s) > 4<<10 {
			return
		}
		got, ok := parseFlat("f", s)
		if !ok {
			return
		}
		p := fileParser{file: "f"}
		want, faults := p.yaml([]byte(s))
		if len(faults) > 0 {
			t.Fatalf("%q: read without a fault, but YAML has %v", s, faults)
		}
		if diff := cmp.Diff(got, want, entryFields); diff != "" {
			t.Errorf("%q differs (-flat +yaml):\n%s", s, diff)
		}
	})
}
