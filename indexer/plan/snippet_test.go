package plan

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/search"
	"xinwen/news"
)

func TestSnippet(t *testing.T) {
	long := strings.Repeat("没有标点的句子", 40) + "台积电涨价"
	tests := []struct {
		name       string
		article    news.Article
		mark       []string // marked wherever they are
		want       string
		highlights []search.Highlight
	}{
		{
			name:    "whole_sentences_in_chinese",
			article: news.Article{Lang: "zh", Text: strings.Repeat("第一句话说的是别的。", 20) + "“台积电宣布涨价！”他说。下一句。"},
			mark:    []string{"涨价"},
			want:    strings.Repeat("第一句话说的是别的。", 4) + "“台积电宣布涨价！”他说。下一句。",
			highlights: []search.Highlight{
				{Field: "snippet", Text: "涨价", Start: 46, End: 48},
			},
		},
		{
			name:    "the_beginning_without_marks",
			article: news.Article{Lang: "en", Text: "Chips cost 3.5 dollars. The U.S. market grows.\nMore follows."},
			want:    "Chips cost 3.5 dollars. The U.S. market grows. More follows.",
		},
		{
			name:    "title_and_text",
			article: news.Article{Lang: "zh", Title: "台积电涨价", Text: "台积电涨价。"},
			mark:    []string{"台积电", "涨价"},
			want:    "台积电涨价。",
			highlights: []search.Highlight{
				{Field: "title", Text: "台积电涨价", Start: 0, End: 5},
				{Field: "snippet", Text: "台积电涨价", Start: 0, End: 5},
			},
		},
		{
			name:    "a_sentence_too_long_is_cut_at_its_mark",
			article: news.Article{Lang: "zh", Text: long},
			mark:    []string{"涨价"},
			want:    string([]rune(long)[283-40:]),
			highlights: []search.Highlight{
				{Field: "snippet", Text: "涨价", Start: 40, End: 42},
			},
		},
		{name: "no_text", article: news.Article{Title: "Only a title"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var spans []news.Span
			content := tt.article.Content()
			for _, m := range tt.mark {
				for at := 0; ; {
					i := strings.Index(content[at:], m)
					if i < 0 {
						break
					}
					start := utf8.RuneCountInString(content[:at+i])
					spans = append(spans, news.Span{Start: start, End: start + utf8.RuneCountInString(m), Text: m, Clause: m})
					at += i + len(m)
				}
			}
			got, highlights := snippet(&tt.article, spans)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.highlights == nil {
				tt.highlights = []search.Highlight{}
			}
			for i := range highlights {
				highlights[i].Reason = "" // its clause
			}
			if diff := cmp.Diff(highlights, tt.highlights); diff != "" {
				t.Errorf("highlights differ (-got +want):\n%s", diff)
			}
		})
	}
}
