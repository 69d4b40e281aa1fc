package lexicon

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLookupFindsOneEntityByAnyForm(t *testing.T) {
	l, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"org:nvidia", []string{"org:nvidia"}},
		{"NVIDIA", []string{"org:nvidia"}},
		{"nvidia", []string{"org:nvidia"}},
		{"英伟达", []string{"org:nvidia"}},
		{"英偉達", []string{"org:nvidia"}},
		{"輝達", []string{"org:nvidia"}},
		{"NVDA", []string{"org:nvidia"}},
		{"2330", []string{"org:tsmc"}},
		{"TWSE:2330", []string{"org:tsmc"}},
		{"2330.TW", []string{"org:tsmc"}},
		{"", nil},
		{"nobody", nil},
	} {
		if diff := cmp.Diff(tt.want, l.Lookup(tt.name)); diff != "" {
			t.Errorf("Lookup(%q) (-want +got):\n%s", tt.name, diff)
		}
	}
}
