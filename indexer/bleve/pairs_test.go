package bleve

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/query"
	"xinwen/news"
)

func TestPairsOfAText(t *testing.T) {
	an := testOptions(t, "").Analyzer
	tests := []struct {
		name, text string
		want       []string
	}{
		{"in_a_row", "One of the fabs", []string{"one of", "of the"}},
		{"over_marks", "it was, of course: the end", []string{"it was", "was of"}},
		{"not_over_a_word", "in Taiwan and in Japan", []string{"and in"}},
		{"a_part_of_a_name", "of up-5 the", []string{"of up", "up the"}},
		{"chinese_between", "of 芯片 the", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, appendPairs(nil, an.Bigrams(tt.text))); d != "" {
				t.Error("-want +got:", d)
			}
		})
	}
}

// TestCommonPhrases looks for phrases of common words alone, longer ones and in one
// of the fields.
func TestCommonPhrases(t *testing.T) {
	x := openTest(t, t.TempDir())
	write(t, x, 4,
		&news.Article{Version: news.Version, ID: "both", Revision: 1, Title: "One of the last", Text: "It will be of the essence."},
		&news.Article{Version: news.Version, ID: "title", Revision: 1, Title: "End of the boom", Text: "The price of it."},
		&news.Article{Version: news.Version, ID: "text", Revision: 1, Title: "The end", Text: "Most of the chips, and one of them."},
		&news.Article{Version: news.Version, ID: "apart", Revision: 1, Title: "Of", Text: "the one"},
	)
	for q, want := range map[string][]string{
		`"of the"`:         {"both", "text", "title"},
		`title:"of the"`:   {"both", "title"},
		`text:"of the"`:    {"both", "text"},
		`"one of the"`:     {"both"},
		`"of the chips"`:   {"text"},
		`"the of"`:         nil,
		`NOT "of the"`:     {"apart"},
		`"of them" -"end"`: nil,
	} {
		n, err := query.Parse(q)
		if err != nil {
			t.Fatal(q, err)
		}
		got, err := matching(x, n)
		if err != nil {
			t.Fatal(q, err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", q, got, want)
		}
	}
}
