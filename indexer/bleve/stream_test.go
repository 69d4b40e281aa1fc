package bleve

import (
	"bytes"
	"testing"
	"time"

	"xinwen/indexer/query"
)

func TestStreamFindsPhrases(t *testing.T) {
	an := testOptions(t, "").Analyzer
	tests := []struct {
		name, text, phrase string
		want               []span
	}{
		{"frequent_and_rare_characters", "中国的龘龘芯片", "龘芯片", []span{{4, 7}}},
		{"kana_hangul_and_beyond_the_plane", "ソニー 삼성전자 𠮷野家", "𠮷野", []span{{7, 9}}},
		{"words_between_characters", "采用HBM3E的GB200", "HBM3E的GB200", []span{{2, 5}}},
		{"a_part_of_a_word", "HBM3E需求", "HBM需求", []span{{0, 3}}},
		{"over_a_comma", "先进，封装", "先进 封装", []span{{0, 4}}},
		{"not_over_a_comma", "先进，封装", "先进封装", nil},
		{"twice", "涨价又涨价", "涨价", []span{{0, 2}, {3, 5}}},
		{"not_inside_a_word", "nvidias nvidia", "nvidia", []span{{1, 2}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := appendStream(nil, an.Bigrams(tt.text))
			if bytes.IndexByte(data, 0xff) >= 0 || bytes.IndexByte(data, nextField) >= 0 {
				t.Fatalf("stream %q has a mark in it", data)
			}
			c, err := query.Lower(query.Phrase{Value: tt.phrase}, an, nil)
			if err != nil {
				t.Fatal(err)
			}
			p := newPattern(c)
			var s stream
			s.reset(data)
			got := s.find(nil, &p)
			if len(got) != len(tt.want) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			}
			if got := p.standsIn(data); got != (len(tt.want) > 0) {
				t.Errorf("stands in it: got %t", got)
			}
		})
	}
}

func FuzzStream(f *testing.F) {
	f.Add("采用HBM3E的GB200，先进封装 AT&T 1,000 삼성 𠮷")
	f.Fuzz(func(t *testing.T, text string) {
		grams := testOptions(t, "").Analyzer.Bigrams(text)
		var s stream
		s.reset(appendStream(nil, grams))
		if len(grams) == 0 {
			if len(s.at) > 0 {
				t.Fatalf("%d positions of nothing", len(s.at))
			}
			return
		}
		if got, want := len(s.at), grams[len(grams)-1].Position; got != want {
			t.Fatalf("got %d positions, want %d", got, want)
		}
		for _, g := range grams {
			p := newPattern(&query.Clause{Slots: []query.Slot{{Terms: []string{g.Term}}}})
			if !s.has(g.Position-1, &p.slots[0][0]) {
				t.Errorf("position %d has no %q", g.Position, g.Term)
			}
			if !p.standsIn(s.data) {
				t.Errorf("%q is not found", g.Term)
			}
		}
		// Grams in a row, as they stand, the wrong way round and with one left out.
		for i := range grams[:max(len(grams)-2, 0)] {
			for _, k := range [][2]int{{i, i + 1}, {i + 1, i}, {i, i + 2}, {i, 0}} {
				a, b := grams[k[0]], grams[k[1]]
				p := newPattern(&query.Clause{Length: 2, Slots: []query.Slot{{Terms: []string{a.Term}}, {Terms: []string{b.Term, a.Term}, Offset: 1, Prefix: i%2 == 0}}})
				if got, want := p.standsIn(s.data), len(s.find(nil, &p)) > 0; got != want {
					t.Errorf("%q %q stand in it: got %t, want %t", a.Term, b.Term, got, want)
				}
			}
		}
	})
}

// FuzzReset reads streams as a damaged index may hold them.
func FuzzReset(f *testing.F) {
	f.Add([]byte{beginRun, 0x20, 0x80, endRun, 'a', nextPart, 'b', endRun})
	f.Fuzz(func(t *testing.T, data []byte) {
		var s stream
		s.reset(data)
		p := newPattern(&query.Clause{Slots: []query.Slot{{Terms: []string{"中国"}}, {Terms: []string{"a", "b"}, Offset: 1}}})
		if got, want := p.standsIn(data), len(s.find(nil, &p)) > 0; got != want {
			t.Errorf("stands in it: got %t, want %t", got, want)
		}
	})
}

func TestTimesSortAndComeBack(t *testing.T) {
	var last string
	for _, s := range []string{"0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z", "2025-11-17T08:00:00.000001Z", "2025-11-17T08:00:00.000001001Z", "9999-12-31T23:59:59Z"} {
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		term := encodeTime(at)
		if term <= last {
			t.Errorf("%s: %q is not after %q", s, term, last)
		}
		last = term
		if got, err := decodeTime(term); err != nil || !got.Equal(at) {
			t.Errorf("%s: got %v, %v, want %v", s, got, err, at)
		}
	}
}
