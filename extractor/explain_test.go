package extractor

import "testing"

func TestExplainShowsCandidatesBlocksAndVotes(t *testing.T) {
	x := newExtractor(t, Options{})
	for i := range goldenPages {
		if goldenPages[i].File != "eepw/keyword-links" {
			continue
		}
		e, err := x.Explain(goldenPage(t, i))
		if err != nil {
			t.Fatal(err)
		}
		chosen, kept := 0, 0
		for _, c := range e.Candidates {
			if c.Chosen {
				chosen++
			}
		}
		for _, b := range e.Blocks {
			if b.Kept {
				kept++
			}
		}
		if e.Article == nil || chosen != 1 || kept == 0 || len(e.Fields) == 0 {
			t.Errorf("got article %v, %d chosen candidates, %d blocks kept, %d votes; want an article, one candidate, blocks and votes", e.Article != nil, chosen, kept, len(e.Fields))
		}
	}
	if _, err := x.Explain(htmlPage("empty", "")); err == nil {
		t.Error("an empty page: no error")
	}
}
