package extractor

import (
	"xinwen/extractor/mojibake"
	"xinwen/news"
)

// repaired is text with what was encoded twice put right; what was done is added
// to report.
func repaired(s string, report *mojibake.Report) string {
	s, r := mojibake.Repair(s)
	report.Add(r)
	return s
}

// repairedEntry is a copy of e, which may be nil, with its texts put right.
func repairedEntry(e *news.FeedEntry, report *mojibake.Report) *news.FeedEntry {
	if e == nil {
		return nil
	}
	out := *e
	out.Title, out.Summary = repaired(e.Title, report), repaired(e.Summary, report)
	out.Authors = make([]string, len(e.Authors))
	for i, a := range e.Authors {
		out.Authors[i] = repaired(a, report)
	}
	return &out
}

// encodedTwice warns of what Repair did.
func (w *warnings) encodedTwice(r mojibake.Report) {
	if r.Pieces == 0 {
		return
	}
	w.add("double-encoded", "%d pieces of text were %s read as %s and encoded again; they were put right", r.Pieces, r.Was, r.ReadAs)
	if r.Lost > 0 {
		w.add("charset-damaged", "%d characters were lost in the double encoding", r.Lost)
	}
}
