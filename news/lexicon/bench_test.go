package lexicon

import "testing"

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	l, err := Builtin()
	if err != nil {
		b.Fatal(err)
	}
	names := []string{"org:tsmc", "輝達", "SK 海力士", "2330.TW", "nobody"}
	b.ReportAllocs()
	for b.Loop() {
		for _, n := range names {
			l.Lookup(n)
		}
	}
}
