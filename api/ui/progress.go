package ui

import (
	"context"
	"strconv"
	"time"

	"xinwen/api/work"
	"xinwen/indexer/search"
	"xinwen/news/bus"
)

// Progress is how far a piece of long work is.
type Progress struct {
	Label string
	// Done and All are for a bar; All is 0 where the end is not known.
	Done, All uint64
	// Figures are what was done, how fast, and how long it will take.
	Figures []string
}

// progress returns the long work there is, newly looked at. Index and streams are
// nil where they are not known.
func (u *UI) progress(index *search.Status, streams []bus.StreamStatus, lang int) []Progress {
	if index != nil {
		u.o.Board.Watch(work.Index, index.AppliedSeq, index.Lag)
		var left uint64
		if index.Rebuilding {
			left = max(index.LastSeq, index.RebuiltSeq+1) - index.RebuiltSeq // it runs until it is exchanged
		}
		u.o.Board.Watch(work.Rebuild, index.RebuiltSeq, left)
	}
	for i := range streams {
		if st := &streams[i]; st.Name == bus.Pages {
			for _, c := range st.Consumers {
				if c.Name == extractor {
					waiting := c.Pending + uint64(c.AckPending)
					u.o.Board.Watch(work.Extract, st.LastSeq-min(waiting, st.LastSeq), waiting)
				}
			}
		}
	}
	var out []Progress
	for _, s := range u.o.Board.States() {
		if (s.Kind == work.Extract || s.Kind == work.Index) && s.All-s.Done < few {
			continue // the everyday of a crawl
		}
		out = append(out, described(s, lang))
	}
	return out
}

const (
	// extractor is the consumer that reads PAGES.
	extractor = "extractor"
	// few is how many pages or articles may wait without being called long work.
	few = 20
)

func described(s work.State, lang int) Progress {
	p := Progress{Label: say(lang, "work-"+string(s.Kind)), Done: s.Done, All: s.All}
	if s.Name != "" {
		p.Label = say(lang, "work-of", p.Label, s.Name)
	}
	add := func(key string, args ...any) { p.Figures = append(p.Figures, say(lang, key, args...)) }
	switch {
	case s.Kind == work.Import:
		add("work-taken", s.Count)
		if s.Refused > 0 {
			add("work-refused", s.Refused)
		}
		if s.All > 0 {
			add("work-read", 100*min(s.Done, s.All)/s.All)
		}
	case s.All > 0:
		add("of-number", s.Done, s.All)
	}
	if s.Rate > 0 {
		digits := 0
		if s.Rate < 10 {
			digits = 1
		}
		add("work-rate", strconv.FormatFloat(s.Rate, 'f', digits, 64))
	}
	if s.Left > 0 {
		p.Figures = append(p.Figures, left(s.Left, lang))
	}
	return p
}

// left says how long something will take.
func left(d time.Duration, lang int) string {
	switch {
	case d < time.Minute:
		return say(lang, "left-seconds", max(1, int(d.Round(time.Second)/time.Second)))
	case d < 2*time.Hour:
		return say(lang, "left-minutes", int((d+time.Minute-1)/time.Minute))
	}
	return say(lang, "left-hours", int((d+time.Hour/2)/time.Hour))
}

// work returns the long work to show on a page that is about something else: the
// streams are asked only where there may be any.
func (u *UI) work(ctx context.Context, index *search.Status, lang int) []Progress {
	var streams []bus.StreamStatus
	if index.Docs == 0 || index.Lag > 0 || len(u.o.Board.States()) > 0 {
		var err error
		if streams, err = u.o.Desk.Streams(ctx); err != nil {
			u.o.Logger.Debug("page lacks a part", "page", "search", "part", "streams", "err", err)
		}
	}
	return u.progress(index, streams, lang)
}
